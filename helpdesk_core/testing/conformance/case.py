"""The plugin under test, what a check looks at it with, and what it says."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import Distribution, entry_points
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from helpdesk_core.assembly import declared_endpoints
from helpdesk_core.lineages import MigrationFailed
from helpdesk_core.plugins import Manifest, Plugin, PluginHost, State
from helpdesk_core.plugins.discovery import ENTRY_POINTS
from helpdesk_core.testing.databases import Databases
from helpdesk_core.testing.installation import Installation, running
from helpdesk_core.testing.scratch import Scratch
from helpdesk_core.web.routing import Endpoint

ACME = "acme-corp"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        what: in a sentence.
        where: a file, an operation, a table.
        mend: what to do about it.
    """

    what: str
    where: str
    mend: str

    def __str__(self) -> str:
        """Return all of it, in three lines."""
        return f"{self.what}\n    where: {self.where}\n    mend:  {self.mend}"


class Wrong(AssertionError):
    """The plugin does not do as plugins do.

    Attributes:
        findings: what is wrong.
    """

    def __init__(self, findings: Iterable[Finding]) -> None:
        """Keep the findings."""
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class NotApplicable(Exception):
    """The plugin has nothing that the check is about; the message says so."""


Findings = Iterator[Finding]


@dataclass(frozen=True, slots=True)
class Check:
    """One promise that every plugin keeps.

    Attributes:
        look: yields what is wrong, or raises `NotApplicable`. Its name is the check's, its docstring says the promise.
    """

    look: Callable[["Case"], Findings]

    @property
    def name(self) -> str:
        """Return the name."""
        return self.look.__name__

    def __call__(self, case: "Case") -> None:
        """Look at the plugin of `case`.

        Raises:
            Wrong: with everything that was found.
            NotApplicable: there is nothing to look at.
        """
        findings = list(self.look(case))
        if findings:
            raise Wrong(findings)


class Case:
    """One plugin, with everything that checks need; made when it is first used, and gone at the end of the block.

    Attributes:
        id: of the plugin.
        host: every plugin that was loaded.
    """

    def __init__(self, plugin: str, host: PluginHost, databases: Callable[[], Databases], folder: Path) -> None:
        """Prepare; nothing is made yet.

        Args:
            plugin: id of the plugin.
            host: every plugin that was loaded.
            databases: returns where databases are made.
            folder: for files of the installation.
        """
        self.id = plugin
        self.host = host
        self._databases = databases
        self._folder = folder
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop what was started."""
        self._stack.close()

    @property
    def found(self) -> Plugin | None:
        """Return the plugin, in whichever state; nothing if none of this id is installed."""
        return next((each for each in self.host.plugins if each.id == self.id), None)

    @property
    def plugin(self) -> Plugin:
        """Return the plugin, which is active."""
        plugin = self.found
        if plugin is None or plugin.state is not State.ACTIVE or plugin.manifest is None:
            raise NotApplicable("the plugin is not active")
        return plugin

    @property
    def manifest(self) -> Manifest:
        """Return what its manifest says."""
        manifest = self.plugin.manifest
        if manifest is None:
            raise NotApplicable("the plugin has no manifest")
        return manifest

    @property
    def things(self) -> set[str]:
        """Return what its events may be about: itself, its resources, and what no other plugin has as a resource."""
        others = {
            resource.name for plugin, resource in self.host.declared("register_resources") if plugin.id != self.id
        }
        own = {resource.name for resource in self.declared("register_resources")}
        about = {name for event in self.declared("register_events") for name in event.about}
        return {self.id} | own | (about - others)

    @cached_property
    def distribution(self) -> Distribution | None:
        """Return the installed distribution that brings the plugin."""
        return next((entry.dist for entry in entry_points(group=ENTRY_POINTS) if entry.name == self.id), None)

    def declared(self, hook: str) -> list[Any]:
        """Return what the plugin returned from a hook."""
        return self.plugin.declared.get(hook, [])

    def needed(self, hook: str, what: str) -> list[Any]:
        """Return what the plugin returned from a hook; without any the check does not apply."""
        found = self.declared(hook)
        if not found:
            raise NotApplicable(f"the plugin has no {what}")
        return found

    @property
    def endpoints(self) -> list[Endpoint]:
        """Return its operations; without any the check does not apply."""
        found = [endpoint for endpoint in declared_endpoints(self.host) if endpoint.plugin == self.plugin.id]
        if not found:
            raise NotApplicable("the plugin has no operations")
        return found

    def at(self, path: Path, line: int = 0) -> str:
        """Return a place in the plugin's package, as people write it."""
        folder = self.plugin.folder
        name = f"{folder.name}/{path.relative_to(folder)}" if path.is_relative_to(folder) else str(path)
        return f"{name}:{line}" if line else name

    def scratch(self) -> Scratch:
        """Return an empty database; without migrations the check does not apply."""
        scratch = Scratch(self._databases().empty("scratch"), self.host)
        if not (self.plugin.folder / "migrations").is_dir():
            raise NotApplicable("the plugin has no migrations")
        return scratch

    @cached_property
    def installation(self) -> Installation:
        """A running helpdesk with the plugin in it."""
        return self.started()

    def started(self, **changes: Any) -> Installation:
        """Return a running helpdesk with the plugin in it, and with other settings than usual; ask for one at most."""
        self._folder.mkdir(parents=True, exist_ok=True)
        run = running(self._databases(), self.host, self._folder, "conformance", **changes)
        try:
            return self._stack.enter_context(run)
        except MigrationFailed as error:
            raise NotApplicable(f"there is no database for it: {error}") from None

    def switched_off(self) -> Installation:
        """Return a running helpdesk in which Acme has the plugin off, and Globex has it on."""
        if self.manifest.scope == "system":
            raise NotApplicable("a plugin of the scope `system` is always on")
        self.installation.disable(self.id, ACME)
        return self.installation
