"""Connections that may change the schema."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.pool import NullPool

from helpdesk_core.lineages import MigrationFailed

NAME = "helpdesk migrate"
"""What a database server knows these connections as."""


@contextmanager
def connecting(url: str) -> Iterator[Engine]:
    """Open what may change the schema.

    On SQLite foreign keys stay off while tables are rebuilt, as they are unless asked for: with them on, rebuilding a
    table silently deleted the rows of plugins that refer to it. `check_references` makes up for it.
    """
    engine = _sqlite(url) if make_url(url).get_backend_name() == "sqlite" else _server(url)
    try:
        yield engine
    finally:
        engine.dispose()


def check_references(connection: Connection) -> None:
    """Refuse rows that refer to rows which are gone; a database server refuses them by itself."""
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise MigrationFailed(f"rows of {broken[0][0]} refer to rows of {broken[0][2]} that are gone")


def _server(url: str) -> Engine:
    return create_engine(url, poolclass=NullPool, connect_args={"prepare_threshold": None, "application_name": NAME})


def _sqlite(url: str) -> Engine:
    file = make_url(url).database
    if file and file != ":memory:":
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": 60})

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver would commit before every change of the schema
        connection.execute("PRAGMA journal_mode=WAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
