"""Counters in an SQLite file of their own, for installations on one machine.

One statement for each request, 25 us for two counters: what they say is handed to a function on the way, because
reading it back with RETURNING would take a third longer. It is never the main database: there a reader would have to
wait for the writer. Nothing is forced to the disk; what a power failure destroys is counted again from nothing.
"""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TypeVar

from helpdesk_core.limits.buckets import Charge, Standing
from helpdesk_core.limits.stores import PATIENCE_SECONDS, Counts, StoreUnavailable

T = TypeVar("T")

MEMORY = Path(":memory:")
"""Instead of a file: counters of this process alone."""
BATCH = 1_000

# A counter that would go beyond its limit breaks the check, and with it the whole statement: all charges or none.
_SETTING_UP = """
PRAGMA page_size = 1024;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS counter (
    key TEXT PRIMARY KEY, used INTEGER NOT NULL, reset_at INTEGER NOT NULL, most INTEGER NOT NULL, CHECK (used <= most)
) WITHOUT ROWID;
"""
_SPEND = """
INSERT INTO counter (key, used, reset_at, most) VALUES {rows}
ON CONFLICT (key) DO UPDATE SET
    used = counted(key, CASE WHEN reset_at <= {now} THEN excluded.used ELSE used + {units} END,
        CASE WHEN reset_at <= {now} THEN excluded.reset_at ELSE reset_at END),
    reset_at = CASE WHEN reset_at <= {now} THEN excluded.reset_at ELSE reset_at END,
    most = excluded.most
"""
_LOOK = "SELECT key, used, reset_at FROM counter WHERE reset_at > ? AND key IN ({keys})"
_GIVE_BACK = "UPDATE counter SET used = max(used - ?, 0) WHERE key = ? AND reset_at = ?"
_EXPIRED = "SELECT key FROM counter WHERE reset_at <= ? LIMIT ?"
_FORGET = "DELETE FROM counter WHERE key = ? AND reset_at <= ?"


class SqliteStore:
    """Counters in a file that the processes of one machine share, or in the memory of this one."""

    def __init__(self, path: Path) -> None:
        """Remember the file; it is opened, and made, with the first request."""
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._spending: dict[int, str] = {}
        self._counted: dict[str, tuple[int, int]] = {}

    def spend(self, charges: Sequence[Charge], now: int, units: int = 1) -> tuple[bool, Counts]:
        """Take every charge `units` times, or none."""
        parameters: list[str | int] = []
        for key, begins, reset_at, most, *_ in charges:
            parameters += key, begins + units - 1, reset_at, most
        parameters += now, units
        try:
            return True, self._do(self._spend, charges, parameters)
        except sqlite3.IntegrityError:
            return False, self.look(charges, now)

    def look(self, charges: Sequence[Charge], now: int) -> Counts:
        """Return how the counters stand."""
        sql = _LOOK.format(keys=", ".join("?" * len(charges)))
        parameters = (now, *(charge.key for charge in charges))
        rows = self._do(_fetch, sql, parameters)
        found = {key: (used, reset_at) for key, used, reset_at in rows}
        return [found.get(charge.key) or (charge.begins - 1, charge.reset_at) for charge in charges]

    def give_back(self, standings: Sequence[Standing], units: int = 1) -> None:
        """Undo `spend`."""
        rows = [(units, standing.charge.key, standing.reset_at) for standing in standings]
        self._do(sqlite3.Connection.executemany, _GIVE_BACK, rows)

    def clean(self, now: int) -> None:
        """Forget windows that are over, over a connection of its own: finding them may take longer than a request."""
        if self._path == MEMORY:
            self._do(_forget, now)
            return
        if self._path.exists():
            try:
                with closing(sqlite3.connect(self._path, timeout=PATIENCE_SECONDS, isolation_level=None)) as connection:
                    _forget(connection, now)
            except sqlite3.Error as error:
                raise StoreUnavailable(str(error)) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._let_go()

    def _spend(self, connection: sqlite3.Connection, charges: Sequence[Charge], parameters: list[str | int]) -> Counts:
        """Run the statement; counters that it has made are not told, they say what was sent."""
        counted = self._counted
        counted.clear()
        connection.execute(self._spending.get(len(charges)) or self._spend_of(len(charges)), parameters)
        return [
            counted.get(charge.key) or (parameters[4 * place + 1], charge.reset_at)  # type: ignore[misc]
            for place, charge in enumerate(charges)
        ]

    def _note(self, key: str, used: int, reset_at: int) -> int:
        self._counted[key] = (used, reset_at)
        return used

    def _spend_of(self, number: int) -> str:
        places = iter(range(1, 4 * number + 1))
        rows = ", ".join(f"(?{a}, ?{b}, ?{c}, ?{d})" for a, b, c, d in zip(places, places, places, places, strict=True))
        sql = _SPEND.format(rows=rows, now=f"?{4 * number + 1}", units=f"?{4 * number + 2}")
        self._spending[number] = sql
        return sql

    def _do(self, act: Callable[..., T], *arguments: Any) -> T:
        """Call `act` with the connection and `arguments`, alone."""
        if not self._lock.acquire(timeout=PATIENCE_SECONDS):
            raise StoreUnavailable("another thread holds it")
        try:
            return act(self._connection or self._open(), *arguments)
        except sqlite3.IntegrityError:
            raise  # a full counter
        except (sqlite3.Error, OSError) as error:
            if not isinstance(error, sqlite3.OperationalError):
                self._discard()
            raise StoreUnavailable(str(error)) from error
        finally:
            self._lock.release()

    def _open(self) -> sqlite3.Connection:
        if self._path != MEMORY:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self._path, timeout=PATIENCE_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            connection.executescript(_SETTING_UP)
            connection.create_function("counted", 3, self._note)
            self._inode = 0 if self._path == MEMORY else self._path.stat().st_ino
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _discard(self) -> None:
        """Remove a damaged file, unless another process has done so already; the next request makes a new one."""
        self._let_go()
        with suppress(OSError):
            if self._inode in {0, self._path.stat().st_ino}:
                for suffix in ("", "-wal", "-shm"):
                    Path(f"{self._path}{suffix}").unlink(missing_ok=True)


def _fetch(connection: sqlite3.Connection, sql: str, parameters: Sequence[Any]) -> list[Any]:
    return connection.execute(sql, parameters).fetchall()


def _forget(connection: sqlite3.Connection, now: int) -> None:
    while keys := connection.execute(_EXPIRED, (now, BATCH)).fetchall():
        connection.execute("BEGIN")
        connection.executemany(_FORGET, [(*key, now) for key in keys])
        connection.execute("COMMIT")
