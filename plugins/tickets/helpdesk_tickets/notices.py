"""What people are told about tickets, in which words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from helpdesk_core.api import NotificationKind, User, Wording
from helpdesk_tickets.models import Ticket

VARIABLES = (
    *("ticket_number", "ticket_subject", "ticket_status", "ticket_priority"),
    *("customer_name", "agent_name", "actor_name", "due_date", "resolution", "comment"),
)
"""What every text about tickets can name. `comment` has a value where somebody commented."""

STATUS_WORDS: Mapping[str, Mapping[str, str]] = {
    "new": {"en": "new", "de": "neu"},
    "open": {"en": "open", "de": "offen"},
    "in_progress": {"en": "in progress", "de": "in Bearbeitung"},
    "pending": {"en": "waiting for an answer", "de": "wartet auf eine Antwort"},
    "resolved": {"en": "resolved", "de": "gelöst"},
    "closed": {"en": "closed", "de": "geschlossen"},
}
PRIORITY_WORDS: Mapping[str, Mapping[str, str]] = {
    "low": {"en": "low", "de": "niedrig"},
    "medium": {"en": "medium", "de": "mittel"},
    "high": {"en": "high", "de": "hoch"},
    "urgent": {"en": "urgent", "de": "dringend"},
}

CREATED = NotificationKind(
    name="ticket_created",
    title="A ticket was opened for you",
    subject="Ticket {ticket_number} was opened for you: {ticket_subject}",
    text="{actor_name} has opened ticket {ticket_number} for you: {ticket_subject}\n\nWe will tell you how it goes on.",
    variables=VARIABLES,
    translations={
        "de": Wording(
            title="Ein Ticket wurde für Sie eröffnet",
            subject="Ticket {ticket_number} wurde für Sie eröffnet: {ticket_subject}",
            text=(
                "{actor_name} hat für Sie Ticket {ticket_number} eröffnet: {ticket_subject}\n\n"
                "Wir sagen Ihnen, wie es weitergeht."
            ),
        )
    },
)

ASSIGNED = NotificationKind(
    name="ticket_assigned",
    title="A ticket was assigned to you",
    subject="Ticket {ticket_number} is yours: {ticket_subject}",
    text=(
        "Ticket {ticket_number} was assigned to you: {ticket_subject}\n\n"
        "Customer: {customer_name}\nPriority: {ticket_priority}\nState: {ticket_status}"
    ),
    variables=VARIABLES,
    translations={
        "de": Wording(
            title="Ein Ticket wurde Ihnen zugewiesen",
            subject="Ticket {ticket_number} ist Ihres: {ticket_subject}",
            text=(
                "Ticket {ticket_number} wurde Ihnen zugewiesen: {ticket_subject}\n\n"
                "Kunde: {customer_name}\nPriorität: {ticket_priority}\nZustand: {ticket_status}"
            ),
        )
    },
)

STATUS_CHANGED = NotificationKind(
    name="ticket_status_changed",
    title="The state of a ticket changed",
    subject="Ticket {ticket_number} is now {ticket_status}: {ticket_subject}",
    text="Ticket {ticket_number} is now {ticket_status}: {ticket_subject}",
    variables=VARIABLES,
    translations={
        "de": Wording(
            title="Der Zustand eines Tickets hat sich geändert",
            subject="Ticket {ticket_number}, {ticket_status}: {ticket_subject}",
            text="Der Zustand von Ticket {ticket_number} ist jetzt: {ticket_status}\n\n{ticket_subject}",
        )
    },
)

RESOLVED = NotificationKind(
    name="ticket_resolved",
    title="Your ticket was resolved",
    subject="Ticket {ticket_number} was resolved: {ticket_subject}",
    text=(
        "Your ticket {ticket_number} was resolved: {ticket_subject}\n\n{resolution}\n\n"
        "If it is not, comment on it and it is open again."
    ),
    variables=VARIABLES,
    translations={
        "de": Wording(
            title="Ihr Ticket wurde gelöst",
            subject="Ticket {ticket_number} wurde gelöst: {ticket_subject}",
            text=(
                "Ihr Ticket {ticket_number} wurde gelöst: {ticket_subject}\n\n{resolution}\n\n"
                "Falls nicht, kommentieren Sie es, und es ist wieder offen."
            ),
        )
    },
)

COMMENTED = NotificationKind(
    name="comment_added",
    title="Somebody commented on a ticket",
    subject="{actor_name} commented on ticket {ticket_number}: {ticket_subject}",
    text="{actor_name} commented on ticket {ticket_number}:\n\n{comment}",
    variables=VARIABLES,
    translations={
        "de": Wording(
            title="Jemand hat ein Ticket kommentiert",
            subject="{actor_name} hat Ticket {ticket_number} kommentiert: {ticket_subject}",
            text="{actor_name} hat Ticket {ticket_number} kommentiert:\n\n{comment}",
        )
    },
)

COMMENTED_INTERNALLY = NotificationKind(
    name="internal_comment_added",
    title="Somebody commented internally on a ticket",
    subject="{actor_name} commented internally on ticket {ticket_number}: {ticket_subject}",
    text="{actor_name} commented internally on ticket {ticket_number}:\n\n{comment}",
    variables=VARIABLES,
    translations={
        "de": Wording(
            title="Jemand hat ein Ticket intern kommentiert",
            subject="{actor_name} hat Ticket {ticket_number} intern kommentiert: {ticket_subject}",
            text="{actor_name} hat Ticket {ticket_number} intern kommentiert:\n\n{comment}",
        )
    },
)

DUE_SOON = NotificationKind(
    name="ticket_due_soon",
    title="A ticket of yours is due soon",
    subject="Ticket {ticket_number} is due soon: {ticket_subject}",
    text="Ticket {ticket_number} is due on {due_date}: {ticket_subject}",
    variables=VARIABLES,
    translations={
        "de": Wording(
            title="Ein Ticket von Ihnen ist bald fällig",
            subject="Ticket {ticket_number} ist bald fällig: {ticket_subject}",
            text="Ticket {ticket_number} ist fällig am {due_date}: {ticket_subject}",
        )
    },
)

OVERDUE = NotificationKind(
    name="ticket_overdue",
    title="A ticket is overdue",
    subject="Ticket {ticket_number} is overdue: {ticket_subject}",
    text=(
        "Ticket {ticket_number} was due on {due_date}: {ticket_subject}\n\nState: {ticket_status}\nAgent: {agent_name}"
    ),
    variables=VARIABLES,
    translations={
        "de": Wording(
            title="Ein Ticket ist überfällig",
            subject="Ticket {ticket_number} ist überfällig: {ticket_subject}",
            text=(
                "Ticket {ticket_number} war fällig am {due_date}: {ticket_subject}\n\n"
                "Zustand: {ticket_status}\nBearbeitung: {agent_name}"
            ),
        )
    },
)

ALL = (CREATED, ASSIGNED, STATUS_CHANGED, RESOLVED, COMMENTED, COMMENTED_INTERNALLY, DUE_SOON, OVERDUE)


@dataclass(frozen=True, slots=True)
class Subject:
    """The ticket that people are told of, as it is now.

    Attributes:
        id: its key.
        customer_id: whom it is for.
        agent_id: who works on it, if anybody.
        due_date: when it is due, if ever.
        status: its state.
        values: of the variables of texts.
    """

    id: int
    customer_id: int
    agent_id: int | None
    due_date: datetime | None
    status: str
    values: Mapping[str, Any]


def subject_of(session: Session, ticket_id: int, actor_id: int | None, **more: Any) -> Subject | None:
    """Return what is told of a ticket; nothing when it is gone or deleted.

    Args:
        session: of the organisation.
        ticket_id: its key.
        actor_id: who did it.
        more: values that this one occasion has.
    """
    wanted = select(Ticket).where(Ticket.id == ticket_id, Ticket.deleted_at.is_(None))
    ticket = session.scalars(
        wanted.options(joinedload(Ticket.customer), joinedload(Ticket.assigned_agent))
    ).one_or_none()
    if ticket is None:
        return None
    actor = session.get(User, actor_id) if actor_id else None
    values = {
        "ticket_number": ticket.number,
        "ticket_subject": ticket.subject,
        "ticket_status": STATUS_WORDS[ticket.status],
        "ticket_priority": PRIORITY_WORDS[ticket.priority],
        "customer_name": _name(ticket.customer),
        "agent_name": _name(ticket.assigned_agent),
        "actor_name": _name(actor) or "Helpdesk",
        "due_date": ticket.due_date or "",
        "resolution": ticket.resolution or "",
        "comment": "",
    }
    return Subject(
        ticket.id, ticket.customer_id, ticket.assigned_agent_id, ticket.due_date, ticket.status, {**values, **more}
    )


def _name(user: User | None) -> str:
    return (user.full_name or user.username) if user else ""
