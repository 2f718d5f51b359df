"""PostgreSQL: a dump, and the contents of a database in the very snapshot that was dumped."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from helpdesk_core.backup import programs
from helpdesk_core.backup.contents import Contents, contents_of
from helpdesk_core.backup.failures import BackupFailed
from helpdesk_core.row_security import SETTING, see_everyone
from helpdesk_core.tenancy import EVERYONE

ASIDE = "helpdesk_replaced_"
"""Schemas are called like this that hold what was there before a restore; no backup contains them."""
PUBLIC = "public"
"""The only schema that no dump makes, for it is there already."""
LEAVING_SECONDS = 1.0
"""How long connections may be seen that are closed already: the server's process ends after its client has gone on."""
_OURS = f"n.nspname NOT LIKE 'pg\\_%%' AND n.nspname NOT IN ('information_schema') AND n.nspname NOT LIKE '{ASIDE}%%'"
_TEXT_FORMS = (
    *("timezone = 'UTC'", "datestyle = 'ISO, YMD'", "intervalstyle = 'postgres'"),
    *("extra_float_digits = 1", "bytea_output = 'hex'"),
)
"""Settings that change how values are written."""
_TIME_OUTS = ("statement_timeout", "idle_in_transaction_session_timeout")
_SEES_EVERYONE = (
    f"SELECT current_setting('{SETTING}', true) IS NOT DISTINCT FROM '{EVERYONE}'"  # noqa: S608 - all ours
    " OR NOT EXISTS (SELECT FROM pg_class WHERE relrowsecurity AND row_security_active(oid))"
)
"""Whether a dump by this connection has every row."""

_MOVE = """
DO $$
DECLARE thing record;
BEGIN
    FOR thing IN
        SELECT format('TABLE %%I.%%I', n.nspname, c.relname) AS name
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = '{source}' AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND NOT EXISTS (
            SELECT 1 FROM pg_depend d
            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
            AND (d.deptype = 'e' OR (c.relkind = 'S' AND d.deptype IN ('a', 'i'))))
        UNION ALL
        SELECT format('ROUTINE %%s', p.oid::regprocedure)
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = '{source}' AND NOT EXISTS (
            SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
        UNION ALL
        SELECT format('TYPE %%I.%%I', n.nspname, t.typname)
        FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
        WHERE n.nspname = '{source}' AND (t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c') AND NOT EXISTS (
            SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('ALTER %%s SET SCHEMA %%I', thing.name, '{target}');
    END LOOP;
END $$
"""
"""Moves everything of a schema to another one, but what belongs to extensions. Sequences follow their columns."""


class PostgresReader:
    """Reads what one transaction sees.

    Attributes:
        schema: the present one, if there is any.
    """

    def __init__(self, connection: Connection) -> None:
        """Keep the connection, whose transaction sees one snapshot."""
        self._connection = connection
        self._driver: Any = connection.connection.driver_connection
        self.schema = _present_schema(connection)

    def tables(self) -> list[str]:
        """Return the tables of every schema; those of the present one by their bare names."""
        found = self._connection.exec_driver_sql(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"  # noqa: S608 - all ours
            f" WHERE c.relkind = 'r' AND {_OURS}"
        )
        return [table if schema == self.schema else f"{schema}.{table}" for schema, table in found]

    def encoded(self, table: str) -> Iterator[bytes]:
        """Iterate over the rows as `COPY` writes them: less than half the time of having the server hash them."""
        with self._driver.cursor() as cursor, cursor.copy(f"COPY {_quoted(self._connection, table)} TO STDOUT") as rows:
            yield from rows

    def select(self, table: str, *columns: str) -> Iterator[tuple[Any, ...]]:
        """Iterate over the values of some columns."""
        names = ", ".join(map(self._connection.dialect.identifier_preparer.quote_identifier, columns))
        query = f"SELECT {names} FROM {_quoted(self._connection, table)}"  # noqa: S608 - names of the schema
        with self._connection.execution_options(yield_per=1000).exec_driver_sql(query) as rows:
            yield from (tuple(row) for row in rows)


@contextmanager
def connected(url: str, **more: str) -> Iterator[Connection]:
    """Open a connection of its own; its transactions are the caller's.

    Args:
        url: of the database.
        more: parameters of the connection, besides those of the URL.

    Raises:
        BackupFailed: the server refuses something.
    """
    arguments = {"prepare_threshold": None, "application_name": "helpdesk backup", **more}
    engine = create_engine(url, poolclass=NullPool, connect_args=arguments)
    try:
        with engine.connect() as connection:
            yield connection
    except (DBAPIError, engine.dialect.loaded_dbapi.Error) as error:  # COPY is the driver's own
        reason = str(getattr(error, "orig", error)).strip().splitlines() or ["it gives no reason"]
        raise BackupFailed(f"The database refuses: {reason[0]}.") from error
    finally:
        engine.dispose()


@contextmanager
def reading(url: str) -> Iterator[PostgresReader]:
    """Read one state of a database."""
    with connected(url) as connection:
        _begin(connection)
        yield PostgresReader(connection)


def snapshot(url: str, target: Path) -> Contents:
    """Dump the present state of a database that is in use; return what the dump holds.

    Raises:
        BackupFailed: `pg_dump` is missing, too old or fails.
    """
    with connected(url, options=programs.options(make_url(url))) as connection:
        programs.require("pg_dump", server_version(connection) // 10000)
        _require_everyone(connection)
        tables = PostgresReader(connection).tables()
    with connected(url) as connection:
        _begin(connection)
        _keep_as_they_are(connection, tables)
        (name,) = connection.exec_driver_sql("SELECT pg_export_snapshot()").one()
        target.touch(0o600, exist_ok=False)
        programs.dump(make_url(url), target, snapshot=name, leave_out=f"{ASIDE}*")
        return contents_of(PostgresReader(connection))


def _begin(connection: Connection) -> None:
    """Begin a transaction that sees one state of the database, and writes its values always alike."""
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    for setting in _TEXT_FORMS:
        connection.exec_driver_sql(f"SET LOCAL {setting}")
    newer = ("transaction_timeout",) if (connection.dialect.server_version_info or ()) >= (17,) else ()
    for setting in (*_TIME_OUTS, *newer):
        connection.exec_driver_sql(f"SET LOCAL {setting} = 0")
    see_everyone(connection)


def _require_everyone(connection: Connection) -> None:
    """Refuse to dump by a connection like this one if row security would hide rows from it."""
    (sees,) = connection.exec_driver_sql(_SEES_EVERYONE).one()
    if not sees:
        raise BackupFailed(
            "The dump would lack rows: row-level security hides them from pg_dump, for something between it and the "
            "server, a pooler perhaps, drops the options of connections. HELPDESK_DATABASE_DIRECT_URL leads past it."
        )


def _keep_as_they_are(connection: Connection, tables: Iterable[str]) -> None:
    """Have migrations wait until the transaction ends: a table that is written anew looks empty to older snapshots.

    It comes before the first query of the transaction, which takes the snapshot.
    """
    names = ", ".join(_quoted(connection, table) for table in tables)
    if names:
        connection.exec_driver_sql("SET LOCAL lock_timeout = '60s'")
        connection.exec_driver_sql(f"LOCK TABLE {names} IN ACCESS SHARE MODE")


def server_version(connection: Connection) -> int:
    """Return the version of the server as a number, 150020 for 15.20."""
    (version,) = connection.exec_driver_sql("SELECT current_setting('server_version_num')::int").one()
    return int(version)


def require_alone(connection: Connection) -> None:
    """Refuse to go on while others are connected to the database; those who are just leaving it are waited for."""
    until = time.monotonic() + LEAVING_SECONDS
    while (others := _others(connection)) and time.monotonic() < until:
        time.sleep(0.05)
    if others:
        told = "one other connection" if others == 1 else f"{others} other connections"
        raise BackupFailed(f"The database is in use, by {told}: stop the servers and workers first.")


def _others(connection: Connection) -> int:
    connection.exec_driver_sql("SELECT pg_stat_clear_snapshot()")  # a transaction sees what it saw first otherwise
    (others,) = connection.exec_driver_sql(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND usesysid IS NOT NULL AND pid <> pg_backend_pid()"
    ).one()
    return int(others)


@dataclass(frozen=True, slots=True)
class Aside:
    """What has to make room for a restored database.

    Attributes:
        source: the schema that it is in.
        schema: the one that it is moved to.
        keep: whether there are tables in it.
    """

    source: str
    schema: str
    keep: bool


def to_set_aside(url: str, name: str) -> Aside | None:
    """Return what has to make room: tables, or a schema that the dump makes itself; nothing where there is neither.

    Raises:
        BackupFailed: there are tables in other schemas too.
    """
    with reading(url) as reader:
        present, tables = reader.schema, reader.tables()
    elsewhere = [table for table in tables if "." in table]
    if elsewhere:
        raise BackupFailed(f"There are tables in other schemas, which no restore replaces: {elsewhere[0]}.")
    if present is None or (present == PUBLIC and not tables):
        return None
    return Aside(present, f"{ASIDE}{name}", keep=bool(tables))


def move_aside(url: str, aside: Aside) -> None:
    """Make room.

    Raises:
        BackupFailed: others are connected.
    """
    with connected(url) as connection, connection.begin():
        require_alone(connection)
        if aside.source == PUBLIC:
            connection.exec_driver_sql(f'CREATE SCHEMA "{aside.schema}"')
            connection.exec_driver_sql(_MOVE.format(source=PUBLIC, target=aside.schema))
        else:
            connection.exec_driver_sql(f'ALTER SCHEMA {_name(connection, aside.source)} RENAME TO "{aside.schema}"')


def put_back(url: str, aside: Aside) -> None:
    """Put back what `move_aside` has moved, in place of whatever was restored: both or neither."""
    with connected(url) as connection, connection.begin():
        _remove(connection, aside.source)
        if aside.source == PUBLIC:
            connection.exec_driver_sql(_MOVE.format(source=aside.schema, target=PUBLIC))
            connection.exec_driver_sql(f'DROP SCHEMA "{aside.schema}"')
        else:
            connection.exec_driver_sql(f'ALTER SCHEMA "{aside.schema}" RENAME TO {_name(connection, aside.source)}')


def remove_everything(url: str) -> None:
    """Remove everything of the present schema, after a restore that cannot be finished."""
    with connected(url) as connection, connection.begin():
        present = _present_schema(connection)
        if present is not None:
            _remove(connection, present)


def forget(url: str, aside: Aside) -> None:
    """Drop the schema of what was moved, if it is empty."""
    with connected(url) as connection, connection.begin():
        connection.exec_driver_sql(f'DROP SCHEMA "{aside.schema}"')


def _remove(connection: Connection, schema: str) -> None:
    """Remove what is in a schema; of the public one, which stays, all but what belongs to extensions."""
    if schema != PUBLIC:
        connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {_name(connection, schema)} CASCADE")
        return
    connection.exec_driver_sql(f'CREATE SCHEMA "{ASIDE}unfinished"')
    connection.exec_driver_sql(_MOVE.format(source=PUBLIC, target=f"{ASIDE}unfinished"))
    connection.exec_driver_sql(f'DROP SCHEMA "{ASIDE}unfinished" CASCADE')


def _present_schema(connection: Connection) -> str | None:
    name: str | None = connection.exec_driver_sql("SELECT current_schema()").scalar()
    return name


def _quoted(connection: Connection, table: str) -> str:
    return ".".join(_name(connection, part) for part in table.rsplit(".", 1))


def _name(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)
