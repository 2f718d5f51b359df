"""What has happened: events of the past, for those who look back."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core.events.outbox import Happened, OutboxEvent, happened


def past_event(session: Session, key: int) -> Happened | None:
    """Return one event of the session's organisation, if it is still there."""
    row = session.get(OutboxEvent, key)
    return happened(row) if row is not None else None


def past_events(
    session: Session, event_type: str, since: datetime, until: datetime, *, limit: int
) -> Sequence[Happened]:
    """Return events of one type in the session's organisation, the newest first.

    Args:
        session: any.
        event_type: `ticket.created`.
        since: the first instant.
        until: the last instant.
        limit: most events to return. Without many of the type, all of the organisation's are looked through: for slow
            endpoints and jobs.
    """
    wanted = select(OutboxEvent).where(
        OutboxEvent.type == event_type, OutboxEvent.created_at >= since, OutboxEvent.created_at <= until
    )
    rows = session.scalars(wanted.order_by(OutboxEvent.tx.desc(), OutboxEvent.id.desc()).limit(limit))
    return [happened(row) for row in rows]
