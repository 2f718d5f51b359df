"""What was promised for a ticket: by when somebody answers it, and by when it is resolved."""

from datetime import datetime, timedelta

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from helpdesk_core.api import NotFound
from helpdesk_tickets.models import SlaPolicy, Ticket
from helpdesk_tickets.schemas.statistics import Promise, TicketSla

_PROMISED = (
    select(
        Ticket.created_at,
        Ticket.first_response_at,
        Ticket.resolved_at,
        Ticket.target_at,
        SlaPolicy.id.label("policy"),
        SlaPolicy.first_response_minutes,
    )
    .select_from(Ticket)
    .outerjoin(
        SlaPolicy,
        and_(
            SlaPolicy.organization_id == Ticket.organization_id,
            SlaPolicy.priority == Ticket.priority,
            SlaPolicy.is_active.is_(True),
        ),
    )
)


def sla_of_ticket(session: Session, ticket_id: int, now: datetime) -> TicketSla:
    """Return the promises for a ticket: the first answer by its policy, the resolution by its due time."""
    row = session.execute(_PROMISED.where(Ticket.id == ticket_id)).one_or_none()
    if row is None:
        raise NotFound
    answer_due = None
    if row.first_response_minutes is not None:
        answer_due = row.created_at + timedelta(minutes=row.first_response_minutes)
    return TicketSla(
        policy=row.policy,
        first_response=_promise(answer_due, row.first_response_at, now),
        resolution=_promise(row.target_at, row.resolved_at, now),
    )


def _promise(due_at: datetime | None, done_at: datetime | None, now: datetime) -> Promise:
    is_breached = due_at is not None and (done_at or now) > due_at
    return Promise(due_at=due_at, done_at=done_at, is_breached=is_breached)
