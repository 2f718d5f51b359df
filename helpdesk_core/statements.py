"""Statements that are compiled once per database and run on the driver's cursor.

The ORM is for writing entities; lists, counters and the few writes that every request makes go through here.
Measured on SQLite: an insert through a session costs 250 us, here 15 us.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Dialect,
    Select,
    String,
    any_,
    bindparam,
    cast,
    types,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import CompilerElement

from helpdesk_core.database import Ranked
from helpdesk_core.postgres import KeptStatements, Rows, is_outdated
from helpdesk_core.tenancy import organization_of

# The driver's own style would bind by position; by name, one mapping serves any shape.
_SQLITE_BY_NAME = SQLiteDialect_pysqlite(paramstyle="named")
_TENANT = "organization_id"

KEPT_RESULT = 1_000
"""Rows of a result, at most, that a kept cursor may hold on to until the next one."""

T = TypeVar("T")
AnySelect = Select[*tuple[Any, ...]]
Build = Callable[[str], CompilerElement]


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    defaults: dict[str, Any]
    processors: tuple[tuple[str, Callable[[Any], Any]], ...]
    scoped: bool

    def bind(self, session: Session, parameters: Mapping[str, Any]) -> dict[str, Any]:
        values = {**self.defaults, **parameters}
        if self.scoped and _TENANT not in values:
            values[_TENANT] = organization_of(session)
        for name, process in self.processors:
            values[name] = process(values[name])
        return values


class Prepared:
    """A statement, compiled once for each kind of database, whose rows are plain tuples.

    Values arrive as the driver gives them: no result processing, no row objects. `reader_for` says how to read
    a column. Parameters do go through their column's type. A parameter `organization_id` that is not given is the
    organisation of the session: these statements are outside the tenancy filter, so each must ask for it.
    """

    def __init__(
        self,
        statement: CompilerElement | Build,
        *,
        columns: Sequence[str] | None = None,
        planned_each_time: bool = False,
    ) -> None:
        """Keep the statement; its parameters are named `bindparam`s.

        Args:
            statement: the statement, or what builds it for `sqlite` or `postgresql`.
            columns: of an INSERT without values, the columns that each run gives.
            planned_each_time: whether its best plan depends so much on its values that PostgreSQL must not settle for
                one.
        """
        self._statement = statement
        self.planned_each_time = planned_each_time
        self._columns = list(columns) if columns is not None else None
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, session: Session, parameters: Mapping[str, Any]) -> Rows:
        """Run the statement in the transaction of `session` and return its rows."""
        connection, compiled = self.on(session)
        values = compiled.bind(session, parameters)
        kept = None if self.planned_each_time else _kept(session, connection)
        if kept is None or not kept.can_run(compiled.sql):
            return _fetch(connection, compiled.sql, values, prepare=not self.planned_each_time)
        return _ask(connection, compiled.sql, lambda: kept.rows(compiled.sql, values))

    def run(self, session: Session, *parameters: Mapping[str, Any]) -> None:
        """Run a statement that returns no rows, once for each of `parameters`."""
        connection, compiled = self.on(session)
        values = [compiled.bind(session, each) for each in parameters]
        with _cursor(connection, compiled.sql) as cursor:
            if len(values) == 1:
                cursor.execute(compiled.sql, values[0])
            else:
                cursor.executemany(compiled.sql, values)

    def sql(self, dialect: Dialect) -> str:
        """Return the text that runs on `dialect`, for tests that look at its plan."""
        return (self._compiled.get(dialect.name) or self._compile(dialect)).sql

    def on(self, session: Session) -> tuple[Connection, _Compiled]:
        """Return the connection of `session`, and the statement as compiled for it; every run asks for them once."""
        if session.info["writes"]:
            session.flush()
        connection = _connection(session)
        return connection, self._compiled.get(connection.dialect.name) or self._compile(connection.dialect)

    def _compile(self, dialect: Dialect) -> _Compiled:
        by_name = _SQLITE_BY_NAME if dialect.name == "sqlite" else dialect
        statement = self._statement if isinstance(self._statement, CompilerElement) else self._statement(dialect.name)
        options: dict[str, Any] = {"column_keys": self._columns} if self._columns is not None else {}
        compiled: Any = statement.compile(dialect=by_name, **options)
        # What has no value of its own must be given: leaving it out is an error, not NULL.
        binds = compiled.bind_names
        wanted = {name for bind, name in binds.items() if bind.required} | {*(self._columns or ())}
        state = compiled.construct_expanded_state(dict.fromkeys(wanted))  # lists of literal values are written out
        defaults = {name: value for name, value in state.parameters.items() if name not in wanted}
        found = {name: bind.type.dialect_impl(by_name).bind_processor(by_name) for bind, name in binds.items()}
        processors = {name: process for name, process in {**found, **state.processors}.items() if process is not None}
        used = wanted | defaults.keys()
        kept = tuple((name, process) for name, process in processors.items() if name in used)
        done = _Compiled(state.statement, defaults, kept, _TENANT in wanted)
        self._compiled[dialect.name] = done
        return done


def rows_of_each(session: Session, asked: Sequence[tuple[Prepared, Mapping[str, Any]]]) -> list[Rows]:
    """Run statements, none of which needs the rows of another, and return the rows of each, in their order.

    What takes PostgreSQL one round trip for each otherwise takes one for all.
    """
    if any(prepared.planned_each_time for prepared, _ in asked):
        return [prepared.rows(session, parameters) for prepared, parameters in asked]
    found = [(prepared.on(session), parameters) for prepared, parameters in asked]
    bound = [(compiled.sql, compiled.bind(session, parameters)) for (_, compiled), parameters in found]
    connection = found[0][0][0]
    kept = _kept(session, connection)
    able = [kept.can_run(sql) for sql, _ in bound] if kept is not None else []  # each is to be noted, if one cannot
    if kept is None or not all(able):
        return [_fetch(connection, sql, values) for sql, values in bound]
    return _ask(connection, bound[0][0], lambda: kept.rows_of_each(bound))


def _kept(session: Session, connection: Connection) -> KeptStatements | None:
    return None if session.info["writes"] else connection.info.get("kept")


def _ask(connection: Connection, sql: str, run: Callable[[], T]) -> T:
    try:
        with _known_errors(connection, sql):
            return run()
    except DBAPIError:
        raise
    except BaseException:
        connection.invalidate()  # broken off in the middle of an answer, of which the rest would come to the next
        raise


def _fetch(connection: Connection, sql: str, values: Mapping[str, Any], *, prepare: bool = True) -> Rows:
    options = {} if prepare or connection.dialect.name != "postgresql" else {"prepare": False}
    with _cursor(connection, sql) as cursor:
        cursor.execute(sql, values, **options)
        rows: Rows = cursor.fetchall()
    if len(rows) > KEPT_RESULT:
        _forget_cursor(connection)
    return rows


def _connection(session: Session) -> Connection:
    """Return the connection of the transaction of `session`; asking SQLAlchemy each time costs 10 us a statement."""
    kept: tuple[Any, Connection] | None = session.info.get("connection")
    if kept is None or kept[0] is None or kept[0] is not session.get_transaction():
        connection = session.connection()
        kept = session.info["connection"] = session.get_transaction(), connection
    return kept[1]


@contextmanager
def _cursor(connection: Connection, sql: str) -> Iterator[Any]:
    """Return the connection's cursor.

    There is one for each connection: psycopg's learns how each type is read and written, and a new one would learn it
    again for every statement.
    """
    cursor = connection.info.get("cursor")
    if cursor is None:
        cursor = connection.info["cursor"] = connection.connection.cursor()
    try:
        with _known_errors(connection, sql):
            yield cursor
    except BaseException:
        if not connection.invalidated:
            _forget_cursor(connection)  # who knows in which state it is
        raise


@contextmanager
def _known_errors(connection: Connection, sql: str) -> Iterator[None]:
    """Turn what the driver raises into SQLAlchemy's errors."""
    driver: Any = connection.dialect.loaded_dbapi
    try:
        yield
    except driver.Error as error:
        connection.info.get("failed", _unnoticed)(error)
        outdated = is_outdated(error)
        if outdated:
            connection.invalidate(error)
        raise DBAPIError.instance(
            sql,
            None,
            error,
            driver.Error,
            hide_parameters=True,
            connection_invalidated=outdated,
            dialect=connection.dialect,
        ) from error


def _forget_cursor(connection: Connection) -> None:
    cursor = connection.info.pop("cursor", None)
    if cursor is not None:
        cursor.close()


def _unnoticed(_error: BaseException) -> None:
    """Count nothing: nobody wants to know how often statements fail."""


def insertion(entity: Any, *, returning: str | None = None, unless_taken: bool = False) -> Prepared:
    """Return what adds rows of `entity` without entities; columns left out get their default.

    Args:
        entity: the mapped class.
        returning: a column whose values `rows` returns.
        unless_taken: leave a row out, and return none, when another one has its unique values.
    """
    table = entity.__table__
    given = [column for column in table.columns if not _made_by_the_database(column, table)]
    defaults = {column.name: None for column in given if column.nullable}
    defaults |= {column.name: column.default.arg for column in given if getattr(column.default, "is_scalar", False)}

    def build(kind: str) -> Any:
        statement = upsert(kind, entity)
        if unless_taken:
            statement = statement.on_conflict_do_nothing()
        return statement.inline() if returning is None else statement.returning(table.c[returning])

    return _Insertion(build, [column.name for column in given], defaults)


def _made_by_the_database(column: Any, table: Any) -> bool:
    fetched = column.server_default is not None and not column.server_default.has_argument
    return fetched or column.computed is not None or column is table.autoincrement_column


class _Insertion(Prepared):
    def __init__(self, build: Build, columns: Sequence[str], defaults: Mapping[str, Any]) -> None:
        super().__init__(build, columns=columns)
        self._defaults = defaults

    def _compile(self, dialect: Dialect) -> _Compiled:
        compiled = super()._compile(dialect)
        compiled.defaults.update(self._defaults)
        return compiled


class Among:
    """A SELECT of the rows whose column is any of some values: compiled once for each of a few numbers of values."""

    def __init__(self, statement: AnySelect | Callable[[str], AnySelect], column: Any) -> None:
        """Keep both; `statement`, or what builds it for a kind of database, must ask for the organisation."""
        self._build = statement if callable(statement) else lambda _: statement
        self._column = column
        self._prepared: dict[int, Prepared] = {}

    def rows(
        self, session: Session, values: Sequence[Any], parameters: Mapping[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        """Return the rows for `values`; `parameters` are those of the statement itself."""
        if not values:
            return []
        size = 1 << (len(values) - 1).bit_length()
        prepared = self._prepared.get(size)
        if prepared is None:
            wanted = [bindparam(f"value_{place}", type_=self._column.type) for place in range(size)]
            chosen = self._column.in_(wanted)
            prepared = self._prepared[size] = Prepared(lambda kind: self._build(kind).where(chosen))
        padded = [*values, *([values[-1]] * (size - len(values)))]
        given = {f"value_{place}": value for place, value in enumerate(padded)}
        return prepared.rows(session, {**(parameters or {}), **given})


def among_keys(column: Any, kind: str, number: int) -> ColumnElement[bool]:
    """Return the condition that `column` is one of `number` integers, whose parameters `key_parameters` returns.

    PostgreSQL takes them as one array, written out as its text: twenty parameters cost the driver more than the rest of
    the statement. SQLite is given each.
    """
    if kind == "postgresql":
        condition: ColumnElement[bool] = column == any_(cast(bindparam("keys", type_=String), ARRAY(BigInteger)))
        return condition
    return column.in_([bindparam(f"key_{place}") for place in range(number)])  # type: ignore[no-any-return]


def key_parameters(keys: Sequence[int], kind: str) -> dict[str, Any]:
    """Return the parameters of a statement with `among_keys`."""
    if kind == "postgresql":
        return {"keys": f"{{{','.join(map(str, keys))}}}"}
    return {f"key_{place}": key for place, key in enumerate(keys)}


def upsert(kind: str, entity: Any) -> Any:
    """Return an INSERT into the table of `entity` that knows `on_conflict_do_update` on this kind of database."""
    return (sqlite.insert if kind == "sqlite" else postgresql.insert)(entity.__table__)


def reader_for(kind: types.TypeEngine[Any], dialect: str) -> Callable[[Any], Any] | None:
    """Return what turns a driver's value of type `kind` into what the API shows; nothing when it already is.

    No function returned here is called with `None`.
    """
    if isinstance(kind, Ranked):
        return kind.words.__getitem__
    if isinstance(kind, Boolean):
        return bool if dialect == "sqlite" else None
    if isinstance(kind, types.JSON):
        return _from_json if dialect == "sqlite" else None
    return None


def _from_json(value: Any) -> Any:
    """Parse JSON text; SQLite keeps a bare number as a number."""
    return orjson.loads(value) if isinstance(value, (str, bytes)) else value
