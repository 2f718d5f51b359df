"""What PostgreSQL needs: how to connect to it, what it keeps, and when to see whether a connection still stands."""

import contextlib
import re
import select
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

if TYPE_CHECKING:
    from helpdesk_core.strands import Strand

CONNECT_ARGUMENTS: Mapping[str, Any] = {
    "connect_timeout": 3,
    # A server that vanished without a word is noticed after ten seconds instead of a quarter of an hour.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "prepare_threshold": None,  # until it is known that there is no pooler
}

IDLE_SECONDS = 5.0
"""How long a connection may lie unused before it is looked at; a question for each request would be one round trip."""

PREPARE_AFTER = 5
"""Times that a cursor runs a statement before the server keeps it parsed and planned; the driver's own default."""

MOST_KEPT = 200
"""Statements, at most, that each of the server's processes keeps for us; each takes some ten kilobytes there."""

_PARAMETER = re.compile(r"%\((\w+)\)s|%%")
_OUTDATED = ("0A000", "cached plan must not change result type")

_INSTANT_LENGTH = len("2024-01-31 09:30:00+00")
"""How long an instant is as the server writes it in UTC; with parts of a second or in another age it is longer."""

Rows = list[tuple[Any, ...]]


def prepare_postgres(engine: Engine, *, idle_seconds: float = IDLE_SECONDS) -> None:
    """Set every connection up, and replace those that broke while nobody used them before somebody does.

    Statements that come again are kept by the server: planning the six of a list anew each time took three quarters of
    its processor time. Behind a pooler that gives each transaction to any of its connections they would be missing
    there, so none are kept.

    A connection that breaks while it is in use fails its request, and takes all that are older with it.
    """
    event.listen(engine, "rollback", _forget_kept)
    event.listen(engine, "rollback_savepoint", _forget_kept)

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET TIME ZONE 'UTC'")
        connection.adapters.register_loader("timestamptz", ApiTimes)
        pooled = is_pooled(connection)
        connection.commit()
        if not pooled:
            connection.prepare_threshold = PREPARE_AFTER
            record.info["kept"] = KeptStatements(connection, engine.dialect.loaded_dbapi)

    @event.listens_for(engine, "checkin")
    def note(_connection: Any, record: Any) -> None:
        record.info["idle_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def look(connection: Any, record: Any, _fairy: Any) -> None:
        since = record.info.get("idle_since")
        if since is None or time.monotonic() - since < idle_seconds:
            return
        try:
            stands = engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error:
            stands = False
        if not stands:
            raise InvalidatePoolError

    @event.listens_for(engine, "handle_error")
    def forget_plans(context: Any) -> None:
        """Give up connections whose statements were planned before a migration changed what they return."""
        if is_outdated(context.original_exception):
            context.is_disconnect = True


def give_way(engine: Engine) -> "type[Strand] | None":
    """Have connections give way while they wait, if a strand uses them; return what makes strands.

    Does nothing, and returns nothing, where the system has no epoll.

    To connect takes milliseconds at best, and seconds if the server is not there: another thread does it for strands.
    With the first connection SQLAlchemy asks the server what it is, and keeps a lock meanwhile: that too is done there.
    """
    if not hasattr(select, "epoll"):
        return None
    strands = import_module("helpdesk_core.strands")  # needs the driver, as nothing else does
    known = threading.Event()

    def connect_later(arguments: Sequence[Any], options: Mapping[str, Any]) -> Any:
        if not known.is_set():
            engine.connect().close()
            known.set()
        return strands.Connection.connect(*arguments, **options)

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, arguments: Sequence[Any], options: Mapping[str, Any]) -> Any:
        if strands.is_in_one():
            return strands.elsewhere(lambda: connect_later(arguments, options))
        return strands.Connection.connect(*arguments, **options)

    made: type[Strand] = strands.Strand
    return made


def is_outdated(error: BaseException | None) -> bool:
    """Tell whether a statement failed because a migration has changed what it returned when it was planned."""
    return getattr(error, "sqlstate", None) == _OUTDATED[0] and _OUTDATED[1] in str(error)


def _forget_kept(connection: Any, *_: Any) -> None:
    """Make statements anew when a rollback has psycopg tell the server to forget whatever it keeps."""
    if connection.invalidated or not connection.get_execution_options().get("writes", True):
        return
    kept: KeptStatements | None = connection.info.get("kept")
    if kept is not None:
        kept.forget()


class KeptStatements:
    """The statements that the server keeps parsed and planned for one connection; they run below the driver's cursor.

    Whatever psycopg's cursor does in Python for each statement (looking for the parameters, for what is prepared and
    for what is to be forgotten) took a fifth of a list's processor time. What sends, waits and converts is the
    driver's.
    """

    def __init__(self, connection: Any, driver: Any) -> None:
        """Keep nothing yet.

        Args:
            connection: psycopg's.
            driver: the module `psycopg`.
        """
        self._connection = connection
        self._pgconn = connection.pgconn
        self._driver = driver
        self._returned, self._failed = driver.pq.ExecStatus.TUPLES_OK, driver.pq.ExecStatus.FATAL_ERROR
        self._idle, self._in_transaction = driver.pq.TransactionStatus.IDLE, driver.pq.TransactionStatus.INTRANS
        # A migration has changed what it returns, or somebody had the server forget it.
        self._outdated = driver.errors.FeatureNotSupported, driver.errors.InvalidSqlStatementName
        self._converter = driver.adapt.Transformer(connection)
        self._numbered: dict[str, tuple[bytes, list[str], list[Any]]] = {}
        self._names: dict[Any, bytes] = {}
        self._made = 0

    def can_run(self, sql: str) -> bool:
        """Tell whether a statement that only reads may run here: it has come before, and no transaction begins with it.

        A traced connection has another kind of cursor, which must see its statements.
        """
        if sql not in self._numbered:
            self._numbered[sql] = self._number(sql)
            return False
        connection = self._connection
        begun: bool = connection.autocommit or self._pgconn.transaction_status == self._in_transaction
        return begun and connection.cursor_factory is self._driver.Cursor

    def forget(self) -> None:
        """Make all anew if a transaction is about to end in which the driver keeps statements of its own.

        Only then it has the server forget all; those that are not forgotten must be found again, or they would stay
        there for nothing. The driver has no other word for it, see its `PrepareManager.clear`.
        """
        in_transaction = self._pgconn.transaction_status != self._idle
        if in_transaction and self._connection._prepared._names:  # noqa: SLF001
            self._names.clear()

    def rows(self, sql: str, parameters: Mapping[str, Any]) -> Rows:
        """Run a statement that returns rows; errors are the driver's."""
        return self._trying_again([(sql, parameters)], self._one)[0]

    def rows_of_each(self, asked: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Rows]:
        """Run statements in one go: the next is sent before the one before it is answered.

        Three that find twenty rows took 430 us one by one and take 160 so; either side saves more than half of its
        processor time. The driver's own pipeline costs more in Python than that.
        """
        return self._trying_again(asked, self._several)

    def _trying_again(self, asked: Any, run: Callable[[list[Any]], list[Any]]) -> list[Rows]:
        """Run; once more if the server does not keep them as it did, unless that has ended a transaction."""
        try:
            results = run([self._bound(*each) for each in asked])
        except self._outdated:
            if self._pgconn.transaction_status != self._idle:
                raise
            self._drop({sql for sql, _ in asked})
            results = run([self._bound(*each) for each in asked])
        return [self._loaded(result) for result in results]

    def _one(self, bound: list[tuple[bytes, Any]]) -> list[Any]:
        self._pgconn.send_query_prepared(*bound[0])
        return [self._answer()]

    def _several(self, bound: list[tuple[bytes, Any]]) -> list[Any]:
        pgconn, wait, generators = self._pgconn, self._connection.wait, self._driver.generators
        pgconn.enter_pipeline_mode()
        for name, values in bound:
            pgconn.send_query_prepared(name, values)
        pgconn.pipeline_sync()
        results: list[Any] = wait(generators.execute(pgconn))
        while len(results) <= len(bound):  # the last one tells that there are no more
            results += wait(generators.fetch_many(pgconn))
        pgconn.exit_pipeline_mode()
        for result in results:
            self._raise_for(result)
        return results[:-1]

    def _loaded(self, result: Any) -> Rows:
        if result.status != self._returned:
            return []
        self._converter.set_pgresult(result)
        rows: Rows = self._converter.load_rows(0, result.ntuples, tuple)
        return rows

    def _bound(self, sql: str, parameters: Mapping[str, Any]) -> tuple[bytes, Any]:
        """Return the server's name of a statement, and its parameters as they are sent."""
        text, order, formats = self._numbered[sql]
        values = self._converter.dump_sequence([parameters[name] for name in order], formats)
        return self._name(sql, text, self._converter.types), values

    def _number(self, sql: str) -> tuple[bytes, list[str], list[Any]]:
        """Return a statement with its parameters as the server counts them, their names, and how each is written."""
        if len(self._numbered) >= MOST_KEPT:
            self._numbered.pop(next(iter(self._numbered)))
        places: dict[str, int] = {}

        def place(found: re.Match[str]) -> str:
            return "%" if found[1] is None else f"${places.setdefault(found[1], len(places) + 1)}"

        text = _PARAMETER.sub(place, sql).encode()
        return text, list(places), [self._driver.adapt.PyFormat.TEXT] * len(places)

    def _name(self, sql: str, text: bytes, types: Any) -> bytes:
        """Return what the server calls a statement with parameters of these types; make it if need be."""
        name = self._names.pop((sql, types), None)
        if name is None:
            if len(self._names) >= MOST_KEPT:
                self._deallocate(self._names.pop(next(iter(self._names))))
            self._made += 1
            name = b"helpdesk_%d" % self._made
            self._pgconn.send_prepare(name, text, types)
            self._answer()
        self._names[sql, types] = name  # as the last one: what was not used for longest is the first to go
        return name

    def _drop(self, statements: Collection[str]) -> None:
        for key in [key for key in self._names if key[0] in statements]:
            with contextlib.suppress(self._driver.errors.InvalidSqlStatementName):  # somebody else has
                self._deallocate(self._names.pop(key))

    def _deallocate(self, name: bytes) -> None:
        self._pgconn.send_query(b"DEALLOCATE " + name)
        self._answer()

    def _answer(self) -> Any:
        """Wait for what was sent, as the driver's cursors do, so that the connection can be closed meanwhile."""
        *_, result = self._connection.wait(self._driver.generators.execute(self._pgconn))
        self._raise_for(result)
        return result

    def _raise_for(self, result: Any) -> None:
        if result.status == self._failed:
            raise self._driver.errors.error_from_result(result)


class ApiTimes:
    """Reads instants as the text that the API shows, like SQLite's: a list has sixty, and each would be parsed in vain.

    What the driver needs of a loader.
    """

    format = 0
    """Of the text that the server sends; it is of the session's time zone, which is UTC."""

    def __init__(self, oid: int, context: Any = None) -> None:
        """Read values of this type."""

    def load(self, data: Any) -> str | datetime:
        """Return `2024-01-31T09:30:00Z`; an instant that does not look like that comes as it is."""
        told = str(data, "ascii")
        if len(told) == _INSTANT_LENGTH:
            return f"{told[:10]}T{told[11:19]}Z"
        return datetime.fromisoformat(told)


def is_pooled(driver: Any) -> bool:
    """Tell whether a pooler stands between a connection of the driver and the server.

    A pooler tells a client another process number than the server's, so that cancelling goes through it.
    """
    with driver.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return bool(cursor.fetchone()[0] != driver.info.backend_pid)
