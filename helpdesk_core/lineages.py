"""Which migrations there are, and whether any is due; told without Alembic, which takes long to import.

The core and each plugin have a lineage of their own, with a version table of its own: a shared table breaks every
upgrade as soon as one plugin is uninstalled (docs/decisions/0003).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import inspect, text

import helpdesk_core
from helpdesk_core.database import Database
from helpdesk_core.plugins import Plugin, PluginHost

CORE = "core"
VERSION_TABLES = "helpdesk_version_"
_REVISION = re.compile(r"^(revision|down_revision)(?:\s*:[^=]+)?\s*=\s*(?:[\"']([^\"']+)[\"']|None)", re.MULTILINE)


class MigrationFailed(Exception):
    """A migration could not be applied; the message names the plugin and the reason."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """The migrations of the core or of one plugin.

    Attributes:
        id: `core` or the plugin's id; tables and the version table are called after it.
        folder: where its revisions lie.
        requires: ids of the plugins whose tables must be there first.
    """

    id: str
    folder: Path
    requires: tuple[str, ...] = ()

    @property
    def version_table(self) -> str:
        """Return the name of the table that holds the present revision."""
        return f"{VERSION_TABLES}{self.id}"

    def head(self) -> str | None:
        """Return the newest revision, read from the files' text without importing them."""
        before = self._before()
        heads = before.keys() - set(before.values())
        if len(heads) > 1:
            raise MigrationFailed(f"{self.id} has several newest revisions: {', '.join(sorted(heads))}")
        return next(iter(heads), None)

    def revisions(self) -> list[str]:
        """Return all revisions, the oldest first."""
        before, found, revision = self._before(), list[str](), self.head()
        while revision is not None:
            found.append(revision)
            revision = before.get(revision)
        return found[::-1]

    def _before(self) -> dict[str, str | None]:
        """Return each revision with the one before it."""
        revisions: dict[str, str | None] = {}
        for path in sorted(self.folder.glob("*.py")):
            found = {match[1]: match[2] for match in _REVISION.finditer(path.read_text(encoding="utf-8"))}
            if "revision" in found:
                revisions[found["revision"]] = found.get("down_revision")
        return revisions


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
    return Lineage(plugin.id, plugin.folder / "migrations", plugin.manifest.requires if plugin.manifest else ())


def pending(database: Database, wanted: Sequence[Lineage]) -> list[str]:
    """Return the ids of lineages whose newest revision is not in the database."""
    behind = []
    with database.engine.connect() as connection:
        tables = set(inspect(connection).get_table_names())
        for lineage in wanted:
            present = None
            if lineage.version_table in tables:
                query = text(f"SELECT version_num FROM {lineage.version_table}")  # noqa: S608 - an id of ours
                present = connection.execute(query).scalar()
            if present != _head(lineage):
                behind.append(lineage.id)
    return behind


def _head(lineage: Lineage) -> str | None:
    """Return the newest revision; of migrations that cannot be read, one that no database is at."""
    try:
        return lineage.head()
    except (MigrationFailed, OSError, UnicodeDecodeError):
        return "unreadable"


def orphans(database: Database, installed: Iterable[str]) -> list[str]:
    """Return the ids whose version tables are left in the database although no such plugin is installed."""
    with database.engine.connect() as connection:
        tables = inspect(connection).get_table_names()
    found = (table.removeprefix(VERSION_TABLES) for table in tables if table.startswith(VERSION_TABLES))
    return sorted(set(found) - {CORE, *installed})
