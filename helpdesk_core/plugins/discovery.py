"""Finding plugins: by entry point, in dependency order, without importing any."""

import graphlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from packaging.specifiers import SpecifierSet

from helpdesk_core import __version__
from helpdesk_core.plugins.manifest import CONTRACT, BadManifest, Manifest, read_manifest
from helpdesk_core.plugins.states import State

ENTRY_POINTS = "helpdesk.plugins"
BUILT_IN = {
    "accounts": "helpdesk_core.accounts",
    "changefeed": "helpdesk_core.changefeed",
    "notifications": "helpdesk_core.notifications",
}
"""Plugins that come with the core: registered by the same hooks, always first."""

LEFT_OUT = "left out by HELPDESK_PLUGINS"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A plugin that was found.

    Attributes:
        id: of the entry point, which must be that of the manifest.
        package: the import name.
        folder: where the package lies.
        manifest: nothing when it is invalid.
        problem: why it cannot be used, in one sentence; nothing when it can.
        state: which kind of problem that is.
        version: of its distribution.
    """

    id: str
    package: str
    folder: Path = Path()
    manifest: Manifest | None = None
    problem: str | None = None
    state: State = State.DISCOVERED
    version: str = ""

    def refused(self, state: State, problem: str) -> "Candidate":
        """Return it as one that cannot be used; the first problem stays."""
        return self if self.problem else replace(self, state=state, problem=problem)


def discover(wanted: Sequence[str] | None) -> list[Candidate]:
    """Return the built-in plugins and the installed ones, in dependency order; those that cannot be used come last.

    Args:
        wanted: ids to use; nothing means all that are installed. The others are found and left out.
    """
    found = [_read(id, package, __version__) for id, package in BUILT_IN.items()]
    found += [_read(*each) for each in _installed() if each[0] not in BUILT_IN]
    found += [Candidate(id, "").refused(State.INVALID, f"no plugin {id!r} is installed") for id in wanted or ()]
    first: dict[str, Candidate] = {}
    for each in found:
        first.setdefault(each.id, each)
    if wanted is not None:
        for id in first.keys() - {*BUILT_IN, *wanted}:
            first[id] = replace(first[id], state=State.DISCOVERED, problem=LEFT_OUT)
    return [*_in_order(_blocked(_without_circles(first))), *_impostors()]


def distribution_of(id: str) -> str | None:
    """Return the name under which pip knows a plugin; nothing if it is not installed."""
    entry = next(iter(_entries().get(id, ())), None)
    if entry is None:
        return None
    return entry.dist.name if entry.dist else entry.value.replace("_", "-")


def _installed() -> Iterator[tuple[str, str, str]]:
    """Iterate over id, package and version of what is installed; two packages of one id are both refused later."""
    for name, entries in _entries().items():
        versions = [entry.dist.version for entry in entries if entry.dist]
        yield name, " and ".join(sorted({entry.value for entry in entries})), next(iter(versions), "")


def _entries() -> dict[str, list[EntryPoint]]:
    found: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=ENTRY_POINTS):
        found.setdefault(entry.name, []).append(entry)
    return found


def _impostors() -> Iterator[Candidate]:
    """Iterate over packages that call themselves as a plugin of the core does, which stays what it is."""
    for name in _entries().keys() & BUILT_IN.keys():
        packages = ", ".join(entry.value for entry in _entries()[name])
        yield Candidate(name, packages).refused(State.INVALID, f"{name} is a plugin of the core")


def _read(name: str, package: str, version: str) -> Candidate:
    found = Candidate(name, package, version=version)
    if " and " in package:
        return found.refused(State.INVALID, f"{package} both call themselves {name!r}; uninstall one")
    try:
        spec = find_spec(package)
    except (ImportError, ValueError) as error:
        return found.refused(State.INVALID, f"package {package} cannot be found: {error}")
    if spec is None or not spec.submodule_search_locations:
        return found.refused(State.INVALID, f"package {package} cannot be found")
    found = replace(found, folder=Path(next(iter(spec.submodule_search_locations))))
    try:
        found = replace(found, manifest=read_manifest(found.folder))
    except BadManifest as error:
        return found.refused(State.INVALID, str(error))
    return _compatible(found)


def _compatible(found: Candidate) -> Candidate:
    manifest = found.manifest
    if manifest is None:
        return found
    if manifest.id != found.id:
        return found.refused(State.INVALID, f"the entry point is called {found.id!r}, the manifest {manifest.id!r}")
    if manifest.api != CONTRACT:
        told = f"written for plugin contract {manifest.api}; this core has {CONTRACT}"
        return found.refused(State.INCOMPATIBLE, told)
    if not SpecifierSet(manifest.core, prereleases=True).contains(__version__):
        return found.refused(State.INCOMPATIBLE, f"needs core {manifest.core}; this is {__version__}")
    return found


def _blocked(known: Mapping[str, Candidate]) -> dict[str, Candidate]:
    """Mark plugins whose requirements are missing or unusable, until nothing changes any more."""
    marked = dict(known)
    changed = True
    while changed:
        changed = False
        for candidate in list(marked.values()):
            missing = _missing(candidate, marked)
            if missing and candidate.problem is None:
                told = f"requires {', '.join(missing)}, which is not usable"
                marked[candidate.id] = candidate.refused(State.BLOCKED, told)
                changed = True
    return marked


def _missing(candidate: Candidate, known: Mapping[str, Candidate]) -> list[str]:
    requires = candidate.manifest.requires if candidate.manifest else ()
    return [name for name in requires if name not in known or known[name].problem is not None]


def _without_circles(known: Mapping[str, Candidate]) -> dict[str, Candidate]:
    """Mark plugins that wait for each other; those behind them are blocked then."""
    marked = dict(known)
    while circle := _circle(marked):
        told = f"circular dependency: {' -> '.join(circle)}"
        for name in circle:
            marked[name] = marked[name].refused(State.BLOCKED, told)
    return marked


def _circle(known: Mapping[str, Candidate]) -> list[str]:
    try:
        list(graphlib.TopologicalSorter({c.id: _before(c) & known.keys() for c in known.values()}).static_order())
    except graphlib.CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def _in_order(known: Mapping[str, Candidate]) -> Iterable[Candidate]:
    """Sort by dependency, ties by id; those that cannot be used come last."""
    remaining = dict(sorted(known.items(), key=lambda item: (item[0] not in BUILT_IN, item[0])))
    usable = {id: candidate for id, candidate in remaining.items() if candidate.problem is None}
    ordered: list[Candidate] = []
    while usable:
        ready = next(c for c in usable.values() if not _before(c) & usable.keys())
        ordered.append(usable.pop(ready.id))
    return [*ordered, *(candidate for candidate in remaining.values() if candidate.problem is not None)]


def _before(candidate: Candidate) -> set[str]:
    """Return the ids of those that come before a plugin, if they are there."""
    if candidate.manifest is None or candidate.problem is not None:
        return set()
    first = set() if candidate.id in BUILT_IN else {*BUILT_IN}
    return {*candidate.manifest.requires, *candidate.manifest.after} | first
