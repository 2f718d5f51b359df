"""Checking the plugin in a folder, whether or not it is installed, and without a test of its author's."""

import os
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from helpdesk_core.plugins.discovery import ENTRY_POINTS
from helpdesk_core.testing.conformance import CHECKS, WRONG, Check, Outcome, outcome_of
from helpdesk_core.testing.databases import Databases
from helpdesk_core.testing.selection import load_selected


class NoPlugin(Exception):
    """There is no plugin in the folder; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Project:
    """What a folder's `pyproject.toml` says.

    Attributes:
        name: of the distribution.
        version: of it.
        dependencies: of it.
        plugins: packages, by the id of their plugin.
        source: the folder that the packages lie in.
    """

    name: str
    version: str
    dependencies: tuple[str, ...]
    plugins: Mapping[str, str]
    source: Path


def read_project(folder: Path) -> Project:
    """Read what is in `folder`.

    Raises:
        NoPlugin: it is no project with a plugin in it.
    """
    path = folder / "pyproject.toml"
    try:
        project: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8")).get("project", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise NoPlugin(f"{path}: {reason}.") from None
    plugins = project.get("entry-points", {}).get(ENTRY_POINTS, {})
    if not plugins:
        raise NoPlugin(f'{path} has no plugin: [project.entry-points."{ENTRY_POINTS}"] is missing.')
    package = next(iter(plugins.values()))
    source = next((place for place in (folder, folder / "src") if (place / package).is_dir()), None)
    if source is None:
        raise NoPlugin(f"there is no package {package} in {folder}.")
    dependencies = tuple(project.get("dependencies", ()))
    return Project(project.get("name", ""), project.get("version", "0"), dependencies, plugins, source.resolve())


def checked(project: Project) -> Iterator[tuple[str, Outcome]]:
    """Run every check on the plugins of a project; iterate over their ids and what came of each check."""
    with _made_known(project), tempfile.TemporaryDirectory() as name:
        for plugin in project.plugins:
            yield from ((plugin, outcome) for outcome in _outcomes(plugin, Path(name) / plugin))


def _outcomes(plugin: str, folder: Path) -> Iterator[Outcome]:
    folder.mkdir()
    host = load_selected([plugin])
    databases = Databases(folder, host, f"check_{os.getpid()}")
    try:
        for check in CHECKS:
            yield _finished(check, partial(outcome_of, check, plugin, host, lambda: databases, folder / "home"))
    finally:
        databases.drop()


def _finished(check: Check, run: Callable[[], Outcome]) -> Outcome:
    """Return what comes of a check, also where the plugin makes it fail in a way that it does not expect."""
    try:
        return run()
    except Exception as error:  # noqa: BLE001 - the next check may tell more
        return Outcome(check.name, WRONG, f"the check came to no end: {type(error).__name__}: {error}")


@contextmanager
def _made_known(project: Project) -> Iterator[None]:
    """Let Python find the distribution as if it were installed, before any installed one of its name."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / f"{project.name.replace('-', '_')}-{project.version}.dist-info"
        folder.mkdir()
        entries = "".join(f"{plugin} = {package}\n" for plugin, package in project.plugins.items())
        (folder / "entry_points.txt").write_text(f"[{ENTRY_POINTS}]\n{entries}", encoding="utf-8")
        needs = "".join(f"Requires-Dist: {each}\n" for each in project.dependencies)
        about = f"Metadata-Version: 2.1\nName: {project.name}\nVersion: {project.version}\n{needs}"
        (folder / "METADATA").write_text(about, encoding="utf-8")
        before = sys.path[:]
        sys.path[:0] = [name, str(project.source)]
        try:
            yield
        finally:
            sys.path[:] = before
