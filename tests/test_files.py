"""Every file store keeps the same promises."""

import io
from pathlib import Path

import pytest

from helpdesk_core.errors import NotFound, PayloadTooLarge
from helpdesk_core.files import FileStore, FolderStore, MemoryStore


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    return FolderStore(tmp_path / "files") if request.param == "folder" else MemoryStore()


def test_what_is_written_can_be_read(store: FileStore) -> None:
    key, size = store.write(io.BytesIO(b"x" * 600_000), 1_000_000)
    assert size == 600_000
    assert b"".join(store.read(key)) == b"x" * 600_000


def test_a_file_that_is_too_large_leaves_nothing_behind(store: FileStore, tmp_path: Path) -> None:
    with pytest.raises(PayloadTooLarge):
        store.write(io.BytesIO(b"x" * 2_000), 1_000)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_deleted_file_is_not_found(store: FileStore) -> None:
    key, _ = store.write(io.BytesIO(b"x"), 10)
    store.delete(key)
    store.delete(key)
    with pytest.raises(NotFound):
        store.read(key)


@pytest.mark.parametrize("key", ["../../etc/passwd", "", "x" * 32, "a" * 31])
def test_a_key_that_was_not_made_here_is_not_found(tmp_path: Path, key: str) -> None:
    with pytest.raises(NotFound):
        FolderStore(tmp_path).read(key)
