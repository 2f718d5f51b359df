"""Migrations: one Alembic run, one transaction and one version table for the core and for each plugin.

`helpdesk migrate` runs them; `helpdesk serve` only asks `helpdesk_core.lineages` whether any is due.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from helpdesk_core.database import metadata
from helpdesk_core.lineages import CORE, Lineage, MigrationFailed, environment_folder, lineages, pending
from helpdesk_core.row_security import align, scoped_tables, see_everyone

__all__ = [
    "CORE",
    "Lineage",
    "MigrationFailed",
    "align_rows",
    "change",
    "configuration",
    "downgrade",
    "downgrade_within",
    "lineages",
    "move",
    "pending",
    "render_sql",
    "scripts",
    "upgrade",
]

_LOCK = 0x48656C70  # any number, the same for every process


def upgrade(url: str, wanted: Sequence[Lineage], *, to: Callable[[Lineage], str] = lambda _: "head") -> list[str]:
    """Bring every lineage to its newest revision, in order; return the ids of those that changed.

    Args:
        url: of the database.
        wanted: those to change.
        to: tells another revision to stop at, for tests of upgrades.

    Raises:
        MigrationFailed: naming the lineage; those before it stay upgraded, it and those after it do not change.
    """
    with _engine(url) as engine:
        return [lineage.id for lineage in wanted if _upgrade(engine, lineage, to(lineage))]


def _upgrade(engine: Engine, lineage: Lineage, to: str) -> bool:
    with _transaction(engine, lineage) as connection:
        before = _present(connection, lineage)
        command.upgrade(configuration(connection, lineage), to)
        _check_references(connection)
        return _present(connection, lineage) != before


def align_rows(url: str, *, on: bool) -> int:
    """Turn row-level security on or off for every table that is not so yet; return how many those were."""
    if make_url(url).get_backend_name() != "postgresql":
        return 0
    with change(url, Lineage("row-level security", Path())) as connection:
        return len(align(connection, on=on, scoped=scoped_tables()))


def downgrade(url: str, lineage: Lineage) -> None:
    """Undo every revision of a lineage and drop its version table."""
    with change(url, lineage) as connection:
        downgrade_within(connection, lineage)


def downgrade_within(connection: Connection, lineage: Lineage) -> None:
    """Undo every revision of a lineage and drop its version table, in the caller's transaction."""
    if _present(connection, lineage) is not None:
        command.downgrade(configuration(connection, lineage), "base")
    connection.execute(text(f"DROP TABLE IF EXISTS {lineage.version_table}"))


@contextmanager
def change(url: str, lineage: Lineage) -> Iterator[Connection]:
    """Open a transaction that may change the schema; any failure is told as `MigrationFailed`, and undoes all of it."""
    with _engine(url) as engine, _transaction(engine, lineage) as connection:
        yield connection
        _check_references(connection)


def move(url: str, lineage: Lineage, revision: str) -> None:
    """Bring a lineage to `revision`, up or down; `head` is the newest one, `base` what is before the first."""
    with _engine(url) as engine, _transaction(engine, lineage) as connection:
        known = [script.revision for script in scripts(lineage).walk_revisions()][::-1]
        places = {"base": -1, **{name: place for place, name in enumerate(known)}, "head": len(known) - 1}
        if revision not in places:
            raise MigrationFailed(f"there is no revision {revision}")
        present = places[_present(connection, lineage) or "base"]
        act = command.downgrade if places[revision] < present else command.upgrade
        act(configuration(connection, lineage), revision)
        _check_references(connection)


def render_sql(url: str, lineage: Lineage) -> None:
    """Print the SQL of all revisions of a lineage instead of running them."""
    config = configuration(None, lineage)
    config.attributes["dialect"] = make_url(url).get_backend_name()
    try:
        command.upgrade(config, "head", sql=True)
    except BrokenPipeError:
        raise  # the reader has seen enough
    except Exception as error:
        raise MigrationFailed(f"{lineage.id}: {type(error).__name__}: {error}") from error


def configuration(connection: Connection | None, lineage: Lineage) -> Config:
    """Return Alembic's configuration for one lineage; there is no ini file."""
    config = Config()
    config.set_main_option("script_location", str(environment_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(lineage.folder).replace("%", "%%"))
    config.attributes.update(
        connection=connection, metadata=metadata, version_table=lineage.version_table, prefix=f"{lineage.id}_"
    )
    return config


def scripts(lineage: Lineage) -> ScriptDirectory:
    """Return the revisions of a lineage, for tests that step through them."""
    return ScriptDirectory.from_config(configuration(None, lineage))


@contextmanager
def _engine(url: str) -> Iterator[Engine]:
    """Open what may change the schema.

    On SQLite foreign keys stay off while tables are rebuilt, as they are unless asked for: with them on, rebuilding a
    table silently deleted the rows of plugins that refer to it. `_check_references` makes up for it.
    """
    target = make_url(url)
    if target.get_backend_name() == "sqlite":
        if target.database and target.database != ":memory:":
            Path(target.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": 60})

        @event.listens_for(engine, "connect")
        def set_up(connection: Any, _record: Any) -> None:
            connection.isolation_level = None  # the driver would commit before every change of the schema
            connection.execute("PRAGMA journal_mode=WAL")

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        engine = create_engine(url, poolclass=NullPool, connect_args={"prepare_threshold": None})
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _transaction(engine: Engine, lineage: Lineage) -> Iterator[Connection]:
    """Open the one transaction in which a lineage changes, or does not; any failure is told with its name.

    Two migrations wait for each other: SQLite has one writer, on PostgreSQL there is a lock that ends with the
    transaction. A lock time-out keeps a queue of requests from forming behind a migration that waits for a reader.
    """
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL lock_timeout = '60s'")
                _take_turn(connection)
                connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")
                see_everyone(connection)
            yield connection
    except MigrationFailed as error:
        raise MigrationFailed(f"{lineage.id}: {error}") from error
    except Exception as error:
        raise MigrationFailed(f"{lineage.id}: {type(error).__name__}: {_first_line(error)}") from error


def _take_turn(connection: Connection) -> None:
    try:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    except OperationalError:
        raise MigrationFailed("another migration is running on this database") from None


def _first_line(error: Exception) -> str:
    return (str(getattr(error, "orig", None) or error).strip().splitlines() or [""])[0]


def _present(connection: Connection, lineage: Lineage) -> str | None:
    if not inspect(connection).has_table(lineage.version_table):
        return None
    revision: str | None = connection.execute(text(f"SELECT version_num FROM {lineage.version_table}")).scalar()  # noqa: S608 - our id
    return revision


def _check_references(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise MigrationFailed(f"rows of {broken[0][0]} refer to rows of {broken[0][2]} that are gone")
