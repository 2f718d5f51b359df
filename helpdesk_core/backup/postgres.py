"""PostgreSQL: a dump, and the contents of a database in the very snapshot that was dumped."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from helpdesk_core.backup import programs
from helpdesk_core.backup.contents import Contents, contents_of
from helpdesk_core.backup.failures import BackupFailed
from helpdesk_core.row_security import see_everyone

ASIDE = "helpdesk_replaced_"
"""Schemas are called like this that hold what was there before a restore; no backup contains them."""
_OURS = f"n.nspname NOT LIKE 'pg\\_%%' AND n.nspname NOT IN ('information_schema') AND n.nspname NOT LIKE '{ASIDE}%%'"
_TEXT_FORMS = (
    *("timezone = 'UTC'", "datestyle = 'ISO, YMD'", "intervalstyle = 'postgres'"),
    *("extra_float_digits = 1", "bytea_output = 'hex'"),
)
"""Settings that change how values are written."""

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
    """Reads what one transaction sees."""

    def __init__(self, connection: Connection) -> None:
        """Keep the connection, whose transaction sees one snapshot."""
        self._connection = connection
        self._driver: Any = connection.connection.driver_connection
        (self._schema,) = connection.exec_driver_sql("SELECT current_schema()").one()

    def tables(self) -> list[str]:
        """Return the tables of every schema; those of the present one by their bare names."""
        found = self._connection.exec_driver_sql(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"  # noqa: S608 - all ours
            f" WHERE c.relkind = 'r' AND {_OURS}"
        )
        return [table if schema == self._schema else f"{schema}.{table}" for schema, table in found]

    def encoded(self, table: str) -> Iterator[bytes]:
        """Iterate over the rows as `COPY` writes them: less than half the time of having the server hash them."""
        with self._driver.cursor() as cursor, cursor.copy(f"COPY {self._quoted(table)} TO STDOUT") as rows:
            yield from rows

    def select(self, table: str, *columns: str) -> Iterator[tuple[Any, ...]]:
        """Iterate over the values of some columns."""
        names = ", ".join(map(self._connection.dialect.identifier_preparer.quote_identifier, columns))
        query = f"SELECT {names} FROM {self._quoted(table)}"  # noqa: S608 - names of the schema
        with self._connection.execution_options(yield_per=1000).exec_driver_sql(query) as rows:
            yield from (tuple(row) for row in rows)

    def _quoted(self, table: str) -> str:
        quote = self._connection.dialect.identifier_preparer.quote_identifier
        return ".".join(map(quote, table.rsplit(".", 1)))


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """Open a connection of its own; its transactions are the caller's.

    Raises:
        BackupFailed: the server refuses something.
    """
    engine = create_engine(
        url, poolclass=NullPool, connect_args={"prepare_threshold": None, "application_name": "helpdesk backup"}
    )
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        raise BackupFailed(f"The database refuses: {str(error.orig).strip().splitlines()[0]}") from error
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
    with connected(url) as connection:
        programs.require("pg_dump", server_version(connection) // 10000)
    with connected(url) as connection:
        _begin(connection)
        (name,) = connection.exec_driver_sql("SELECT pg_export_snapshot()").one()
        target.touch(0o600, exist_ok=False)
        programs.dump(make_url(url), target, snapshot=name, leave_out=f"{ASIDE}*")
        return contents_of(PostgresReader(connection))


def _begin(connection: Connection) -> None:
    """Begin a transaction that sees one state of the database, and writes its values always alike."""
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    for setting in _TEXT_FORMS:
        connection.exec_driver_sql(f"SET LOCAL {setting}")
    see_everyone(connection)


def server_version(connection: Connection) -> int:
    """Return the version of the server as a number, 150020 for 15.20."""
    (version,) = connection.exec_driver_sql("SELECT current_setting('server_version_num')::int").one()
    return int(version)


def require_alone(connection: Connection) -> None:
    """Refuse to go on while others are connected to the database."""
    (others,) = connection.exec_driver_sql(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND usesysid IS NOT NULL AND pid <> pg_backend_pid()"
    ).one()
    if others:
        told = "one other connection" if others == 1 else f"{others} other connections"
        raise BackupFailed(f"The database is in use, by {told}: stop the servers and workers first.")


def move_aside(url: str, name: str) -> str:
    """Move everything of the present schema into one of its own, and return its name.

    Raises:
        BackupFailed: others are connected, or there are tables in other schemas too.
    """
    target = f"{ASIDE}{name}"
    with connected(url) as connection, connection.begin():
        require_alone(connection)
        elsewhere = [table for table in PostgresReader(connection).tables() if "." in table]
        if elsewhere:
            raise BackupFailed(f"There are tables in other schemas, which no restore replaces: {elsewhere[0]}.")
        (present,) = connection.exec_driver_sql("SELECT current_schema()").one()
        connection.exec_driver_sql(f'CREATE SCHEMA "{target}"')
        connection.exec_driver_sql(_MOVE.format(source=present, target=target))
    return target


def move_back(url: str, source: str) -> None:
    """Put back what `move_aside` has moved."""
    with connected(url) as connection, connection.begin():
        (present,) = connection.exec_driver_sql("SELECT current_schema()").one()
        connection.exec_driver_sql(_MOVE.format(source=source, target=present))
        connection.exec_driver_sql(f'DROP SCHEMA "{source}"')


def remove_everything(url: str) -> None:
    """Remove everything of the present schema, after a restore that cannot be finished."""
    with connected(url) as connection, connection.begin():
        (present,) = connection.exec_driver_sql("SELECT current_schema()").one()
        connection.exec_driver_sql(f'CREATE SCHEMA "{ASIDE}unfinished"')
        connection.exec_driver_sql(_MOVE.format(source=present, target=f"{ASIDE}unfinished"))
        connection.exec_driver_sql(f'DROP SCHEMA "{ASIDE}unfinished" CASCADE')
