"""Whom events about tickets concern: the people of a ticket, who see it without seeing all of them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy.orm import Session

from helpdesk_core.api import Prepared, publish
from helpdesk_tickets.events import TicketUpdated
from helpdesk_tickets.models import Ticket

PEOPLE = (Ticket.customer_id, Ticket.created_by_id, Ticket.assigned_agent_id)

_PEOPLE = Prepared(
    select(*PEOPLE).where(Ticket.organization_id == bindparam("organization_id"), Ticket.id == bindparam("ticket_id"))
)


def people_in(row: Iterable[Any]) -> set[int]:
    """Return the keys among the columns of `PEOPLE`."""
    return {key for key in row if key is not None}


def people_of(session: Session, ticket_id: int | None) -> set[int]:
    """Return the keys of the people of a ticket."""
    rows = _PEOPLE.rows(session, {"ticket_id": ticket_id}) if ticket_id is not None else []
    return people_in(rows[0]) if rows else set()


def tickets_with(session: Session, *which: ColumnElement[bool]) -> Sequence[Sequence[Any]]:
    """Return key and people of the tickets that are not deleted and satisfy the conditions."""
    wanted = select(Ticket.id, *PEOPLE).where(Ticket.deleted_at.is_(None), *which).order_by(Ticket.id)
    return [tuple(row) for row in session.execute(wanted)]


def announce_updates(session: Session, tickets: Iterable[Sequence[Any]], field: str) -> None:
    """Publish that one field of many tickets changed; each may be seen, delivered and followed by itself."""
    for ticket_id, concerned in _split(tickets):
        publish(session, TicketUpdated(ticket_id=ticket_id, fields=(field,)), concerns=concerned)


def _split(tickets: Iterable[Sequence[Any]]) -> Iterator[tuple[int, set[int]]]:
    for ticket_id, *people in tickets:
        yield ticket_id, people_in(people)
