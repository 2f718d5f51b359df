"""Migrations: one Alembic run and one version table for the core and for each plugin.

A shared version table breaks every upgrade as soon as one plugin is uninstalled; separate ones do not
(docs/decisions/0003). `helpdesk migrate` runs them under a lock; `helpdesk serve` only asks whether any is due.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import helpdesk_core
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, text

from helpdesk_core.database import Database, metadata
from helpdesk_core.plugins import Plugin, PluginHost

CORE = "core"
_LOCK = 0x48656C70  # any number, the same for every process
_REVISION = re.compile(r"^(revision|down_revision)(?:\s*:[^=]+)?\s*=\s*(?:[\"']([^\"']+)[\"']|None)", re.MULTILINE)


class MigrationFailed(Exception):
    """A migration could not be applied; the message names the plugin and the reason."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """The migrations of the core or of one plugin.

    Attributes:
        id: `core` or the plugin's id; tables and the version table are called after it.
        folder: where its revisions lie.
    """

    id: str
    folder: Path

    @property
    def version_table(self) -> str:
        """Return the name of the table that holds the present revision."""
        return f"helpdesk_version_{self.id}"

    def head(self) -> str | None:
        """Return the newest revision, read from the files' text without importing them."""
        revisions: dict[str, str | None] = {}
        for path in sorted(self.folder.glob("*.py")):
            found = {match[1]: match[2] for match in _REVISION.finditer(path.read_text(encoding="utf-8"))}
            if "revision" in found:
                revisions[found["revision"]] = found.get("down_revision")
        heads = revisions.keys() - set(revisions.values())
        if len(heads) > 1:
            raise MigrationFailed(f"{self.id} has several newest revisions: {', '.join(sorted(heads))}")
        return next(iter(heads), None)


def environment_folder() -> Path:
    """Return the folder with `env.py` and the core's revisions: inside the wheel, or beside the checkout."""
    package = Path(helpdesk_core.__file__).parent
    packed = package / "_migrations"
    return packed if packed.is_dir() else package.parent / "migrations"


def lineages(host: PluginHost) -> list[Lineage]:
    """Return the core's lineage and those of the active plugins that have one, in dependency order."""
    found = [Lineage(CORE, environment_folder() / "versions")]
    found += [_of(plugin) for plugin in host.active if (plugin.folder / "migrations").is_dir()]
    return found


def _of(plugin: Plugin) -> Lineage:
    return Lineage(plugin.id, plugin.folder / "migrations")


def pending(database: Database, wanted: Sequence[Lineage]) -> list[str]:
    """Return the ids of lineages whose newest revision is not in the database."""
    behind = []
    with database.engine.connect() as connection:
        tables = set(inspect(connection).get_table_names())
        for lineage in wanted:
            present = None
            if lineage.version_table in tables:
                present = connection.execute(text(f"SELECT version_num FROM {lineage.version_table}")).scalar()  # noqa: S608
            if present != lineage.head():
                behind.append(lineage.id)
    return behind


def upgrade(url: str, wanted: Sequence[Lineage]) -> list[str]:
    """Bring every lineage to its newest revision, in order; return the ids of those that changed.

    Raises:
        MigrationFailed: naming the lineage; those before it stay upgraded, it and those after it do not change.
    """
    changed = []
    with _migrating(url) as connection:
        for lineage in wanted:
            before = _present(connection, lineage)
            try:
                command.upgrade(configuration(connection, lineage), "head")
                _check_references(connection)
            except Exception as error:
                raise MigrationFailed(f"{lineage.id}: {type(error).__name__}: {error}") from error
            if _present(connection, lineage) != before:
                changed.append(lineage.id)
    return changed


def downgrade(url: str, lineage: Lineage) -> None:
    """Undo every revision of a lineage and drop its version table."""
    with _migrating(url) as connection:
        command.downgrade(configuration(connection, lineage), "base")
        connection.execute(text(f"DROP TABLE IF EXISTS {lineage.version_table}"))
        connection.commit()


def render_sql(url: str, lineage: Lineage) -> None:
    """Print the SQL of all revisions of a lineage instead of running them."""
    engine = create_engine(url)
    config = configuration(None, lineage)
    config.attributes["dialect"] = engine.dialect.name
    command.upgrade(config, "head", sql=True)


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
def _migrating(url: str) -> Iterator[Connection]:
    """Open the one connection that may change the schema.

    On SQLite foreign keys are off while tables are rebuilt: with them on, rebuilding a table silently deleted the
    rows of plugins that refer to it. `_check_references` makes up for it. On PostgreSQL an advisory lock keeps two
    migrations apart, and a lock time-out keeps a queue from forming behind a long reader.
    """
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        else:
            connection.exec_driver_sql("SET lock_timeout = '10s'")
            if not connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _LOCK}).scalar():
                raise MigrationFailed("another migration is running on this database")
        connection.commit()
        yield connection
    engine.dispose()


def _present(connection: Connection, lineage: Lineage) -> Any:
    exists = inspect(connection).has_table(lineage.version_table)
    query = text(f"SELECT version_num FROM {lineage.version_table}")  # noqa: S608 - an id of ours
    present = connection.execute(query).scalar() if exists else None
    connection.commit()
    return present


def _check_references(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    connection.commit()
    if broken:
        raise MigrationFailed(f"rows of {broken[0][0]} refer to rows of {broken[0][2]} that are gone")
