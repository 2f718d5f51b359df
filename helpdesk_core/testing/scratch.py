"""A database in which migrations are done and undone."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine, inspect
from sqlalchemy.pool import NullPool

from helpdesk_core.migrations import CORE, Lineage, lineages, move, scripts
from helpdesk_core.plugins import PluginHost
from helpdesk_core.row_security import see_everyone


class Scratch:
    """An empty database.

    Attributes:
        url: where it is.
    """

    def __init__(self, url: str, host: PluginHost) -> None:
        """Keep the plugins, whose migrations are known by the plugin's id; those of the core are `core`."""
        self.url = url
        self._lineages = {lineage.id: lineage for lineage in lineages(host)}
        self._requires = {plugin.id: plugin.manifest.requires for plugin in host.active if plugin.manifest}

    def lineage(self, plugin: str) -> Lineage:
        """Return the migrations of a plugin; `LookupError` if it has none."""
        if plugin not in self._lineages:
            raise LookupError(f"{plugin} has no migrations here; there are {', '.join(self._lineages)}")
        return self._lineages[plugin]

    def up(self, plugin: str = CORE, revision: str = "head") -> None:
        """Bring a plugin to a revision, after what it requires has been brought to its newest one."""
        for needed in self._before(plugin):
            move(self.url, self._lineages[needed], "head")
        move(self.url, self.lineage(plugin), revision)

    def down(self, plugin: str = CORE, revision: str = "base") -> None:
        """Take a plugin back to a revision, all the way if none is given."""
        move(self.url, self.lineage(plugin), revision)

    def revisions(self, plugin: str) -> list[str]:
        """Return the revisions of a plugin, the oldest first."""
        return [script.revision for script in scripts(self.lineage(plugin)).walk_revisions()][::-1]

    def tables(self, plugin: str) -> list[str]:
        """Return the names of the tables that are the plugin's, by their prefix."""
        with self.connection() as connection:
            names = inspect(connection).get_table_names()
        return sorted(name for name in names if name.startswith(f"{plugin}_"))

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Connect to the database for as long as the block lasts; what was done is kept if it ends well."""
        engine = create_engine(self.url, poolclass=NullPool)
        try:
            with engine.begin() as connection:
                see_everyone(connection)
                yield connection
        finally:
            engine.dispose()

    def _before(self, plugin: str) -> list[str]:
        """Return the lineages that a plugin stands on, in the order in which they are made."""
        needed, waiting = set[str](), [plugin]
        while waiting:
            for name in self._requires.get(waiting.pop(), ()):
                needed.add(name)
                waiting.append(name)
        return [name for name in self._lineages if name != plugin and (name == CORE or name in needed)]
