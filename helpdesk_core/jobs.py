"""Event delivery: handlers run after the commit, each in its own session and transaction.

The outbox row is the record of what must happen; the thread here is only what makes it happen soon. A failed
delivery is tried again later; an event is done when all its handlers are.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from helpdesk_core.clock import Clock
from helpdesk_core.database import Database, commit
from helpdesk_core.errors import HelpdeskError
from helpdesk_core.events import Bus, Handler, HandlerContext, OutboxEvent, attribute_session
from helpdesk_core.keys import Seals
from helpdesk_core.plugins import PluginHost
from helpdesk_core.tenancy import set_organization, set_unscoped

log = logging.getLogger("helpdesk.jobs")

SWEEP_SECONDS = 5.0
BATCH = 50
RETRIES = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))


Plan = Callable[[Session], tuple[str, frozenset[str]]]


class Delivery:
    """Delivers published events to the handlers of plugins."""

    def __init__(
        self,
        database: Database,
        host: PluginHost,
        clock: Clock,
        plan: Plan,
        *,
        seals: Seals,
        extra: Mapping[type, Any],
        upkeep: Sequence[Callable[[], None]] = (),
    ) -> None:
        """Prepare; `start` begins.

        Args:
            database: where the outbox is.
            host: knows the handlers.
            clock: tells what is due.
            plan: returns the tier and the switched-off plugins of a session's organisation.
            seals: seal the audit log.
            extra: what handlers get by its type.
            upkeep: small chores that the same thread does between deliveries; the list may still grow.
        """
        self._database = database
        self._host = host
        self._clock = clock
        self._plan = plan
        self._extra = extra
        self._upkeep = upkeep
        self._awake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self.bus = Bus(clock, frozenset(host.handlers), self._awake.set, seals)

    def start(self) -> None:
        """Begin to deliver in a thread of this process, when there is anything to do at all."""
        if self._host.handlers or self._upkeep:
            self._thread = threading.Thread(target=self._loop, name="delivery", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Finish the event at hand and stop."""
        self._stopping = True
        self._awake.set()
        if self._thread is not None:
            self._thread.join()
            self.keep_up()

    def deliver_due(self) -> int:
        """Deliver what is due now; return how many events were tried."""
        with self._database.session(writes=False) as session:
            set_unscoped(session)
            now = self._clock.now()
            due = select(OutboxEvent.id).where(OutboxEvent.due_at <= now).order_by(OutboxEvent.id).limit(BATCH)
            keys = session.scalars(due).all()
        for key in keys:
            self._deliver(key)
        return len(keys)

    def keep_up(self) -> None:
        """Do every chore once; one that fails is logged and tried again next time."""
        for chore in self._upkeep:
            try:
                chore()
            except (SQLAlchemyError, HelpdeskError):
                log.exception("upkeep failed")

    def _loop(self) -> None:
        while not self._stopping:
            self._awake.clear()
            self.keep_up()
            try:
                busy = self.deliver_due() == BATCH
            except SQLAlchemyError:
                log.exception("delivery failed")
                busy = False
            if not busy:
                self._awake.wait(SWEEP_SECONDS)

    def _deliver(self, key: int) -> None:
        with self._database.session(writes=False) as session:
            set_unscoped(session)
            row = session.get_one(OutboxEvent, key)
        try:
            for plugin, handler in self._host.handlers.get(row.type, ()):
                self._handle(row, plugin.id, handler)
        except Exception as error:  # noqa: BLE001 - a plugin's failure is recorded and tried again
            log.warning("handler failed", extra={"event": row.type, "event_id": key, "error": str(error)})
            self._settle(row, error)
        else:
            self._settle(row, None)

    def _handle(self, row: OutboxEvent, plugin: str, handler: Handler) -> None:
        with self._database.session(writes=True) as session:
            set_organization(session, row.organization_id)
            attribute_session(session, self.bus, None)
            if not self._enabled(session, plugin):
                return
            event = handler.event.model_validate_json(row.payload)
            context = HandlerContext(session, row.id, row.actor_id, self._clock.now(), self._extra)
            handler.function(context, event)
            commit(session)
        for act in context.afterwards:
            act()

    def _enabled(self, session: Session, plugin: str) -> bool:
        manifest = next((each.manifest for each in self._host.active if each.id == plugin), None)
        if manifest is None or manifest.scope == "system":
            return True
        tier, disabled = self._plan(session)
        return self._host.gate.closed_for(manifest, tier, disabled) is None

    def _settle(self, row: OutboxEvent, error: Exception | None) -> None:
        """Mark the event done, or due again later; after the last try it stays, with its error."""
        retry = None
        if error is not None and row.attempts < len(RETRIES):
            retry = self._clock.now() + RETRIES[row.attempts]
        with self._database.session(writes=True) as session:
            set_unscoped(session)
            session.execute(
                update(OutboxEvent)
                .where(OutboxEvent.id == row.id)
                .values(due_at=retry, attempts=row.attempts + 1, last_error=str(error) if error else None)
            )
            commit(session)
