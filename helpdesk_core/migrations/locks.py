"""Locks of PostgreSQL: a short wait, another try, and who is in the way.

A change of a table waits for whoever reads it, and everybody else waits behind the change. So it waits for half a
second, gives way, and tries again.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from helpdesk_core.lineages import MigrationFailed
from helpdesk_core.migrations.patience import Patience
from helpdesk_core.row_security import see_everyone

T = TypeVar("T")

_TURN = 0x48656C70  # any number, the same for every process
_LOCK_NOT_AVAILABLE, _DEADLOCK = "55P03", "40P01"
_LOOK_AFTER = 0.4
_LEAVES_IN = 0.2
"""Seconds that an autovacuum needs to go, once it was told to."""
_NAMED = 3
# Only an autovacuum has a database and no user; its kind is hidden from ordinary roles.
_HOLDERS = """
SELECT pid, usename, application_name, state, left(regexp_replace(query, '\\s+', ' ', 'g'), 80),
    extract(epoch FROM clock_timestamp() - coalesce(xact_start, query_start, backend_start))::int,
    datid IS NOT NULL AND usesysid IS NULL
FROM pg_stat_activity WHERE pid IN ({pids}) ORDER BY coalesce(xact_start, query_start, backend_start), pid
"""
_BLOCKING = text(_HOLDERS.format(pids="SELECT unnest(pg_blocking_pids(:pid))"))
_MIGRATING = text(
    _HOLDERS.format(
        pids="SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = :turn"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
)
_DEADLOCK_TIMEOUT = text("SELECT setting::float / 1000 FROM pg_settings WHERE name = 'deadlock_timeout'")


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who holds what a migration waits for."""

    pid: int
    user: str | None
    application: str | None
    state: str | None
    query: str | None
    seconds: int | None
    is_autovacuum: bool = False

    def __str__(self) -> str:
        """Return what an operator needs in order to act."""
        if self.is_autovacuum:
            return f"process {self.pid} (autovacuum)"
        who = f"{self.application or 'no name'}, user {self.user}"
        return f"process {self.pid} ({who}, {self.state}, since {self.seconds} s): {self.query}"


def named(holders: list[Holder]) -> str:
    """Return who holds something, those that have done so for longest."""
    more = len(holders) - _NAMED
    return "; ".join(map(str, holders[:_NAMED])) + (f"; and {more} more" if more > 0 else "")


class AnotherIsMigrating(Exception):
    """Another migration runs on this database."""

    def __init__(self, holders: list[Holder]) -> None:
        """Keep who it is."""
        super().__init__("another migration is running on this database")
        self.holders = holders


class Watch:
    """Looks who is in the way of a connection for as long as the block lasts; on SQLite it does nothing."""

    def __init__(self, engine: Engine, connection: Connection, *, after: float, seen: Callable[[list[Holder]], None]):
        """Prepare to look, with a connection of its own.

        Args:
            engine: makes the connection.
            connection: what may wait.
            after: seconds until each look.
            seen: is given who is in the way, as often as it changes.
        """
        self._engine = engine
        self._pid = connection.execute(text("SELECT pg_backend_pid()")).scalar() if _is_server(connection) else None
        self._after = after
        self._seen = seen
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="lock watch", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        if self._pid is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        self._ended.set()
        if self._pid is not None:
            self._thread.join()

    def _look(self) -> None:
        known = list[int]()
        while not self._ended.wait(self._after):
            with suppress(SQLAlchemyError), self._engine.connect() as connection:
                found = [Holder(*row) for row in connection.execute(_BLOCKING, {"pid": self._pid})]
                if found and [each.pid for each in found] != known:
                    known = [each.pid for each in found]
                    self._seen(found)


@dataclass(slots=True)
class Try:
    """One try to have locks.

    Attributes:
        outlasts_autovacuum: whether it waits until PostgreSQL has sent an autovacuum away.
        holders: who was in the way when somebody looked last.
    """

    outlasts_autovacuum: bool = False
    holders: list[Holder] = field(default_factory=list)

    def saw(self, holders: list[Holder]) -> None:
        """Note who is in the way."""
        self.holders = holders

    def next(self) -> "Try":
        """Return the try after this one, which failed; an autovacuum that a longer one was no use against stays."""
        only_autovacuum = bool(self.holders) and all(each.is_autovacuum for each in self.holders)
        return Try(only_autovacuum and not self.outlasts_autovacuum)


def retried(what: str, patience: Patience, attempt: Callable[[Try], T]) -> T:
    """Call `attempt` again until it could have its locks.

    Args:
        what: changes, for the operator.
        patience: how often, and whom to tell.
        attempt: does everything or nothing, and notes who is in the way.

    Raises:
        MigrationFailed: the locks could not be had; it names who held them.
    """
    pauses, now = patience.pauses(), Try()
    while True:
        try:
            return attempt(now)
        except (AnotherIsMigrating, DBAPIError) as error:
            if not _is_lock(error):
                raise
            told = _told(error, now.holders)
            pause = next(pauses, None)
        if pause is None:
            raise MigrationFailed(f"{told}; given up after {patience.seconds:g} s")
        patience.tell(f"{what}: {told}; tries again in {pause[0]:.1f} s, gives up in {sum(pause):.0f} s")
        patience.sleep(pause[0])
        now = now.next()


def in_transaction(engine: Engine, patience: Patience, act: Callable[[Connection], T], now: Try) -> T:
    """Call `act` in a transaction that waits for locks only shortly, and that no other migrator is beside."""
    with engine.begin() as connection:
        if not _is_server(connection):
            return act(connection)
        longer = _until_autovacuum_left(connection) if now.outlasts_autovacuum else 0
        wait_shortly(connection, max(patience.lock_seconds, longer))
        take_turn(connection)
        see_everyone(connection)
        with Watch(engine, connection, after=patience.lock_seconds * _LOOK_AFTER, seen=now.saw):
            return act(connection)


@contextmanager
def turn(engine: Engine) -> Iterator[None]:
    """Keep other migrators away during what has no transaction.

    The lock is that of an open transaction of a connection of its own, so that a pool of connections in between keeps
    both together. It holds no snapshot: an index that is made concurrently does not wait for it.
    """
    if engine.dialect.name != "postgresql":
        yield
        return
    with engine.begin() as connection:
        take_turn(connection)
        # After the lock, because it also closes what the SELECT before it has open: its snapshot would be waited for.
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield


def take_turn(connection: Connection) -> None:
    """Have other migrators wait until the transaction ends.

    Raises:
        AnotherIsMigrating: somebody else has the turn. It is not waited for in the database: a statement that waits
            keeps indexes from being finished that are made concurrently.
    """
    if not connection.execute(text("SELECT pg_try_advisory_xact_lock(:turn)"), {"turn": _TURN}).scalar():
        raise AnotherIsMigrating([Holder(*row) for row in connection.execute(_MIGRATING, {"turn": _TURN})])


def wait_shortly(connection: Connection, seconds: float) -> None:
    """Bound how long the transaction waits for a lock, and nothing else: filling a column may take its time."""
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{max(1, round(seconds * 1000))}ms'")
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")


def _until_autovacuum_left(connection: Connection) -> float:
    """Return for how many seconds a lock must be waited for that an autovacuum holds.

    It goes when somebody waits, but is not told before PostgreSQL looks for deadlocks.
    """
    return float(connection.execute(_DEADLOCK_TIMEOUT).scalar_one()) + _LEAVES_IN


def _is_lock(error: Exception) -> bool:
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return isinstance(error, AnotherIsMigrating) or state in {_LOCK_NOT_AVAILABLE, _DEADLOCK}


def _told(error: Exception, holders: list[Holder]) -> str:
    if isinstance(error, AnotherIsMigrating):
        told, holders = str(error), error.holders
    else:
        told = "waits for a lock"
    return f"{told}, held by {named(holders)}" if holders else told


def _is_server(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"
