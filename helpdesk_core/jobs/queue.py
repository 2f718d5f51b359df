"""The queue: a row for everything that must still be done. Rows of what is done are removed.

A worker that takes a row moves its `due_at` to the end of a lease, and moves it on while it works. Whatever a killed
worker held is therefore due again by itself, and nobody has to notice that it died.
"""

from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from helpdesk_core.database import BigKey, CoreBase, UtcDateTime, after_commit
from helpdesk_core.events import Bus, Happened, now
from helpdesk_core.jobs.declared import Job
from helpdesk_core.statements import insertion

WAITING, DEAD, PARKED = "waiting", "dead", "parked"


class StoredJob(CoreBase):
    """A delivery of an event to a handler, or a job, that is not done yet.

    Attributes:
        organization_id: whose it is; nothing for jobs of the installation.
        name: of the handler or job.
        event_id: the event to deliver, or because of which the job was enqueued.
        arguments: of a job, a JSON object; nothing for a delivery.
        order_key: those with the same one run one after the other; empty for no order.
        once_key: of which only one is stored at a time; nothing for no limit.
        slow: whether it runs apart from the quick ones.
        state: `waiting`, `dead`, or `parked` while nobody knows its name.
        due_at: when it may run, or until when it is held; nothing when it is dead or parked.
        held_by: the worker that is running it.
        attempts: how often it was begun or put off; tells whether a worker still is the one that holds it.
        begun: how often it was begun since it last came to an end, good or bad.
        failures: how often it failed or asked to be run again.
        last_error: why.
    """

    __tablename__ = "core_job"
    __table_args__ = (
        Index(
            "ix_core_job_slow_due_at_id",
            "slow",
            "due_at",
            "id",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index(
            "ix_core_job_order_key_id",
            "order_key",
            "id",
            sqlite_where=text("order_key <> ''"),
            postgresql_where=text("order_key <> ''"),
        ),
        Index("uq_core_job_once_key", "once_key", unique=True),
        Index("ix_core_job_organization_id", "organization_id"),
        Index("ix_core_job_event_id", "event_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    organization_id: Mapped[int | None] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(150))
    event_id: Mapped[int | None] = mapped_column(BigKey)
    arguments: Mapped[str | None] = mapped_column(Text)
    order_key: Mapped[str] = mapped_column(String(255), default="")
    once_key: Mapped[str | None] = mapped_column(String(255))
    slow: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(10), default=WAITING)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    held_by: Mapped[str | None] = mapped_column(String(100))
    attempts: Mapped[int] = mapped_column(default=0)
    begun: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ScheduleSlot(CoreBase):
    """When a scheduled job was last enqueued. Moving it on is what makes a schedule run once, of many workers."""

    __tablename__ = "core_schedule"

    name: Mapped[str] = mapped_column(String(150), primary_key=True)
    slot: Mapped[datetime] = mapped_column(UtcDateTime)


add_jobs = insertion(StoredJob)
"""Adds rows; give every column that has no default."""

add_unless_stored = insertion(StoredJob, unless_taken=True)
"""Adds a row unless one with its `once_key` is stored."""


def enqueue(
    session: Session, what: Job, *, order: str = "", at: datetime | None = None, once: str = "", **arguments: Any
) -> None:
    """Have a job run, once the transaction of `session` is committed; in the organisation of `session`.

    Args:
        session: any that writes.
        what: declared with `@job`, and registered.
        order: jobs with the same text run one after the other, in the order in which they were enqueued. One that has
            failed three times no longer holds back those behind it.
        at: not before this instant.
        once: nothing happens while a job with this text is stored.
        arguments: JSON values, which the job's function takes by name.
    """
    bus: Bus = session.info["bus"]
    cause: Happened | None = session.info.get("cause")
    organization = session.info.get("organization")
    moment = now(session)
    add = add_unless_stored if once else add_jobs
    add.run(
        session,
        {
            "organization_id": organization if isinstance(organization, int) else None,
            "name": what.name,
            "event_id": cause.id if cause else None,
            "arguments": orjson.dumps(arguments).decode(),
            "order_key": f"{what.name}|{order}" if order else "",
            "once_key": f"{what.name}|{once}" if once else None,
            "slow": what.slow,
            "due_at": at or moment,
            "created_at": moment,
        },
    )
    if at is None or at <= moment:
        after_commit(session, bus.wake)
