"""Stored files: a small protocol, a folder on disk, and a store in memory for tests."""

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from sqlalchemy.orm import Session

from helpdesk_core.database import after_commit, on_rollback
from helpdesk_core.errors import NotFound, PayloadTooLarge

CHUNK = 256 * 1024
STORED_FILE = "stored_file"
"""What the `info` of a column says whose values are keys of stored files."""


class FileStore(Protocol):
    """Keeps uploads under keys that it makes itself; no name of a user ever becomes a path."""

    def write(self, source: BinaryIO, limit: int) -> tuple[str, int]:
        """Store what `source` holds and return its key and size in bytes; over `limit` is `PayloadTooLarge`."""

    def read(self, key: str) -> Iterator[bytes]:
        """Return the content in chunks; `NotFound` when there is no such file."""

    def delete(self, key: str) -> None:
        """Forget the file; nothing happens when there is none."""


class FolderStore:
    """Files in a folder, spread over 256 subfolders."""

    def __init__(self, folder: Path) -> None:
        """Keep the folder's path; it is made at the first upload."""
        self._folder = folder

    def write(self, source: BinaryIO, limit: int) -> tuple[str, int]:
        """Store under a temporary name, then rename: a crash leaves no half file under a real key."""
        key = secrets.token_hex(16)
        path = self.path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        try:
            with partial.open("wb") as target:
                size = _copy(source, limit, target.write)
                target.flush()
                os.fsync(target.fileno())
            partial.rename(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        return key, size

    def read(self, key: str) -> Iterator[bytes]:
        """Open now, so that a missing file is told before the answer begins; read as it is sent."""
        try:
            file = self.path(key).open("rb")
        except FileNotFoundError:
            raise NotFound("This file is no longer stored.") from None
        return _chunks(file)

    def delete(self, key: str) -> None:
        """Remove the file."""
        self.path(key).unlink(missing_ok=True)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys of everything stored."""
        return (path.name for path in self._folder.glob("??/*") if _is_key(path.name))

    def path(self, key: str) -> Path:
        """Return where the file of a key lies; `NotFound` for what is no key."""
        if not _is_key(key):
            raise NotFound("This file is no longer stored.")
        return self._folder / key[:2] / key


class MemoryStore:
    """Files in memory."""

    def __init__(self) -> None:
        """Start empty."""
        self.files: dict[str, bytes] = {}

    def write(self, source: BinaryIO, limit: int) -> tuple[str, int]:
        """Keep the content."""
        parts: list[bytes] = []
        size = _copy(source, limit, parts.append)
        key = secrets.token_hex(16)
        self.files[key] = b"".join(parts)
        return key, size

    def read(self, key: str) -> Iterator[bytes]:
        """Return the content as one chunk."""
        if key not in self.files:
            raise NotFound("This file is no longer stored.")
        return iter((self.files[key],))

    def delete(self, key: str) -> None:
        """Drop the content."""
        self.files.pop(key, None)


def store_upload(session: Session, store: FileStore, source: BinaryIO, limit: int) -> tuple[str, int]:
    """Store an upload that belongs to the transaction of `session`: a rollback removes it again.

    Returns:
        The key and the size in bytes.
    """
    key, size = store.write(source, limit)
    on_rollback(session, lambda: store.delete(key))
    return key, size


def discard_upload(session: Session, store: FileStore, key: str) -> None:
    """Remove a file whose row goes in the transaction of `session`; a rollback keeps both."""
    after_commit(session, lambda: store.delete(key))


def stored_file(*, size: str = "") -> dict[str, str]:
    """Return the `info` of a column that holds keys of stored files, by which `helpdesk verify` finds them.

    Args:
        size: the column beside it that holds the size in bytes, if there is one.
    """
    return {STORED_FILE: size}


def _is_key(name: str) -> bool:
    return len(name) == 32 and set(name) <= set("0123456789abcdef")


def _copy(source: BinaryIO, limit: int, write: Callable[[bytes], object]) -> int:
    size = 0
    while chunk := source.read(CHUNK):
        size += len(chunk)
        if size > limit:
            raise PayloadTooLarge(f"A file may have at most {limit} bytes.")
        write(chunk)
    return size


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk
