"""Keeping the full-text index as the tickets are."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_tickets.models import Comment, Ticket
from helpdesk_tickets.search import searched_text, tickets_search

INDEXED_COMMENTS = 1_000
"""Of one ticket, the oldest comments up to this many can be found."""


def index_ticket(session: Session, ticket: Ticket) -> None:
    """Index a ticket anew, with its comments."""
    wanted = select(Comment.is_internal, Comment.content).where(Comment.ticket_id == ticket.id)
    rows = session.execute(wanted.order_by(Comment.id).limit(INDEXED_COMMENTS)).all()
    texts = {
        "text": searched_text(ticket.subject, ticket.description),
        "number": ticket.number,
        "comments": "\n".join(row.content for row in rows if not row.is_internal),
        "internal": "\n".join(row.content for row in rows if row.is_internal),
    }
    tickets_search.put(session, ticket.id, texts)


def index_comment(session: Session, ticket_id: int, content: str, *, is_internal: bool) -> None:
    """Add a new comment to what is indexed of its ticket."""
    tickets_search.append(session, ticket_id, "internal" if is_internal else "comments", content)


def forget_ticket(session: Session, ticket_id: int) -> None:
    """Take a ticket out of the index."""
    tickets_search.remove(session, ticket_id)
