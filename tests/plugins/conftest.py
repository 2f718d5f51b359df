"""Plugins that are written for one test: a package on disk and an entry point that nobody installed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpdesk_core.accounts.models import User
from tests.packages import MANIFEST, entry_point, findable, write_package

WritePlugin = Callable[..., str]


@pytest.fixture
def write_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WritePlugin]:
    """Write a plugin called `id`; what is not given is minimal and correct."""
    with findable(tmp_path, monkeypatch) as entries:

        def write(id: str, code: str = "", manifest: str | None = None, more: str = "") -> str:
            text = MANIFEST + more if manifest is None else manifest
            entries.append(entry_point(write_package(tmp_path, id, code, package=f"sample_{id}", manifest=text), id))
            return id

        yield write


@pytest.fixture
def platform(installation, owner):
    """The owner, made an administrator of the whole installation."""
    with installation.session() as session:
        session.get_one(User, owner.user.id).is_platform_admin = True
        installation.commit(session)
    return owner
