"""What can be read of comments."""

from sqlalchemy import ColumnElement, and_, exists
from sqlalchemy.orm import Session

from helpdesk_core.api import Actor, Criteria, NotFound, ReadModel, Viewer, Visibility, equals, words_in
from helpdesk_tickets.models import Comment, Ticket
from helpdesk_tickets.queries.tickets import visible_comments
from helpdesk_tickets.queries.visibility import visible_tickets
from helpdesk_tickets.schemas.comments import ClassicCommentRead, CommentExtras, CommentRead
from helpdesk_tickets.vocabulary import CLASSIC, COMPREHENSIVE


class CommentsOfTickets(Visibility):
    """Comments that one may read, of the tickets that one can see."""

    def variant(self, actor: Actor) -> str:
        """Combine what may be seen of tickets and of their comments."""
        return f"{visible_tickets.variant(actor)} {visible_comments.variant(actor)}"

    def criterion(self, variant: str) -> ColumnElement[bool]:
        """Look for the ticket."""
        of_ticket, of_comment = (
            visible.criterion(part)
            for visible, part in zip((visible_tickets, visible_comments), variant.split(), strict=True)
        )
        ticket = exists().where(
            Ticket.id == Comment.ticket_id,
            Ticket.organization_id == Comment.organization_id,
            Ticket.deleted_at.is_(None),
        )
        ticket = ticket if of_ticket is None else ticket.where(of_ticket)
        return ticket if of_comment is None else and_(ticket, of_comment)

    def oversees(self, variant: str) -> bool:
        """Follow the tickets; whether one hears of internal comments is asked besides."""
        return visible_tickets.oversees(variant.split(maxsplit=1)[0])


comments: ReadModel[CommentRead | ClassicCommentRead] = ReadModel(
    Comment,
    schema={COMPREHENSIVE: CommentRead, CLASSIC: ClassicCommentRead},
    optional=CommentExtras,
    filters={"ticket": equals(Comment.ticket_id), "key": equals(Comment.id)},
    ordering={"created_at": Comment.id, "id": Comment.id, "updated_at": Comment.updated_at},
    default_order="created_at",
    search=words_in(Comment.content),
    visible=visible_comments,
)
"""Comments are made in the order of their keys, hence sorting by `created_at` needs no index of its own."""

comments_of_all_tickets: ReadModel[CommentRead | ClassicCommentRead] = ReadModel(
    Comment,
    schema={COMPREHENSIVE: CommentRead, CLASSIC: ClassicCommentRead},
    default_order="id",
    ordering={"id": Comment.id},
    visible=CommentsOfTickets(),
)
"""The same for who has not looked at the ticket first: whether one sees the ticket is a part of the question."""


def find_comment(session: Session, viewer: Viewer, ticket_id: int, comment_id: int) -> int:
    """Return the key of a comment of a ticket, if `viewer` may see it; else raise `NotFound`."""
    found = comments.find(session, viewer, Criteria({"ticket": ticket_id, "key": comment_id}, limit=1))
    if not found.keys:
        raise NotFound
    return found.keys[0]
