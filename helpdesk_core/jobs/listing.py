"""Looking at the queue, and bringing back what is dead: for operators."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from helpdesk_core.events import OutboxEvent
from helpdesk_core.jobs.queue import DEAD, PARKED, WAITING, StoredJob


def jobs(session: Session, *, state: str | None, name: str | None, limit: int) -> list[tuple[StoredJob, str]]:
    """Return stored jobs, the oldest first, each with the type of its event or nothing."""
    found = select(StoredJob, func.coalesce(OutboxEvent.type, "")).order_by(StoredJob.id).limit(limit)
    found = found.outerjoin(OutboxEvent, OutboxEvent.id == StoredJob.event_id)
    if state is not None:
        found = found.where(StoredJob.state == state)
    if name is not None:
        found = found.where(StoredJob.name == name)
    return [(job, event_type) for job, event_type in session.execute(found)]


def totals(session: Session) -> dict[str, int]:
    """Return how many jobs there are of each state, and events whose deliveries are not made yet."""
    found = dict.fromkeys((WAITING, DEAD, PARKED), 0)
    found.update((state, count) for state, count in session.execute(_by_state))
    found["events"] = session.scalar(_events) or 0
    return found


_by_state = select(StoredJob.state, func.count()).group_by(StoredJob.state)
_events = select(func.count()).select_from(OutboxEvent).where(OutboxEvent.due_at.is_not(None))


def bring_back(session: Session, now: datetime, *, keys: Sequence[int] | None = None, name: str | None = None) -> int:
    """Let dead and parked jobs run again, with all their tries; return how many.

    Args:
        session: unscoped.
        now: the present instant.
        keys: which; all of them when left out.
        name: only those of this handler or job.
    """
    wanted: list[ColumnElement[bool]] = [StoredJob.state.in_((DEAD, PARKED))]
    if keys is not None:
        wanted.append(StoredJob.id.in_(keys))
    if name is not None:
        wanted.append(StoredJob.name == name)
    back = update(StoredJob).where(*wanted).values(state=WAITING, due_at=now, failures=0, begun=0)
    found = session.execute(back.returning(StoredJob.id).execution_options(synchronize_session=False))
    return len(found.all())


def parked_names(session: Session) -> set[str]:
    """Return the names of parked jobs."""
    return set(session.scalars(select(StoredJob.name).where(StoredJob.state == PARKED).distinct()))


def unpark(session: Session, now: datetime, names: Collection[str]) -> None:
    """Let parked jobs run whose plugin is back."""
    back = update(StoredJob).where(StoredJob.state == PARKED, StoredJob.name.in_(names))
    back = back.values(state=WAITING, due_at=now)
    session.execute(back.execution_options(synchronize_session=False))
