"""Which migrations there are, and whether any is due; told without Alembic, which takes long to import.

The core and each plugin have a lineage of their own, with a version table of its own: a shared table breaks every
upgrade as soon as one plugin is uninstalled (docs/decisions/0003).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import inspect

import helpdesk_core
from helpdesk_core.database import Database
from helpdesk_core.plugins import Plugin, PluginHost

CORE = "core"
VERSION_TABLES = "helpdesk_version_"
EXPAND, CONTRACT = "expand", "contract"
PHASES = (EXPAND, CONTRACT)

_SAID = re.compile(
    r"^(revision|down_revision|phase|online)(?:\s*:[^=\n]+)?\s*=\s*(?:[\"']([^\"'\n]+)[\"']|None|(True|False))",
    re.MULTILINE,
)


class MigrationFailed(Exception):
    """A migration could not be applied; the message names the plugin and the reason."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One step of a lineage, as the text of its file says.

    Attributes:
        id: of the revision.
        before: the revision that it changes; nothing for the first one.
        phase: `expand` if code that does not know of it goes on working, `contract` if it takes something away.
        online: whether it runs outside of a transaction on PostgreSQL, statement by statement.
    """

    id: str
    before: str | None
    phase: str = EXPAND
    online: bool = False

    @classmethod
    def read(cls, path: Path) -> "Revision | None":
        """Read one from a file without importing it; nothing if the file is none.

        Raises:
            MigrationFailed: it says something that cannot be.
        """
        text = path.read_text(encoding="utf-8")
        said = {match[1]: match[2] or match[3] for match in _SAID.finditer(text)}
        if "revision" not in said:
            return None
        phase = said.get("phase", EXPAND)
        if phase not in PHASES:
            raise MigrationFailed(f"{path.name}: phase is one of {', '.join(PHASES)}")
        return cls(said["revision"], said.get("down_revision"), phase, said.get("online") == "True")


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
        steps = self.steps()
        return steps[-1].id if steps else None

    def revisions(self) -> list[str]:
        """Return the ids of all revisions, the oldest first."""
        return [step.id for step in self.steps()]

    def steps(self) -> list[Revision]:
        """Return all revisions, the oldest first."""
        read = (Revision.read(path) for path in sorted(self.folder.glob("*.py")))
        every = {step.id: step for step in read if step is not None}
        heads = every.keys() - {step.before for step in every.values()}
        if len(heads) > 1:
            raise MigrationFailed(f"{self.id} has several newest revisions: {', '.join(sorted(heads))}")
        found, following = list[Revision](), next(iter(heads), None)
        while following in every:
            found.append(every[following])
            following = found[-1].before
        return found[::-1]


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


def orphans(database: Database, installed: Iterable[str]) -> list[str]:
    """Return the ids whose version tables are left in the database although no such plugin is installed."""
    with database.engine.connect() as connection:
        tables = inspect(connection).get_table_names()
    found = (table.removeprefix(VERSION_TABLES) for table in tables if table.startswith(VERSION_TABLES))
    return sorted(set(found) - {CORE, *installed})
