"""Running jobs: each in a session and a transaction of its own, which also records that it is done."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from helpdesk_core.clock import Clock
from helpdesk_core.database import Database, commit
from helpdesk_core.events import (
    Bus,
    Event,
    EventCatalogue,
    Handler,
    HandlerContext,
    Happened,
    OutboxEvent,
    happened,
)
from helpdesk_core.jobs import claims, listing
from helpdesk_core.jobs.claims import Claimed, LeaseLost
from helpdesk_core.jobs.declared import Again, GivenUp, Job, JobContext
from helpdesk_core.jobs.fanout import pass_on
from helpdesk_core.jobs.registry import Registered, Registry, Tenants
from helpdesk_core.jobs.schedules import enqueue_due
from helpdesk_core.jobs.work import Work
from helpdesk_core.plugins import Hung, PluginHealth, Watchdog
from helpdesk_core.plugins.health import is_nobodys_fault
from helpdesk_core.plugins.outages import Outage
from helpdesk_core.tenancy import set_organization, set_unscoped
from helpdesk_core.tracing import NO_TRACES, Tracing

log = logging.getLogger("helpdesk.jobs")

QUICK_BATCH = 20
_OUTCOMES = {type(None): "done", Again: "again", GivenUp: "given_up"}
SWITCHED_OFF = timedelta(hours=1)
"""How long a job waits whose plugin the organisation has switched off."""

OUTAGE = timedelta(seconds=30)
"""How long what a plugin has to do waits where nobody knows how long its outage lasts."""

CRASHES = 20
"""A job that was begun so often without an end takes its worker down with it."""


class TookTooLong(Hung):
    """The job ran longer than it may."""


class UnknownEvent(Exception):
    """The event is gone, or nobody knows its type any more."""


@dataclass(frozen=True, slots=True)
class _Begun:
    job: Claimed
    registered: Registered
    at: float


class Runner:
    """Passes events on and runs what is due; any number of threads and processes may do so at once."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        clock: Clock,
        bus: Bus,
        tenants: Tenants,
        *,
        extra: Mapping[type, Any],
        later: Callable[[timedelta], None] = lambda _: None,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            database: where the queue is.
            registry: what can be run.
            clock: tells what is due.
            bus: for the sessions of jobs.
            tenants: tells which organisations there are, and which plugins they have on.
            extra: what handlers and jobs get by its type.
            later: asks for another look after some time.
        """
        self._database = database
        self._registry = registry
        self._clock = clock
        self._bus = bus
        self._tenants = tenants
        self._extra = extra
        self._health: PluginHealth = extra[PluginHealth]
        self.watchdog: Watchdog = extra[Watchdog]
        self._tracing: Tracing = extra.get(Tracing, NO_TRACES)
        self._later = later
        self._holder = f"{socket.gethostname()}:{os.getpid()}"[:100]
        self._begun: dict[int, _Begun] = {}
        self._stopping = threading.Event()
        self.ran: Callable[[Registered, float, str], None] = lambda _registered, _seconds, _outcome: None

    def stop(self) -> None:
        """Begin nothing more; what was taken and not begun is given back."""
        self._stopping.set()

    def pass_on(self) -> int:
        """Make the deliveries of events that have none yet; return how many events those were."""
        return pass_on(self._database, self._registry.handlers, self._tenants.enabled, self._clock.now())

    def tick(self) -> None:
        """Enqueue the scheduled jobs that are due; whoever comes first does it for all workers."""
        self._unpark()
        enqueue_due(self._database, self._registry, self._bus, self._tenants)

    def _unpark(self) -> None:
        with self._database.session(writes=False) as session:
            set_unscoped(session)
            known = listing.parked_names(session) & self._registry.by_name.keys()
        if known:
            with self._settling() as session:
                listing.unpark(session, self._clock.now(), known)

    def any_due(self, *, slow: bool) -> bool:
        """Tell whether a job may be due."""
        with self._database.session(writes=False) as session:
            set_unscoped(session)
            return claims.anything_due(session, slow=slow, now=self._clock.now())

    def run_some(self, *, slow: bool) -> int:
        """Run a few due jobs, and return how many were taken."""
        if not self.any_due(slow=slow):
            return 0
        now = self._clock.now()
        with self._database.session(writes=True) as session:
            set_unscoped(session)
            # Slow ones are taken one by one: nobody waits behind one while other threads are idle.
            limit = 1 if slow else QUICK_BATCH
            taken = claims.claim(session, slow=slow, now=now, limit=limit, holder=self._holder)
            commit(session)
        self._run_all(taken)
        return len(taken)

    def run_due(self) -> int:
        """Pass on and run everything that is due, here and now; return how many jobs that were."""
        total = 0
        while True:
            passed = self.pass_on()
            ran = self.run_some(slow=False) + self.run_some(slow=True)
            total += ran
            if not passed and not ran:
                return total

    def renew(self) -> None:
        """Hold what is running for another lease; what has run for too long counts as failed."""
        running = tuple(self._begun.values())
        if not running:
            return
        overdue = [each for each in running if time.monotonic() - each.at > each.registered.timeout.total_seconds()]
        with self._database.session(writes=True) as session:
            set_unscoped(session)
            claims.renew(session, [each.job for each in running if each not in overdue], self._clock.now())
            commit(session)
        for each in overdue:
            self._begun.pop(each.job.id, None)
            error = TookTooLong(f"took longer than {each.registered.timeout}")
            self._blame(each.registered, error)
            self._failed(each.job, each.registered, error)

    def _run_all(self, jobs: Sequence[Claimed]) -> None:
        events = self._events(jobs)
        known: dict[tuple[int | None, str], bool] = {}
        for place, job in enumerate(jobs):
            if self._stopping.is_set():
                self._give_back(jobs[place:])
                return
            self._run(job, events.get(job.event_id or 0), known)

    def _give_back(self, jobs: Sequence[Claimed]) -> None:
        with self._settling() as session:
            claims.give_back(session, jobs, self._clock.now())

    def _events(self, jobs: Sequence[Claimed]) -> dict[int, Happened]:
        keys = {job.event_id for job in jobs if job.event_id is not None}
        if not keys:
            return {}
        with self._database.session(writes=False) as session:
            set_unscoped(session)
            found = session.scalars(select(OutboxEvent).where(OutboxEvent.id.in_(keys)))
            return {row.id: happened(row) for row in found}

    def _run(self, job: Claimed, cause: Happened | None, known: dict[tuple[int | None, str], bool]) -> None:
        """Run one job; whatever comes of it is recorded, and nothing is raised.

        Args:
            job: which one.
            cause: the event to deliver, or because of which it was enqueued.
            known: which plugins are on, as far as the jobs before have asked.
        """
        registered = self._registry.by_name.get(job.name)
        try:
            if registered is None:
                with self._settling() as session:
                    claims.park(session, job)
            elif not self._is_on(job, registered, known):
                self._skip(job, registered)
            elif outage := self._tenants.outages.get(registered.plugin):
                self._wait_for_end(job, outage)
            elif job.begun > CRASHES:
                with self._settling() as session:
                    claims.bury(session, job, f"was begun {job.begun} times and never ended")
            else:
                self._try(job, registered, cause)
        except LeaseLost:
            log.warning("a job was taken over while it ran", extra={"job": job.name, "job_id": job.id})
        except SQLAlchemyError:  # its lease will end
            log.exception("a job could not be settled", extra={"job": job.name, "job_id": job.id})

    def _is_on(self, job: Claimed, registered: Registered, known: dict[tuple[int | None, str], bool]) -> bool:
        if job.organization_id is None:
            return True
        key = (job.organization_id, registered.plugin)
        if key not in known:
            with self._database.session(writes=False) as session:
                set_organization(session, job.organization_id)
                known[key] = self._tenants.enabled(session, registered.plugin)
        return known[key]

    def _skip(self, job: Claimed, registered: Registered) -> None:
        """A delivery ends where its plugin is off; a job, which was promised, waits."""
        with self._settling() as session:
            if isinstance(registered.what, Handler):
                claims.finish(session, job)
            else:
                reason = f"plugin {registered.plugin} is switched off"
                claims.postpone(session, job, self._clock.now() + SWITCHED_OFF, reason, counts=False)

    def _wait_for_end(self, job: Claimed, outage: Outage) -> None:
        """Put off what a plugin has to do that does not run at present; that is no failure of the job."""
        with self._settling() as session:
            at = outage.until or self._clock.now() + OUTAGE
            claims.postpone(session, job, at, f"the plugin is {outage.state}: {outage.reason}", counts=False)

    def _try(self, job: Claimed, registered: Registered, cause: Happened | None) -> None:
        self._begun[job.id] = begun = _Begun(job, registered, time.monotonic())
        work = Work(self._database, self._bus, job, cause)
        try:
            with (
                self._tracing.job(registered.plugin, job.name, cause),
                self.watchdog.watched(registered.plugin, registered.phase, registered.timeout.total_seconds()),
            ):
                if isinstance(registered.what, Handler):
                    self._handle(registered.what, work, job, cause)
                    outcome = "done"
                else:
                    outcome = self._do(registered.what, work, job, cause)
            self._health.succeeded(registered.plugin)
            self.ran(registered, time.monotonic() - begun.at, outcome)
        except LeaseLost:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin's failure is recorded and tried again
            work.close()
            self.ran(registered, time.monotonic() - begun.at, "failed")
            self._blame(registered, error)
            self._failed(job, registered, error)
        finally:
            work.close()
            self._begun.pop(job.id, None)

    def _blame(self, registered: Registered, error: BaseException) -> None:
        if not is_nobodys_fault(error):
            self._health.failed(registered.plugin, registered.phase, error)

    def _handle(self, handler: Handler, work: Work, job: Claimed, cause: Happened | None) -> None:
        if cause is None:
            raise UnknownEvent(f"event {job.event_id} is gone")
        context = HandlerContext(cause, self._clock.now(), self._extra, work.open)
        handler.function(context, self._read(handler, cause))
        if context.afterwards:
            claims.hold(work.open(), job, self._clock.now())  # or somebody else does all of this as well
            work.commit()  # acts outside see what is committed; until they have succeeded the delivery is not done
            for act in context.afterwards:
                act()
        claims.finish(work.open(), job)
        work.commit()

    def _read(self, handler: Handler, cause: Happened) -> Event:
        if handler.event is not Event:
            return handler.event.read(cause.payload, cause.version)
        found = self._extra[EventCatalogue].read(cause)
        if found is None:
            raise UnknownEvent(f"nobody knows {cause.type}")
        return found  # type: ignore[no-any-return]

    def _do(self, what: Job, work: Work, job: Claimed, cause: Happened | None) -> str:
        context = JobContext(
            job.organization_id,
            self._clock.now(),
            job.failures + 1,
            cause,
            self._extra,
            _open=work.open,
            _read=work.read,
            _apart=work.apart,
        )
        what.function(context, **orjson.loads(job.arguments or "{}"))
        session = work.open()
        match context.verdict:
            case None:
                claims.finish(session, job)
            case Again(at, reason):
                claims.postpone(session, job, at, reason)
            case GivenUp(reason):
                claims.bury(session, job, reason)
        work.commit()
        if isinstance(context.verdict, Again):
            self._later(context.verdict.at - self._clock.now())
        return _OUTCOMES[type(context.verdict)]

    def _failed(self, job: Claimed, registered: Registered, error: BaseException) -> None:
        """Have the job tried again, later each time, or leave it among the dead."""
        reason = f"{type(error).__name__}: {error}"[:2000]
        wait = registered.retries.after(job.failures + 1)
        told = {"job": job.name, "job_id": job.id, "event_id": job.event_id, "error": reason}
        with self._settling() as session:
            if wait is None:
                claims.bury(session, job, reason)
                log.error("a job is dead", exc_info=error, extra=told)
            else:
                claims.postpone(session, job, self._clock.now() + wait, reason)
                log.warning("a job failed", exc_info=error, extra=told)
        if wait is not None:
            self._later(wait)

    @contextmanager
    def _settling(self) -> Iterator[Session]:
        with self._database.session(writes=True) as session:
            set_unscoped(session)
            yield session
            commit(session)
