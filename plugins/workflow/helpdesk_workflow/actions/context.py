"""What actions work with, and the texts that they fill in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core.api import Actor, Organization, Unprocessable, User, fill, filled_length, organization_of
from helpdesk_tickets.api import Category, Ticket

T = TypeVar("T")
LONGEST_TEXT = 100_000


@dataclass(frozen=True, slots=True)
class ActionContext:
    """What an action works with.

    Attributes:
        session: whatever the action does is in its transaction.
        actor: has the rights of the automation's author at this moment.
        now: the present instant.
        automation_id: key of the automation.
        key: unique for this action of this run: for what must be done once.
        event_type: what happened.
        payload: of the event.
        ticket: key of the ticket that it is about.
        services: returns a service by its type.
    """

    session: Session
    actor: Actor
    now: datetime
    automation_id: int
    key: str
    event_type: str
    payload: Mapping[str, Any]
    ticket: int | None
    services: Callable[[type[Any]], Any]

    @property
    def ticket_id(self) -> int:
        """Return the key of the ticket; the engine has made sure that there is one."""
        if self.ticket is None:
            raise Unprocessable("There is no ticket.")
        return self.ticket

    def get(self, kind: type[T]) -> T:
        """Return a service by its type."""
        return cast("T", self.services(kind))

    def values(self) -> dict[str, str]:
        """Return what placeholders stand for."""
        return values_of(self.session, self.ticket)

    def filled(self, text: str) -> str:
        """Return `text` with values for its `{placeholders}`; unknown ones stay as they are."""
        values = self.values()
        if filled_length(text, values) > LONGEST_TEXT:
            raise Unprocessable(f"Filled in, the text would have more than {LONGEST_TEXT} characters.")
        return fill(text, values)


PLACEHOLDERS = (
    "organization_name",
    "ticket_number",
    "ticket_subject",
    "subject",
    "status",
    "priority",
    "category",
    "customer_name",
    "customer_email",
    "agent_name",
)


def values_of(session: Session, ticket_id: int | None) -> dict[str, str]:
    """Return what a ticket and the organisation give texts to be filled in with."""
    organization = session.scalar(select(Organization.name).where(Organization.id == organization_of(session)))
    found = {"organization_name": organization or ""}
    ticket = session.execute(select(*_OF_TICKET).where(Ticket.id == ticket_id)).first() if ticket_id else None
    if ticket is None:
        return found
    keys = {ticket.customer_id, ticket.assigned_agent_id} - {None}
    people = session.execute(select(User.id, User.full_name, User.username, User.email).where(User.id.in_(keys)))
    by_key = {row.id: row for row in people}
    customer, agent = by_key.get(ticket.customer_id), by_key.get(ticket.assigned_agent_id)
    return {
        **found,
        "ticket_number": ticket.number,
        "ticket_subject": ticket.subject,
        "subject": ticket.subject,
        "status": ticket.status,
        "priority": ticket.priority,
        "category": ticket.category or "",
        "customer_name": (customer.full_name or customer.username) if customer else "",
        "customer_email": customer.email if customer else "",
        "agent_name": (agent.full_name or agent.username) if agent else "",
    }


_OF_TICKET = (
    Ticket.number,
    Ticket.subject,
    Ticket.status,
    Ticket.priority,
    Ticket.customer_id,
    Ticket.assigned_agent_id,
    select(Category.name).where(Category.id == Ticket.category_id).scalar_subquery().label("category"),
)
