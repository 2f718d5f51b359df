"""Changing a ticket: whatever changes, its history, counters, index and events follow in the same transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core.api import Actor, now, publish
from helpdesk_tickets.events import TicketAssigned, TicketStatusChanged, TicketUpdated
from helpdesk_tickets.models import Ticket
from helpdesk_tickets.service.counting import contributions, count
from helpdesk_tickets.service.history import add_changes
from helpdesk_tickets.service.indexing import index_ticket
from helpdesk_tickets.service.people import people_in

COLUMNS = {"assigned_agent": "assigned_agent_id", "category": "category_id", "customer": "customer_id"}
"""Where a field is stored under another name than COMPREHENSIVE's, which history and events use."""
INDEXED = {"subject", "description"}

_COLUMNS = {attribute.key for attribute in Ticket.__mapper__.column_attrs} - {"due_order", "due_reverse"}


class Edit:
    """A change of one ticket in the making.

    Attributes:
        session: of the ticket's organisation.
        actor: who changes it.
        ticket: locked until the transaction ends.
        now: the present instant.
    """

    def __init__(self, session: Session, actor: Actor, ticket: Ticket) -> None:
        """Remember what the ticket counts for now."""
        self.session = session
        self.actor = actor
        self.ticket = ticket
        self.now = now(session).replace(microsecond=0)  # as it is stored
        self._counted = contributions(ticket)
        self._before = _state(ticket)
        self._people = _people(ticket)
        self._changes: dict[str, tuple[Any, Any]] = {}

    @property
    def concerned(self) -> set[int]:
        """Return the keys of the people of the ticket, before the change and after it."""
        return self._people | _people(self.ticket)

    def set(self, field: str, value: Any) -> bool:
        """Set a field, and tell whether that changes anything."""
        column = COLUMNS.get(field, field)
        before = getattr(self.ticket, column)
        if before == value:
            return False
        setattr(self.ticket, column, value)
        self.record(field, before, value)
        return True

    def record(self, field: str, before: Any, after: Any) -> None:
        """Note for the history that a field changed; a field that changed before keeps what it was at first."""
        self._changes[field] = (self._changes.get(field, (before,))[0], after)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing changes; what a flush has written meanwhile is a change as well."""
        return not self._changes and _state(self.ticket) == self._before

    def save(self) -> None:
        """Write the ticket and everything that follows from its change."""
        self.ticket.updated_at = self.now
        self.session.flush()
        count(self.session, self._counted, contributions(self.ticket))
        if self._changes:
            add_changes(self.session, self.ticket.id, self.actor.user_id, self.now, self._changes)
        if self._changes.keys() & INDEXED:
            index_ticket(self.session, self.ticket)

    def announce(self) -> None:
        """Publish what changed."""
        if not self._changes:
            return
        ticket_id, concerned = self.ticket.id, self.concerned
        publish(self.session, TicketUpdated(ticket_id=ticket_id, fields=tuple(self._changes)), concerns=concerned)
        if "assigned_agent" in self._changes:
            before, after = self._changes["assigned_agent"]
            assigned = TicketAssigned(ticket_id=ticket_id, assigned_agent_id=after, previous_agent_id=before)
            publish(self.session, assigned, concerns=concerned)
        if "status" in self._changes:
            before, after = self._changes["status"]
            moved = TicketStatusChanged(ticket_id=ticket_id, before=before, after=after)
            publish(self.session, moved, concerns=concerned)


def _people(ticket: Ticket) -> set[int]:
    return people_in((ticket.customer_id, ticket.created_by_id, ticket.assigned_agent_id))


def _state(ticket: Ticket) -> dict[str, Any]:
    return {name: value for name, value in vars(ticket).items() if name in _COLUMNS}


def locked_ticket(session: Session, ticket_id: int) -> Ticket:
    """Return a ticket that nobody else can change until the transaction ends."""
    return session.scalars(select(Ticket).where(Ticket.id == ticket_id).with_for_update()).one()


@contextmanager
def editing(session: Session, actor: Actor, ticket_id: int) -> Iterator[Edit]:
    """Change a ticket: what the block does is written and announced at its end, unless it raises."""
    edit = Edit(session, actor, locked_ticket(session, ticket_id))
    yield edit
    if not edit.is_empty:
        edit.save()
        edit.announce()
