"""Taking jobs and letting go of them: single statements, each safe against every other worker."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from helpdesk_core.jobs.queue import DEAD, PARKED, StoredJob
from helpdesk_core.statements import Prepared

LEASE = timedelta(seconds=15)
"""How long a worker holds a job without a sign of life; it renews leases three times as often."""

HOLDING_BACK = 3
"""After so many failures a job no longer holds back those behind it."""


class LeaseLost(Exception):
    """The job took so long that somebody else has begun it; what this worker did must not be committed."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that this worker holds.

    Attributes:
        id: its key.
        name: of the handler or job.
        organization_id: whose it is; nothing for jobs of the installation.
        event_id: the event to deliver, or because of which it was enqueued.
        arguments: of a job, JSON; nothing for a delivery.
        attempts: how often it was begun or put off, this time included.
        failures: how often it failed before.
        begun: how often it was begun since it last came to an end, this time included.
    """

    id: int
    name: str
    organization_id: int | None
    event_id: int | None
    arguments: str | None
    attempts: int
    failures: int
    begun: int


_earlier = aliased(StoredJob)
_RETURNED = (
    StoredJob.id,
    StoredJob.name,
    StoredJob.organization_id,
    StoredJob.event_id,
    StoredJob.arguments,
    StoredJob.attempts,
    StoredJob.failures,
    StoredJob.begun,
)
_held_back = exists().where(
    _earlier.order_key == StoredJob.order_key,
    _earlier.id < StoredJob.id,
    _earlier.due_at.is_not(None),
    _earlier.failures < HOLDING_BACK,
)


def anything_due(session: Session, *, slow: bool, now: datetime) -> bool:
    """Tell whether a job may be due; asked before a worker becomes a writer, which SQLite has one of."""
    found = select(StoredJob.id).where(StoredJob.slow == slow, StoredJob.due_at <= now).limit(1)
    return session.execute(found).first() is not None


def claim(session: Session, *, slow: bool, now: datetime, limit: int, holder: str) -> list[Claimed]:
    """Take up to `limit` due jobs, the longest due first; of those with an order only the first of each."""
    due = (
        select(StoredJob.id)
        .where(
            StoredJob.slow == slow,
            StoredJob.due_at <= now,
            or_(StoredJob.order_key == "", ~_held_back),
        )
        .order_by(StoredJob.due_at, StoredJob.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")  # PostgreSQL may run a plain sub-select more than once, and take more than `limit`
    )
    taken = (
        update(StoredJob)
        .where(StoredJob.id.in_(select(due.c.id)))
        .values(due_at=now + LEASE, held_by=holder, attempts=StoredJob.attempts + 1, begun=StoredJob.begun + 1)
        .returning(*_RETURNED)
        .execution_options(synchronize_session=False)
    )
    rows: list[Any] = list(session.execute(taken))
    return sorted((Claimed(*row) for row in rows), key=lambda job: job.id)


_mine = (StoredJob.id == bindparam("job_id"), StoredJob.attempts == bindparam("mine"))
_hold = Prepared(update(StoredJob).where(*_mine).values(due_at=bindparam("until")).returning(StoredJob.id))
_finish = Prepared(delete(StoredJob).where(*_mine).returning(StoredJob.id))
_postpone = Prepared(
    update(StoredJob)
    .where(*_mine)
    .values(
        due_at=bindparam("at"),
        failures=bindparam("count"),
        last_error=bindparam("reason"),
        attempts=StoredJob.attempts + 1,
        begun=0,
        held_by=None,
    )
    .returning(StoredJob.id)
)
_end = Prepared(
    update(StoredJob)
    .where(*_mine)
    .values(
        due_at=None,
        state=bindparam("new_state"),
        failures=bindparam("count"),
        last_error=bindparam("reason"),
        attempts=StoredJob.attempts + 1,
        begun=0,
        held_by=None,
        once_key=None,
    )
    .returning(StoredJob.id)
)


def hold(session: Session, job: Claimed, now: datetime) -> None:
    """Hold a job for another lease, in a transaction that must not be committed if it is not ours any more."""
    if not _hold.rows(session, {"job_id": job.id, "mine": job.attempts, "until": now + LEASE}):
        raise LeaseLost


def finish(session: Session, job: Claimed) -> None:
    """Remove a job that is done; in the transaction of its effects, which are rolled back if it is not ours."""
    if not _finish.rows(session, {"job_id": job.id, "mine": job.attempts}):
        raise LeaseLost


def postpone(session: Session, job: Claimed, at: datetime, reason: str | None, *, counts: bool = True) -> None:
    """Have a job run again at `at`, or with the next whole second; as a failure, unless it does not count."""
    whole = at + timedelta(microseconds=-at.microsecond % 1_000_000)  # the database would leave the parts out
    values = {"at": whole, "count": job.failures + counts, "reason": reason}
    if not _postpone.rows(session, {"job_id": job.id, "mine": job.attempts, **values}):
        raise LeaseLost


def bury(session: Session, job: Claimed, reason: str) -> None:
    """Leave a job among the dead."""
    values = {"new_state": DEAD, "count": job.failures + 1, "reason": reason}
    if not _end.rows(session, {"job_id": job.id, "mine": job.attempts, **values}):
        raise LeaseLost


def park(session: Session, job: Claimed) -> None:
    """Lay a job aside until its plugin is back."""
    values = {"new_state": PARKED, "count": job.failures, "reason": f"nobody knows {job.name} here"}
    if not _end.rows(session, {"job_id": job.id, "mine": job.attempts, **values}):
        raise LeaseLost


def renew(session: Session, jobs: Sequence[Claimed], now: datetime) -> None:
    """Hold jobs for another lease."""
    for job in jobs:
        session.execute(
            update(StoredJob)
            .where(StoredJob.id == job.id, StoredJob.attempts == job.attempts)
            .values(due_at=now + LEASE)
            .execution_options(synchronize_session=False)
        )


def give_back(session: Session, jobs: Sequence[Claimed], now: datetime) -> None:
    """Let others have jobs that were taken and not begun."""
    for job in jobs:
        session.execute(
            update(StoredJob)
            .where(StoredJob.id == job.id, StoredJob.attempts == job.attempts)
            .values(due_at=now, held_by=None, begun=StoredJob.begun - 1)
            .execution_options(synchronize_session=False)
        )
