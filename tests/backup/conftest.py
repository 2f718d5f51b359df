"""An installation with a backup, and an empty one elsewhere."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backup.place import Place
from tests.databases import empty_database


@pytest.fixture(scope="session")
def origin(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Place]:
    """An installation that tests only look at."""
    folder = tmp_path_factory.mktemp("origin")
    with empty_database(folder, worker_id, "origin") as url:
        place = Place(folder / "home", url)
        place.fill()
        yield place


@pytest.fixture(scope="session")
def kept(origin: Place) -> Path:
    """A backup of it that tests only read."""
    origin.done("backup", origin.home.parent / "kept")
    return origin.home.parent / "kept"


@pytest.fixture
def backup(kept: Path, tmp_path: Path) -> Path:
    """A copy of the backup, to be damaged."""
    return shutil.copytree(kept, tmp_path / "backup")


@pytest.fixture
def elsewhere(tmp_path: Path, worker_id: str) -> Iterator[Place]:
    """An empty installation with the same key."""
    with empty_database(tmp_path, worker_id, "elsewhere") as url:
        yield Place(tmp_path / "elsewhere", url)


@pytest.fixture
def filled(elsewhere: Place, kept: Path) -> Place:
    """An installation to change, as the one of the backup."""
    elsewhere.done("restore", kept)
    return elsewhere


@pytest.fixture
def occupied(filled: Place) -> Place:
    """An installation with an organisation of its own."""
    filled.run("UPDATE core_organization SET slug = 'globex'")
    for key in [*filled.files]:
        filled.files.delete(key)
    filled.store(b"of Globex")
    return filled
