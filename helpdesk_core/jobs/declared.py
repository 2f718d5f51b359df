"""Jobs: functions that run later, apart from the request that asked for them, or on a schedule."""

import random
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar, cast

from cronsim import CronSim, CronSimError
from sqlalchemy.orm import Session

from helpdesk_core.events import Happened, named

T = TypeVar("T")
Scope = Literal["organization", "installation"]


@dataclass(frozen=True, slots=True)
class Retries:
    """How often, and how long after each other, a failed job is tried again.

    Attributes:
        delays: before the second try, the third, and so on; after the last one the job is dead.
        jitter: by which part each delay is longer or shorter at random, so that what failed together does not come
            back together.
    """

    delays: tuple[timedelta, ...] = (
        timedelta(seconds=5),
        timedelta(seconds=30),
        timedelta(minutes=2),
        timedelta(minutes=10),
        timedelta(hours=1),
        timedelta(hours=3),
        timedelta(hours=6),
        timedelta(hours=12),
        timedelta(hours=24),
    )
    jitter: float = 0.2

    def after(self, failures: int) -> timedelta | None:
        """Return how long to wait after so many failures; nothing when it was the last try."""
        if failures > len(self.delays):
            return None
        spread = random.uniform(1 - self.jitter, 1 + self.jitter)  # noqa: S311 - spreads load, guards nothing
        return self.delays[failures - 1] * spread


@dataclass(frozen=True, slots=True)
class Again:
    """What a job wants: to be run again at an instant.

    Attributes:
        at: when.
        reason: in a sentence, for those who look.
    """

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class GivenUp:
    """What a job wants: not to be run again, and to be listed as dead.

    Attributes:
        reason: in a sentence, for those who look.
    """

    reason: str


@dataclass(slots=True)
class JobContext:
    """What a job works with.

    Attributes:
        organization_id: whose job it is; nothing for those of the installation.
        now: the present instant, UTC.
        attempt: 1 at the first try.
        cause: the event because of which the job was enqueued, if any.
        extra: objects that plugins registered with `register_services`, by type.
        verdict: what `again` and `give_up` have said.
    """

    organization_id: int | None
    now: datetime
    attempt: int
    cause: Happened | None
    extra: Mapping[type, Any]
    _open: Callable[[], Session]
    _read: Callable[[], AbstractContextManager[Session]]
    _apart: Callable[[], AbstractContextManager[Session]]
    verdict: Again | GivenUp | None = None

    @property
    def session(self) -> Session:
        """Return the writing session, opened when it is first asked for.

        It is committed when the job returns, together with the record that it is done: what is written happens once.
        Do not keep it open while talking to the outside: on SQLite it is the only writer.
        """
        return self._open()

    def reading(self) -> AbstractContextManager[Session]:
        """Return a session that only reads, as a context manager: for what has to be known before talking outside."""
        return self._read()

    def apart(self) -> AbstractContextManager[Session]:
        """Return a session that writes, committed at the end of the block: for what others must see meanwhile.

        Leave it before `session` is used: on SQLite there is one writer.
        """
        return self._apart()

    @property
    def event_id(self) -> int | None:
        """Return the key of the event because of which the job was enqueued, if any."""
        return self.cause.id if self.cause else None

    def get(self, kind: type[T]) -> T:
        """Return the object of type `kind` that was registered at start."""
        return cast("T", self.extra[kind])

    def again(self, at: datetime, reason: str) -> None:
        """Keep what was written, and run once more at `at`: for jobs with a schedule of tries of their own."""
        self.verdict = Again(at, reason)

    def give_up(self, reason: str) -> None:
        """Keep what was written, and leave the job among the dead, from where an operator can bring it back."""
        self.verdict = GivenUp(reason)


@dataclass(frozen=True, slots=True)
class Job:
    """A declared job.

    Attributes:
        function: called with the context and the arguments, which are JSON values.
        name: by which it is stored, `<package>.<function>`: keep it when the function moves.
        schedule: when it runs by itself, as five fields of cron, in UTC; empty for never.
        per: whether a schedule means one run for each organisation that has the plugin on, or one for all.
        slow: whether it talks to the outside, or takes long, and must not hold up what does not.
        timeout: after this long it counts as failed, and is tried again.
        retries: what happens after failures.
    """

    function: Callable[..., None]
    name: str
    schedule: str = ""
    per: Scope = "organization"
    slow: bool = False
    timeout: timedelta = timedelta(seconds=60)
    retries: Retries = Retries()


def job(
    *,
    name: str = "",
    schedule: str = "",
    per: Scope = "organization",
    slow: bool = False,
    timeout: timedelta = timedelta(seconds=60),
    retries: Retries | None = None,
) -> Callable[[Callable[..., None]], Job]:
    """Declare a job; `plugin.py` registers it. Parameters are the attributes of `Job`.

    Raises:
        ValueError: the schedule is none.
    """
    if schedule:
        check_schedule(schedule)

    def declare(function: Callable[..., None]) -> Job:
        return Job(function, named(function, name), schedule, per, slow, timeout, retries or Retries())

    return declare


def check_schedule(schedule: str) -> None:
    """Raise `ValueError` unless `schedule` is five fields of cron."""
    if len(schedule.split()) != 5:
        raise ValueError(f"{schedule!r} is no schedule: it has five fields, minute, hour, day, month and weekday")
    try:
        CronSim(schedule, datetime(2024, 1, 1))  # noqa: DTZ001 - only the form is looked at
    except CronSimError as error:
        raise ValueError(f"{schedule!r} is no schedule: {error}") from None


def last_slot(schedule: str, now: datetime) -> datetime:
    """Return the latest instant up to `now` at which `schedule` was due."""
    return next(CronSim(schedule, now + timedelta(seconds=1), reverse=True))
