"""Due dates that come near or have passed: each is announced once."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from helpdesk_core.api import now, publish
from helpdesk_tickets.events import DueEvent, TicketDueSoon, TicketOverdue
from helpdesk_tickets.models import Ticket
from helpdesk_tickets.queries.tickets import is_unresolved

BATCH = 500
MOST_BATCHES = 4
"""Announced in one run: the rest is for the next one, some minutes later."""


def something_is_due(session: Session, lead: timedelta) -> bool:
    """Tell whether there is anything to announce; `session` need not write."""
    waiting = select(Ticket.id).limit(1)
    return any(session.scalar(waiting.where(*which)) for which in (_overdue(session), _near(session, lead)))


def announce_overdue(session: Session) -> int:
    """Publish `ticket.overdue` for what is overdue and was not announced, and return how many that were."""
    return _announce(session, Ticket.overdue_at, TicketOverdue, *_overdue(session))


def announce_due_soon(session: Session, lead: timedelta) -> int:
    """Publish `ticket.due_soon` for what is due within `lead` and was not announced, and return how many that were."""
    return _announce(session, Ticket.reminded_at, TicketDueSoon, *_near(session, lead))


def _overdue(session: Session) -> tuple[ColumnElement[bool], ...]:
    return (*_unannounced(), Ticket.due_date <= now(session))


def _near(session: Session, lead: timedelta) -> tuple[ColumnElement[bool], ...]:
    moment = now(session)
    near = (Ticket.due_date > moment, Ticket.due_date <= moment + lead)
    return (*_unannounced(), *near, Ticket.reminded_at.is_(None))


def _unannounced() -> tuple[ColumnElement[bool], ...]:
    return (Ticket.deleted_at.is_(None), is_unresolved(), Ticket.due_date.is_not(None), Ticket.overdue_at.is_(None))


def _announce(
    session: Session, mark: InstrumentedAttribute[object], event: type[DueEvent], *which: ColumnElement[bool]
) -> int:
    """Mark tickets and publish an event for each, in one transaction: a crash announces nothing, or all of it."""
    columns = (Ticket.id, Ticket.due_date, Ticket.assigned_agent_id, Ticket.customer_id, Ticket.created_by_id)
    some = select(Ticket.id).where(*which).order_by(Ticket.due_date, Ticket.id).limit(BATCH)
    done = 0
    for _ in range(MOST_BATCHES):
        marking = update(Ticket).where(Ticket.id.in_(some), *which).values({mark: now(session)}).returning(*columns)
        rows: Sequence[Any] = session.execute(marking.execution_options(synchronize_session=False)).all()
        for key, due_date, agent_id, customer_id, creator_id in sorted(rows, key=lambda row: row[0]):
            happened = event(ticket_id=key, due_date=due_date, assigned_agent_id=agent_id, customer_id=customer_id)
            concerns = {customer_id, creator_id} | ({agent_id} - {None})
            publish(session, happened, concerns=concerns)
        done += len(rows)
        if len(rows) < BATCH:
            break
    return done
