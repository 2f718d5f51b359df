"""Statements that are compiled once per database and run on the driver's cursor."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Boolean, Dialect, Select, types
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import CompilerElement

from helpdesk_core.clock import api_time
from helpdesk_core.database import Ranked, UtcDateTime

# The driver's own style would bind by position; by name, one mapping serves any shape.
_SQLITE_BY_NAME = SQLiteDialect_pysqlite(paramstyle="named")


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    defaults: dict[str, Any]
    processors: tuple[tuple[str, Callable[[Any], Any]], ...]


class Prepared:
    """A SELECT, compiled once for each kind of database, that returns plain tuples.

    Values arrive as the driver gives them: no result processing, no row objects. `reader_for` says how to read
    a column. Parameters do go through their column's type.
    """

    def __init__(self, statement: CompilerElement) -> None:
        """Keep the statement; its parameters are named `bindparam`s."""
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, session: Session, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run the statement in the transaction of `session`."""
        if session.info["writes"]:
            session.flush()
        connection = session.connection()
        compiled = self._compiled.get(connection.dialect.name) or self._compile(connection.dialect)
        values = {**compiled.defaults, **parameters}
        for name, process in compiled.processors:
            values[name] = process(values[name])
        cursor = connection.connection.cursor()
        try:
            cursor.execute(compiled.sql, values)
            return cursor.fetchall()
        finally:
            cursor.close()

    def sql(self, dialect: Dialect) -> str:
        """Return the text that runs on `dialect`, for tests that look at its plan."""
        return (self._compiled.get(dialect.name) or self._compile(dialect)).sql

    def _compile(self, dialect: Dialect) -> _Compiled:
        by_name = _SQLITE_BY_NAME if dialect.name == "sqlite" else dialect
        compiled = self._statement.compile(dialect=by_name, compile_kwargs={"render_postcompile": True})
        processors = []
        for name, bind in compiled.binds.items():  # type: ignore[attr-defined]
            process = bind.type.dialect_impl(by_name).bind_processor(by_name)
            if process is not None:
                processors.append((name, process))
        done = _Compiled(str(compiled), dict(compiled.params), tuple(processors))
        self._compiled[dialect.name] = done
        return done


def reader_for(kind: types.TypeEngine[Any], dialect: str) -> Callable[[Any], Any] | None:
    """Return what turns a driver's value of type `kind` into what the API shows; nothing when it already is.

    No function returned here is called with `None`.
    """
    if isinstance(kind, Ranked):
        return kind.words.__getitem__
    if isinstance(kind, UtcDateTime):
        return None if dialect == "sqlite" else api_time
    if isinstance(kind, Boolean):
        return bool if dialect == "sqlite" else None
    if isinstance(kind, types.JSON):
        return orjson.loads if dialect == "sqlite" else None
    return None


AnySelect = Select[*tuple[Any, ...]]
