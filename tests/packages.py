"""Plugins that are written for a test or a measurement: a package on disk, and the entry point by which it is found."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from helpdesk_core.database import metadata
from helpdesk_core.plugins import discovery, load_plugins

MANIFEST = 'id = "{id}"\nname = "{id}"\napi = 1\nprefixes = ["{id}"]\n'


def write_package(
    folder: Path,
    id: str,
    code: str = "",
    *,
    package: str = "",
    manifest: str = MANIFEST,
    revisions: Mapping[str, str] | None = None,
) -> Path:
    """Write a plugin into `folder` and return its package, which is called `helpdesk_{id}` unless it is told.

    Args:
        folder: where packages lie.
        id: of the plugin.
        code: of its `plugin.py`.
        package: what it is called.
        manifest: its `plugin.toml`, with `{id}` to be filled in.
        revisions: the code of its migrations, by the name of the file.
    """
    written = folder / (package or f"helpdesk_{id}")
    written.mkdir(parents=True)
    (written / "__init__.py").touch()
    (written / "plugin.toml").write_text(manifest.replace("{id}", id), encoding="utf-8")
    (written / "plugin.py").write_text(code, encoding="utf-8")
    if revisions:
        (written / "migrations").mkdir()
    for name, text in (revisions or {}).items():
        (written / "migrations" / f"{name}.py").write_text(text, encoding="utf-8")
    return written


def install_package(package: Path) -> None:
    """Have processes that look for packages where this one lies find its plugin, as if it had been installed."""
    id = package.name.removeprefix("helpdesk_")
    about = package.with_name(f"{package.name}-0.1.0.dist-info")
    about.mkdir()
    told = f"Metadata-Version: 2.1\nName: helpdesk-{id}\nVersion: 0.1.0\nRequires-Dist: helpdesk-core\n"
    (about / "METADATA").write_text(told, encoding="utf-8")
    (about / "entry_points.txt").write_text(f"[helpdesk.plugins]\n{id} = {package.name}\n", encoding="utf-8")


def entry_point(package: Path, id: str = "") -> EntryPoint:
    """Return what an installed plugin is found by."""
    return EntryPoint(id or package.name.removeprefix("helpdesk_"), package.name, discovery.ENTRY_POINTS)


@contextmanager
def findable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EntryPoint]]:
    """Have this process find, of all plugins, those whose entry points are added to the list, and forget them later.

    Args:
        folder: where their packages lie.
        monkeypatch: takes back what is changed.
    """
    entries: list[EntryPoint] = []
    folder.mkdir(parents=True, exist_ok=True)  # Python remembers of a path what was not there
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(discovery, "entry_points", lambda group: list(entries))
    load_plugins(())  # the built-in ones keep their tables
    tables, indexes = set(metadata.tables), set(metadata.info.get("search_indexes", ()))
    yield entries
    packages = tuple(entry.value for entry in entries)
    for name in [name for name in sys.modules if name.startswith(packages)]:
        del sys.modules[name]
    for name in set(metadata.tables) - tables:
        metadata.remove(metadata.tables[name])
    metadata.info["search_indexes"] = indexes
