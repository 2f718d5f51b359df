"""Tickets as the knowledge base meets them: what its hook `register_ticket_desks` asks for.

Nothing of the knowledge base is imported, so that either plugin runs without the other.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core.api import STAFF, Actor, Column, DbInt, ReadModel, Schema, User, Viewer
from helpdesk_tickets.models import Comment, Ticket
from helpdesk_tickets.queries.tickets import find_ticket
from helpdesk_tickets.queries.visibility import visible_tickets
from helpdesk_tickets.schemas.comments import CommentCreate
from helpdesk_tickets.service.comments import add_comment
from helpdesk_tickets.vocabulary import CLASSIC, COMPREHENSIVE, SHOWN

MOST_ANSWERS = 100


class TicketBrief(Schema):
    """A ticket where others mention it."""

    id: DbInt | str
    ticket_number: str
    title: str
    status: str


COMMON = {"ticket_number": Ticket.number, "title": Ticket.subject}

briefs = ReadModel(
    Ticket,
    schema=TicketBrief,
    fields={
        COMPREHENSIVE: {**COMMON, "id": Ticket.uuid, "status": Column(Ticket.status, SHOWN[COMPREHENSIVE])},
        CLASSIC: {**COMMON, "status": Column(Ticket.status, SHOWN[CLASSIC])},
    },
    ordering=["id"],
    default_order="id",
    visible=visible_tickets,
    where=Ticket.deleted_at.is_(None),
)


class TicketDesk:
    """What the knowledge base may know of tickets, and do with them."""

    entity = Ticket
    visible = visible_tickets
    exists = Ticket.deleted_at.is_(None)

    def find(self, session: Session, viewer: Viewer, ticket: int | str) -> int:
        """Return the key of a ticket that `viewer` may see, by its key or UUID; else raise `NotFound`."""
        return find_ticket(session, viewer, ticket)

    def briefs(self, session: Session, viewer: Viewer, keys: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Return what lists mention of tickets that `viewer` may see, by key, in the words of their document."""
        return briefs.load_by_key(session, viewer, keys)

    def requester(self, session: Session, ticket_id: int) -> int:
        """Return the key of the user whom a ticket is for."""
        return session.scalars(select(Ticket.customer_id).where(Ticket.id == ticket_id)).one()

    def story(self, session: Session, ticket_id: int) -> Mapping[str, Any]:
        """Return `title` and `description` of a ticket, and as `answers` what staff wrote for everybody to read."""
        ticket = session.scalars(select(Ticket).where(Ticket.id == ticket_id)).one()
        answers = (
            select(Comment.content)
            .join(User, User.id == Comment.author_id)
            .where(Comment.ticket_id == ticket_id, Comment.is_internal.is_(False))
            .where(User.role.in_(STAFF), Comment.author_id != ticket.customer_id)
        )
        written = session.scalars(answers.order_by(Comment.id).limit(MOST_ANSWERS)).all()
        return {"title": ticket.subject, "description": ticket.description, "answers": written}

    def reply(self, session: Session, actor: Actor, ticket_id: int, content: str) -> int:
        """Write a public comment as `actor`, and return its key."""
        return add_comment(session, actor, ticket_id, CommentCreate(content=content))

    def remaining(self, session: Session, keys: Sequence[int]) -> set[int]:
        """Return those of `keys` that are tickets, also deleted ones that can be restored."""
        return set(session.scalars(select(Ticket.id).where(Ticket.id.in_(keys))))


DESK = TicketDesk()
