"""Finding plugins: by entry point, in dependency order, without importing any."""

import graphlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from packaging.specifiers import SpecifierSet

from helpdesk_core import __version__
from helpdesk_core.plugins.manifest import CONTRACT, BadManifest, Manifest, read_manifest

ENTRY_POINTS = "helpdesk.plugins"
BUILT_IN = {
    "accounts": "helpdesk_core.accounts",
    "changefeed": "helpdesk_core.changefeed",
    "notifications": "helpdesk_core.notifications",
}
"""Plugins that come with the core: registered by the same hooks, always first."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A plugin that was found.

    Attributes:
        id: of the entry point, which must be that of the manifest.
        package: the import name.
        folder: where the package lies.
        manifest: nothing when it is invalid.
        problem: why it cannot be used, in one sentence; nothing when it can.
        version: of its distribution.
    """

    id: str
    package: str
    folder: Path
    manifest: Manifest | None
    problem: str | None = None
    version: str = ""


def discover(wanted: Sequence[str] | None) -> list[Candidate]:
    """Return the built-in plugins and the installed ones, in dependency order.

    Args:
        wanted: ids to look at; nothing means all that are installed.
    """
    entries = entry_points(group=ENTRY_POINTS)
    installed = {entry.name: entry.value for entry in entries}
    versions = {entry.name: entry.dist.version for entry in entries if entry.dist} | dict.fromkeys(
        BUILT_IN, __version__
    )
    chosen = installed if wanted is None else {name: installed.get(name, "") for name in wanted}
    found = [_candidate(name, package) for name, package in {**BUILT_IN, **chosen}.items()]
    return _in_order(_blocked([replace(each, version=versions.get(each.id, "")) for each in found]))


def _candidate(name: str, package: str) -> Candidate:
    nowhere = Path()
    if not package:
        return Candidate(name, package, nowhere, None, f"no plugin {name!r} is installed")
    try:
        spec = find_spec(package)
    except (ImportError, ValueError) as error:
        return Candidate(name, package, nowhere, None, f"package {package} cannot be found: {error}")
    if spec is None or not spec.submodule_search_locations:
        return Candidate(name, package, nowhere, None, f"package {package} cannot be found")
    folder = Path(next(iter(spec.submodule_search_locations)))
    try:
        manifest = read_manifest(folder)
    except BadManifest as error:
        return Candidate(name, package, folder, None, str(error))
    return Candidate(name, package, folder, manifest, _incompatible(name, manifest))


def _incompatible(name: str, manifest: Manifest) -> str | None:
    if manifest.id != name:
        return f"the entry point is called {name!r}, the manifest {manifest.id!r}"
    if manifest.api != CONTRACT:
        return f"written for plugin contract {manifest.api}; this core has {CONTRACT}"
    if not SpecifierSet(manifest.core, prereleases=True).contains(__version__):
        return f"needs core {manifest.core}; this is {__version__}"
    return None


def _blocked(found: Iterable[Candidate]) -> list[Candidate]:
    """Mark plugins whose requirements are missing or unusable, until nothing changes any more."""
    known = {candidate.id: candidate for candidate in found}
    changed = True
    while changed:
        changed = False
        for candidate in list(known.values()):
            missing = _missing(candidate, known)
            if missing and candidate.problem is None:
                known[candidate.id] = _with_problem(candidate, f"requires {', '.join(missing)}, which is not usable")
                changed = True
    return list(known.values())


def _missing(candidate: Candidate, known: Mapping[str, Candidate]) -> list[str]:
    requires = candidate.manifest.requires if candidate.manifest else ()
    return [name for name in requires if name not in known or known[name].problem is not None]


def _with_problem(candidate: Candidate, problem: str) -> Candidate:
    return replace(candidate, problem=problem)


def _in_order(found: list[Candidate]) -> list[Candidate]:
    """Sort by dependency, ties by id; plugins in a circle are marked and put last."""
    known = {candidate.id: candidate for candidate in sorted(found, key=lambda c: (c.id not in BUILT_IN, c.id))}
    remaining = dict(known)
    ordered: list[Candidate] = []
    while remaining:
        ready = [c for c in remaining.values() if not _before(c) & remaining.keys()]
        if not ready:
            ordered += _circular(remaining)
            break
        ordered.append(ready[0])
        del remaining[ready[0].id]
    return ordered


def _before(candidate: Candidate) -> set[str]:
    if candidate.manifest is None or candidate.problem is not None:
        return set()
    return {*candidate.manifest.requires, *candidate.manifest.after} | (
        BUILT_IN.keys() - {candidate.id} if candidate.id not in BUILT_IN else set()
    )


def _circular(remaining: Mapping[str, Candidate]) -> list[Candidate]:
    try:
        list(
            graphlib.TopologicalSorter({c.id: _before(c) & remaining.keys() for c in remaining.values()}).static_order()
        )
        circle = sorted(remaining)
    except graphlib.CycleError as error:
        circle = list(error.args[1])
    problem = f"circular dependency: {' -> '.join(circle)}"
    return [_with_problem(candidate, candidate.problem or problem) for candidate in remaining.values()]
