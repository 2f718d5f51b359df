"""What can be read of comments."""

from sqlalchemy.orm import Session

from helpdesk_core.api import Criteria, NotFound, ReadModel, Viewer, equals, words_in
from helpdesk_tickets.models import Comment
from helpdesk_tickets.queries.tickets import visible_comments
from helpdesk_tickets.schemas.comments import ClassicCommentRead, CommentExtras, CommentRead
from helpdesk_tickets.vocabulary import CLASSIC, COMPREHENSIVE

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


def find_comment(session: Session, viewer: Viewer, ticket_id: int, comment_id: int) -> int:
    """Return the key of a comment of a ticket, if `viewer` may see it; else raise `NotFound`."""
    found = comments.find(session, viewer, Criteria({"ticket": ticket_id, "key": comment_id}, limit=1))
    if not found.keys:
        raise NotFound
    return found.keys[0]
