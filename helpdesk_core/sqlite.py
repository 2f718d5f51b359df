"""What SQLite needs: settings of each connection, and a lock that lets the writers of this process queue fairly."""

import threading
import time
from typing import Any, Literal

from sqlalchemy import Connection, Engine, event

from helpdesk_core.errors import Unavailable

SqliteSynchronous = Literal["FULL", "NORMAL"]


def prepare_sqlite(engine: Engine, synchronous: SqliteSynchronous) -> "WriterLock":
    """Set every connection up, and make transactions begin as what they are: reading or writing; return the lock."""
    pragmas = (
        "PRAGMA journal_mode=WAL",
        f"PRAGMA synchronous={synchronous}",
        "PRAGMA busy_timeout=5000",
        "PRAGMA foreign_keys=ON",
        "PRAGMA cache_size=-32768",
        "PRAGMA mmap_size=1073741824",
        "PRAGMA temp_store=MEMORY",
        "PRAGMA wal_autocheckpoint=4000",  # pages; hot index pages are copied back once instead of four times
    )
    lock = WriterLock()

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        for pragma in pragmas:
            connection.execute(pragma)

    event.listen(engine, "begin", lock.begin)
    event.listen(engine, "commit", lock.commit)
    event.listen(engine, "rollback", lock.rollback)
    return lock


class WriterLock:
    """Lets the writers of this process queue fairly instead of polling SQLite's lock.

    A deferred transaction that reads and then writes fails at once when another writer was faster, whatever
    the time-out (measured: 77 % of requests at 16 connections), hence `BEGIN IMMEDIATE`.
    """

    wait_seconds = 30.0

    def __init__(self) -> None:
        """Begin with nobody writing."""
        self._lock = threading.Lock()
        self.waits, self.waited = 0, 0.0

    def begin(self, connection: Connection) -> None:
        """Begin a transaction as what it is; one that writes waits for its turn."""
        if not connection.get_execution_options().get("writes"):
            driver: Any = connection.connection.driver_connection
            driver.execute("BEGIN")  # past SQLAlchemy, which takes 30 us for it
            return
        asked = time.perf_counter()
        if not self._lock.acquire(timeout=self.wait_seconds):
            raise Unavailable("The database is busy. Try again shortly.")
        self.waits, self.waited = self.waits + 1, self.waited + time.perf_counter() - asked
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except BaseException:
            self._lock.release()
            raise
        connection.info["holds_writer_lock"] = True

    def commit(self, connection: Connection) -> None:
        """Commit, and let the next writer in."""
        # SQLAlchemy announces a commit before doing it; done here, the lock outlives the transaction.
        connection.connection.commit()
        self.release(connection)

    def rollback(self, connection: Connection) -> None:
        """Roll back, and let the next writer in."""
        connection.connection.rollback()
        self.release(connection)

    def release(self, connection: Connection) -> None:
        """Let the next writer in, if it is this one's turn that ends."""
        if connection.info.pop("holds_writer_lock", False):
            self._lock.release()
