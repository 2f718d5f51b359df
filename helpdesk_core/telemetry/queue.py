"""How long the queue is: asked of the database, which is the same for all processes, and not at every question."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, literal, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from helpdesk_core.clock import Clock
from helpdesk_core.database import Database
from helpdesk_core.errors import HelpdeskError
from helpdesk_core.events import OutboxEvent
from helpdesk_core.jobs.queue import DEAD, PARKED, StoredJob
from helpdesk_core.telemetry import families
from helpdesk_core.telemetry.metrics import Metrics
from helpdesk_core.tenancy import set_unscoped

log = logging.getLogger("helpdesk.telemetry")

KEPT_SECONDS = 5.0
DEAD_KEPT_SECONDS = 60.0
"""No index leads to the dead: they are looked for among everything that is stored."""

PATIENCE_SECONDS = 2.0
"""How long an answer waits for the database; without it, it tells the rest."""

MOST = 100_000
LANES = {False: "quick", True: "slow"}

Figures = dict[tuple[Any, ...], float]
"""By metric and labels."""


class QueueFigures:
    """Asks the database, in a thread of its own: one that does not answer holds nobody up."""

    def __init__(self, database: Database, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Ask nothing yet."""
        self._database = database
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None
        self._asked_at = self._dead_asked_at = -DEAD_KEPT_SECONDS
        self._figures: Figures = {}
        self._dead: Figures = {}
        self._up = False

    def tell(self, metrics: Metrics) -> None:
        """Put the figures where they are counted, as they are now or were a few seconds ago."""
        with self._lock:
            if self._asking is None and self._monotonic() - self._asked_at >= KEPT_SECONDS:
                self._asking = threading.Thread(target=self._ask, name="queue figures", daemon=True)
                self._asking.start()
            asking = self._asking
        if asking is not None:
            asking.join(PATIENCE_SECONDS)
        answered = asking is None or not asking.is_alive()
        metrics.put(families.DATABASE_UP, self._up and answered)
        for (metric, *labels), value in {**self._figures, **self._dead}.items():
            metrics.put(metric, value, *labels)

    def _ask(self) -> None:
        try:
            with self._database.session(writes=False) as session:
                set_unscoped(session)
                now = self._clock.now()
                self._figures = {**waiting_jobs(session, now), **waiting_events(session, now)}
                if self._monotonic() - self._dead_asked_at >= DEAD_KEPT_SECONDS:
                    self._dead = dead_jobs(session)
                    self._dead_asked_at = self._monotonic()
            self._up = True
        except (SQLAlchemyError, HelpdeskError) as error:
            self._up = False
            log.warning("the queue cannot be counted", extra={"error": str(error)})
        finally:
            self._asked_at = self._monotonic()
            self._asking = None


def waiting_jobs(session: Session, now: datetime) -> Figures:
    """Return how many jobs wait and run, and for how long the first has waited that could run."""
    figures: Figures = {(families.JOBS, lane, state): 0 for lane in LANES.values() for state in _WAITING}
    figures |= {(families.JOBS_OLDEST, lane): 0 for lane in LANES.values()}
    state = case(
        (StoredJob.due_at <= now, "ready"), (StoredJob.held_by.is_not(None), "running"), else_="delayed"
    ).label("state")
    rows = select(StoredJob.slow, state, StoredJob.due_at).where(StoredJob.due_at.is_not(None)).limit(MOST).subquery()
    counted = select(rows.c.slow, rows.c.state, func.count(), func.min(rows.c.due_at)).group_by(
        rows.c.slow, rows.c.state
    )
    for slow, found, number, first in session.execute(counted):
        figures[families.JOBS, LANES[slow], found] = number
        if found == "ready":
            figures[families.JOBS_OLDEST, LANES[slow]] = (now - first).total_seconds()
    return figures


_WAITING = ("ready", "running", "delayed")


def waiting_events(session: Session, now: datetime) -> Figures:
    """Return how many events have no deliveries yet, and how long ago the oldest happened."""
    due = select(literal(1)).select_from(OutboxEvent).where(OutboxEvent.due_at.is_not(None)).limit(MOST).subquery()
    first = session.scalar(select(func.min(OutboxEvent.due_at)).where(OutboxEvent.due_at.is_not(None)))
    return {
        (families.EVENTS,): session.scalar(select(func.count()).select_from(due)) or 0,
        (families.EVENTS_OLDEST,): (now - first).total_seconds() if first else 0,
    }


def dead_jobs(session: Session) -> Figures:
    """Return how many jobs are dead or parked."""
    figures: Figures = {(families.JOBS, lane, state): 0 for lane in LANES.values() for state in (DEAD, PARKED)}
    ended = select(StoredJob.slow, StoredJob.state, func.count()).where(StoredJob.due_at.is_(None))
    for slow, state, number in session.execute(ended.group_by(StoredJob.slow, StoredJob.state)):
        if state in {DEAD, PARKED}:
            figures[families.JOBS, LANES[slow], state] = number
    return figures
