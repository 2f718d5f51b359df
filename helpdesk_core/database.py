"""Engines, sessions, column types and the settings of each database.

Two databases are supported. SQLite serves one machine: write-ahead log, `BEGIN IMMEDIATE` for every
transaction that writes, and a writer lock inside the process, because SQLite's own waiting is unfair
(measured: p99 of a create falls from 935 to 55 ms). PostgreSQL serves everything else.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Integer,
    MetaData,
    SmallInteger,
    String,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.types import TypeDecorator, TypeEngine

from helpdesk_core.clock import api_time
from helpdesk_core.postgres import CONNECT_ARGUMENTS, give_way, prepare_postgres
from helpdesk_core.row_security import guard_rows
from helpdesk_core.sqlite import SqliteSynchronous, prepare_sqlite
from helpdesk_core.tenancy import guard_tenancy

if TYPE_CHECKING:
    from helpdesk_core.strands import Strand

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Shared by the core and every plugin, so that foreign keys and migrations can name each other's tables.
Each plugin still has a declarative base, hence a mapper registry, of its own: a plugin with a broken
mapper breaks no other."""


class CoreBase(DeclarativeBase):
    """Declarative base of the core's own tables, which are called `core_...`."""

    metadata = metadata


class UtcDateTime(TypeDecorator[datetime]):
    """An instant in UTC with whole seconds, as the API shows it.

    Aware in, aware out; a naive value is a mistake and refused. SQLite keeps the text of the API
    (`2024-01-31T09:30:00Z`): it sorts, compares and goes into an answer without being parsed. SQLite's own
    date type would drop the offset without a word.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose text on SQLite, `timestamptz` elsewhere."""
        return dialect.type_descriptor(String(20) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Bring an instant to UTC and whole seconds."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the database; attach a time zone")
        return api_time(value) if dialect.name == "sqlite" else value.astimezone(UTC).replace(microsecond=0)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return an aware instant in UTC."""
        if value is None:
            return None
        return datetime.fromisoformat(value) if isinstance(value, str) else value.astimezone(UTC)


class Ranked(TypeDecorator[str]):
    """A word of a fixed, ordered vocabulary (`low < medium < high`), stored as its rank.

    One small integer filters, sorts by meaning instead of by alphabet, and keeps indexes narrow.
    Append new words at the end of the vocabulary only, or migrate the ranks.
    """

    impl = SmallInteger
    cache_ok = True

    def __init__(self, *words: str) -> None:
        """Fix the vocabulary, lowest word first."""
        self.words = words
        super().__init__()

    def process_bind_param(self, value: str | None, dialect: Dialect) -> int | None:
        """Return the rank of a word."""
        return None if value is None else self.words.index(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> str | None:
        """Return the word of a rank."""
        return None if value is None else self.words[value]


BigKey = BigInteger().with_variant(Integer, "sqlite")
"""Primary keys of tables that grow without end; SQLite's rowid is 64 bits wide already."""


class Timestamped:
    """Adds `created_at` and `updated_at`, both set from the clock of the session."""

    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


POOL_SECONDS = 2.0
"""How long a thread waits for a connection. There is one for each, so it waits only where something holds several."""

AWAY = (OperationalError, InterfaceError, PoolTimeout)
"""Errors of a database that cannot be asked; see `is_away`."""


class Database:
    """One database: opens sessions, and knows which of the two kinds it is.

    Attributes:
        engine: for what only reads, and for tools.
        kind: `sqlite` or `postgresql`.
        strand: PostgreSQL only. Makes what gives way to others of its thread while it waits for the database.
        row_security: whether transactions tell the database whose rows they may see.
    """

    def __init__(
        self, url: str, *, threads: int = 4, synchronous: SqliteSynchronous = "FULL", row_security: bool = False
    ) -> None:
        """Prepare to connect to `url`; nothing is opened yet.

        Args:
            url: SQLAlchemy URL, `sqlite:///helpdesk.db` or `postgresql://user@host/name`.
            threads: how many threads and strands will use the database at once; the size of the pool.
            synchronous: SQLite only. `FULL` survives a power loss, `NORMAL` may lose the last writes.
            row_security: PostgreSQL only. Whether it has policies, which show nothing to whom tells nothing.
        """
        self.kind = make_url(url).get_backend_name()
        self.row_security = row_security and self.kind == "postgresql"
        # Without their parameters, the messages of failed statements carry no hash or address into a log.
        shared: dict[str, Any] = {"pool_size": threads, "max_overflow": 4, "pool_timeout": POOL_SECONDS}
        shared |= {"hide_parameters": True, "json_deserializer": orjson.loads}
        self.engine = create_engine(url, **shared, **_connect_arguments(self.kind))
        self.strand: type[Strand] | None = None if self.kind == "sqlite" else give_way(self.engine)
        self._writer_lock = prepare_sqlite(self.engine, synchronous) if self.kind == "sqlite" else None
        reading_engine = self._reading_engine = self._made_for_reading()
        self._readers = sessionmaker(reading_engine, expire_on_commit=False, info={"writes": False})
        writing_engine = self._writing_engine = self.engine.execution_options(writes=True)
        self._writers = sessionmaker(writing_engine, expire_on_commit=False, info={"writes": True})
        guard_tenancy(self._readers)
        guard_tenancy(self._writers)
        if self.row_security:
            guard_rows(self.engine, self._readers, self._writers)
        self._open: dict[int, Connection] = {}
        event.listen(writing_engine, "begin", self._note)
        event.listen(writing_engine, "commit", self._forget)
        event.listen(writing_engine, "rollback", self._forget)

    def _made_for_reading(self) -> Engine:
        """Return what reading sessions use.

        On PostgreSQL a transaction around statements that each see what is committed when they begin (its default)
        gives nothing, and takes two round trips. With row security it carries whose rows may be seen; it ends in COMMIT
        then, for with each ROLLBACK the driver forgets what it has prepared.
        """
        if self.kind == "sqlite":
            return self.engine
        prepare_postgres(self.engine)
        if not self.row_security:
            return self.engine.execution_options(isolation_level="AUTOCOMMIT")
        reading_engine = self.engine.execution_options(writes=False)
        event.listen(reading_engine, "rollback", _commit_instead)
        return reading_engine

    @contextmanager
    def session(self, *, writes: bool, snapshot: bool = False) -> Iterator[Session]:
        """Open a session that is closed, and rolled back if need be, at the end; committing is the caller's.

        Args:
            writes: whether it writes.
            snapshot: whether writing a row that somebody else changed since it was read fails, see `overtaken`. SQLite
                needs nothing for it: its writers are alone from the start.
        """
        with (self._writers if writes else self._readers)() as session:
            session.info["database"] = self.kind
            if snapshot and self.kind == "postgresql":
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            try:
                yield session
            finally:
                session.info.pop("connection", None)  # refers back to the session
                for undo in session.info.pop("on_rollback", ()):
                    undo()

    def _note(self, connection: Connection) -> None:
        self._open[threading.get_ident()] = connection

    def _forget(self, _connection: Connection) -> None:
        self._open.pop(threading.get_ident(), None)

    def let_go(self, thread: int) -> None:
        """Give up the transaction of a thread that is stuck outside the database, and with it what it has locked.

        Should the thread ever go on, it finds its connection closed.
        """
        connection = self._open.pop(thread, None)
        if connection is None:
            return
        driver: Any = connection.connection.driver_connection
        driver.close()
        if self._writer_lock is not None:
            self._writer_lock.release(connection)

    def writer_waits(self) -> tuple[int, float] | None:
        """Return how often writers asked for their turn on SQLite, and how many seconds they waited for it."""
        lock = self._writer_lock
        return (lock.waits, lock.waited) if lock is not None else None

    def writer(self) -> Session:
        """Return a session that writes, for callers that close it themselves."""
        session = self._writers()
        session.info["database"] = self.kind
        return session

    def joined(self, connection: Connection) -> Session:
        """Return a session that writes in the transaction of `connection`, which its caller commits."""
        session = self._writers(bind=connection)
        session.info["database"] = self.kind
        return session

    def refresh_statistics(self) -> None:
        """Tell SQLite's planner how rows are distributed; PostgreSQL does this by itself.

        Without, SQLite takes an organisation for ten rows, and reads all of it wherever a statement names the
        organisation and a list of keys. It looks at 1,000 entries of each index, hence takes milliseconds however
        large the tables are.
        """
        if self.kind != "sqlite":
            return
        with self.engine.execution_options(writes=True).begin() as connection:
            connection.exec_driver_sql("PRAGMA analysis_limit=1000")
            connection.exec_driver_sql("ANALYZE")
        self.engine.dispose()  # a connection reads the statistics when it opens

    def compile_with(self, dialect: Dialect, compiled: dict[Any, Any]) -> None:
        """Share what SQLAlchemy compiles with other databases that are given the same two.

        Args:
            dialect: of a database of this kind that has been connected to.
            compiled: where compiled statements are kept; it grows with the number of different ones.
        """
        for engine in (self.engine, self._reading_engine, self._writing_engine):
            engine.dialect = dialect  # statements are kept by the dialect that compiled them
            engine.update_execution_options(compiled_cache=compiled)

    def dispose(self) -> None:
        """Close every connection of the pool."""
        self.engine.dispose()


def _commit_instead(connection: Connection) -> None:
    if connection.invalidated:
        return
    with suppress(connection.dialect.loaded_dbapi.Error):  # a broken connection is rolled back, which tells
        connection.connection.commit()


def overtaken(error: BaseException) -> bool:
    """Tell whether a transaction of `snapshot` failed because another one was faster; it may be tried again."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == "40001"


def is_away(error: BaseException) -> bool:
    """Tell whether the database could not be asked: it is stopped, out of reach, locked, full, or short of connections.

    The same request may succeed shortly; nothing of it was written.
    """
    return isinstance(error, AWAY) or (isinstance(error, DBAPIError) and error.connection_invalidated)


def on_rollback(session: Session, undo: Callable[[], None]) -> None:
    """Call `undo` if the transaction of `session` is not committed: for effects outside the database."""
    session.info.setdefault("on_rollback", []).append(undo)


def after_commit(session: Session, act: Callable[[], None]) -> None:
    """Call `act` once the transaction of `session` is committed. It may be lost in a crash: wake-ups only."""
    session.info.setdefault("after_commit", []).append(act)


def commit(session: Session) -> None:
    """Commit and do what waits for the commit."""
    session.commit()
    session.info.pop("on_rollback", None)
    for act in session.info.pop("after_commit", ()):
        act()


def _connect_arguments(kind: str) -> dict[str, Any]:
    if kind == "sqlite":
        return {"connect_args": {"check_same_thread": False}}
    return {"connect_args": {**CONNECT_ARGUMENTS}}
