"""How the plugins of an installation fare: what fails is counted and named, and what fails too often pauses.

What a process sees is in memory, so that a request costs one look into a dictionary. Every few seconds `refresh` writes
it down and reads what other processes have seen.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from traceback import extract_tb
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from helpdesk_core.clock import Clock
from helpdesk_core.database import Database, commit, is_away
from helpdesk_core.errors import HelpdeskError
from helpdesk_core.plugins.breaker import Breaker
from helpdesk_core.plugins.discovery import BUILT_IN
from helpdesk_core.plugins.host import PluginHost
from helpdesk_core.plugins.models import PluginFault, PluginSuspension
from helpdesk_core.plugins.outages import Outage, suspension
from helpdesk_core.plugins.states import Phase, State
from helpdesk_core.settings import Settings
from helpdesk_core.statements import upsert
from helpdesk_core.tenancy import set_unscoped

log = logging.getLogger("helpdesk.plugins")

MIGRATIONS_LOOKED_AT = timedelta(minutes=1)
"""How often a process sees whether somebody has changed the schema; every few seconds while migrations are due."""

FAULTS_KEPT = timedelta(days=7)


_NOBODYS_FAULT = (HelpdeskError, IntegrityError, DataError)
"""What no plugin is blamed for: refusals, and conflicts with what others wrote."""


def is_nobodys_fault(error: BaseException) -> bool:
    """Tell whether no plugin is to blame: for refusals, conflicts with others, a database that does not answer."""
    return isinstance(error, _NOBODYS_FAULT) or is_away(error)


class Hung(Exception):
    """Code of a plugin did not come to an end in time; one such failure is enough to pause."""


@dataclass(slots=True)
class Fault:
    """How often a plugin failed in a phase, and at what last.

    Attributes:
        phase: what it was doing, one of `Phase`.
        times: how often.
        reason: the kind of the last error, and where it was raised: `KeyError at routes.py:12`.
        last_at: when that was.
    """

    phase: str
    times: int
    reason: str
    last_at: datetime


class PluginHealth:
    """Keeps count for one process."""

    def __init__(
        self,
        host: PluginHost,
        database: Database,
        clock: Clock,
        *,
        behind: Callable[[], Mapping[str, str]] = dict,
        settings: Settings | None = None,
    ) -> None:
        """Begin with everything well.

        Args:
            host: whose `outages` this keeps.
            database: where processes tell each other.
            clock: tells the time.
            behind: returns the ids of plugins that cannot run on the database as it is, each with the reason.
            settings: say how often a plugin may fail, and how long it may take to start.
        """
        settings = settings or Settings()
        self.start_seconds = settings.plugin_start_seconds
        self._host = host
        self._database = database
        self._clock = clock
        self._behind = behind
        self._lock = threading.Lock()
        able = [each for each in host.active if each.id not in BUILT_IN]
        self._breakers = {
            each.id: Breaker(settings.suspend_after) for each in able if each.manifest and not each.manifest.essential
        }
        self._suspended: dict[str, Outage] = {}
        self._unmigrated: dict[str, Outage] = {}
        self._looked_at: datetime | None = None
        host.outages.clear()
        self._unwritten: dict[tuple[str, str], Fault] = {}
        self._new: dict[str, Outage] = {}
        self._broken: dict[str, Outage] = {}
        self.failures: Counter[tuple[str, str]] = Counter()

    def succeeded(self, plugin: str) -> None:
        """Count a call that went well."""
        breaker = self._breakers.get(plugin)
        if breaker is not None:
            breaker.calls += 1

    def failed(self, plugin: str, phase: str, error: BaseException) -> None:
        """Count a failure of a plugin, once however many have part in it; too many make the plugin pause."""
        if getattr(error, "blamed_plugin", None) is not None:
            return
        error.blamed_plugin = plugin  # type: ignore[attr-defined]
        now, reason = self._clock.now(), placed(error)
        with self._lock:
            self.failures[plugin, phase] += 1
            fault = self._unwritten.setdefault((plugin, phase), Fault(phase, 0, reason, now))
            fault.times, fault.reason, fault.last_at = fault.times + 1, reason, now
            breaker = self._breakers.get(plugin)
            tripped = breaker is not None and plugin not in self._suspended and breaker.failed(now)
            hung = isinstance(error, Hung) and breaker is not None and breaker.most > 0
            if breaker is not None and (tripped or hung):
                self._suspend(plugin, phase, reason, breaker.trip(now))

    def is_out(self, plugin: str) -> bool:
        """Tell whether a plugin answers nobody at present."""
        return plugin in self._host.outages

    def broke(self, plugin: str, phase: str, error: BaseException) -> None:
        """Take a plugin out for as long as the process lives: a part of it that is made at start could not be made.

        Raises:
            BaseException: the error, if the plugin is one that the process cannot do without.
        """
        if plugin not in self._breakers:
            raise error
        outage = Outage(State.FAILED, f"{type(error).__name__}: {error}", phase)
        log.error("plugin failed", exc_info=error, extra={"plugin": plugin, "phase": phase})
        with self._lock:
            self._broken[plugin] = outage
            self._tell()

    def _suspend(self, plugin: str, phase: str, reason: str, until: datetime) -> None:
        self._suspended[plugin] = self._new[plugin] = suspension(phase, reason, until)
        self._tell()
        log.error("plugin suspended", extra={"plugin": plugin, "phase": phase, "reason": reason, "until": str(until)})

    def _tell(self) -> None:
        """Have the gate know; the one object is changed in place, for every request looks at it."""
        found = {**self._suspended, **self._unmigrated, **self._broken}
        outages = self._host.outages
        outages.update(found)
        for plugin in outages.keys() - found.keys():
            del outages[plugin]

    def refresh(self) -> None:
        """Write down what this process has seen since, and read what others have."""
        self._write()
        with self._database.session(writes=False) as session:
            set_unscoped(session)
            suspended = suspensions(session, self._clock.now())
        with self._lock:
            self._suspended = {**suspended, **self._new}
            self._tell()
        self.check_migrations()

    def check_migrations(self) -> None:
        """See whether the database has the newest tables of every plugin."""
        now = self._clock.now()
        rested = self._looked_at is None or now - self._looked_at >= MIGRATIONS_LOOKED_AT
        if not rested and not self._unmigrated:
            return
        self._looked_at = now
        unmigrated = unmigrated_plugins(self._host, self._behind())
        with self._lock:
            for plugin in unmigrated.keys() - self._unmigrated.keys():
                log.error("plugin needs migration", extra={"plugin": plugin, "reason": unmigrated[plugin].reason})
            self._unmigrated = unmigrated
            self._tell()

    def _write(self) -> None:
        with self._lock:
            faults, self._unwritten = self._unwritten, {}
            new, self._new = self._new, {}
        if not faults and not new:
            return
        with self._database.session(writes=True) as session:
            set_unscoped(session)
            now = self._clock.now()
            session.execute(delete(PluginFault).where(PluginFault.last_at < now - FAULTS_KEPT))
            for (plugin, phase), fault in faults.items():
                _add(session, plugin, phase, fault)
            for plugin, outage in new.items():
                _announce(session, plugin, outage)
            commit(session)


def resume(session: Session, plugin: str) -> bool:
    """End the pause of a plugin, in every process within seconds; tell whether there was one."""
    ended = session.execute(delete(PluginSuspension).where(PluginSuspension.plugin == plugin))
    return bool(ended.rowcount)  # type: ignore[attr-defined]


def suspensions(session: Session, now: datetime) -> dict[str, Outage]:
    """Return the plugins that pause in the whole installation."""
    found = session.scalars(select(PluginSuspension).where(PluginSuspension.until > now))
    return {row.plugin: suspension(row.phase, row.reason, row.until) for row in found}


def faults(session: Session) -> dict[str, list[Fault]]:
    """Return what has failed during the last week, by plugin."""
    found: dict[str, list[Fault]] = {}
    for row in session.scalars(select(PluginFault).order_by(PluginFault.plugin, PluginFault.phase)):
        found.setdefault(row.plugin, []).append(Fault(row.phase, row.times, row.reason, row.last_at))
    return found


def unmigrated_plugins(host: PluginHost, behind: Mapping[str, str]) -> dict[str, Outage]:
    """Return the plugins whose tables are not as they need them, and those that require them."""
    found: dict[str, Outage] = {}
    for plugin in host.active:
        requires = plugin.manifest.requires if plugin.manifest else ()
        waits_for = next((name for name in requires if name in found), None)
        if plugin.id in behind:
            found[plugin.id] = Outage(State.NEEDS_MIGRATION, behind[plugin.id], Phase.MIGRATION)
        elif waits_for:
            found[plugin.id] = Outage(State.BLOCKED, f"requires {waits_for}, whose migrations are due")
    return found


def placed(error: BaseException) -> str:
    """Return the kind of an error and where it was raised, without its message: that may hold what people wrote."""
    frames = extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"[:300]


def _add(session: Session, plugin: str, phase: str, fault: Fault) -> None:
    table: Any = PluginFault.__table__
    last = {"times": fault.times, "reason": fault.reason, "last_at": fault.last_at}
    insert = upsert(session.info["database"], PluginFault).values(
        plugin=plugin, phase=phase, first_at=fault.last_at, **last
    )
    added = {**last, "times": table.c.times + fault.times}
    session.execute(insert.on_conflict_do_update(index_elements=["plugin", "phase"], set_=added))


def _announce(session: Session, plugin: str, outage: Outage) -> None:
    values = {"phase": outage.phase, "reason": outage.cause, "until": outage.until}
    insert = upsert(session.info["database"], PluginSuspension).values(plugin=plugin, **values)
    session.execute(insert.on_conflict_do_update(index_elements=["plugin"], set_=values))
