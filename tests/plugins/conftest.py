"""Plugins that are written for one test: a package on disk and an entry point that nobody installed."""

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from helpdesk_core.accounts.models import User
from helpdesk_core.database import metadata
from helpdesk_core.plugins import discovery, load_plugins

MANIFEST = 'id = "{id}"\nname = "{id}"\napi = 1\nprefixes = ["{id}"]\n'
WritePlugin = Callable[..., str]


@pytest.fixture
def write_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WritePlugin]:
    """Write a plugin called `id`; what is not given is minimal and correct."""
    entries: list[EntryPoint] = []
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(discovery, "entry_points", lambda group: list(entries))
    load_plugins(())  # the built-in ones keep their tables
    tables = set(metadata.tables)

    def write(id: str, code: str = "", manifest: str | None = None, more: str = "") -> str:
        package = f"sample_{id}"
        folder = tmp_path / package
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        text = MANIFEST.format(id=id) + more if manifest is None else manifest
        (folder / "plugin.toml").write_text(text)
        (folder / "plugin.py").write_text(code)
        entries.append(EntryPoint(id, package, "helpdesk.plugins"))
        return id

    yield write
    for name in [name for name in sys.modules if name.startswith("sample_")]:
        del sys.modules[name]
    for name in set(metadata.tables) - tables:
        metadata.remove(metadata.tables[name])


@pytest.fixture
def platform(installation, owner):
    """The owner, made an administrator of the whole installation."""
    with installation.session() as session:
        session.get_one(User, owner.user.id).is_platform_admin = True
        installation.commit(session)
    return owner
