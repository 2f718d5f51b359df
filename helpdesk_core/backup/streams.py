"""Copying and hashing files in chunks: none is ever in memory as a whole. Failures name the file that they are of."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

CHUNK = 1024 * 1024


def write(path: Path, content: bytes) -> None:
    """Write a small new file that only its owner can read; it is on the disk when this returns."""
    with _named(path), _new(path) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def copy(source: Path, target: Path) -> tuple[int, str]:
    """Copy a file to a new one that only its owner can read, and return its size and SHA-256."""
    with source.open("rb") as read, _named(target), _new(target) as written:
        return _pour(_chunks(read, source), written)


def measure(path: Path) -> tuple[int, str]:
    """Return the size and SHA-256 of a file."""
    with path.open("rb") as file:
        return _pour(_chunks(file, path), None)


def _new(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _chunks(file: BinaryIO, path: Path) -> Iterator[bytes]:
    with _named(path):
        while chunk := file.read(CHUNK):
            yield chunk


def _pour(chunks: Iterable[bytes], target: BinaryIO | None) -> tuple[int, str]:
    digest, size = sha256(), 0
    for chunk in chunks:
        if target is not None:
            target.write(chunk)
        digest.update(chunk)
        size += len(chunk)
    return size, digest.hexdigest()


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Have failures name the file; the system itself names none once it is open."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with _named(path):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_everything() -> None:
    """Bring all that was written to the disk; one call for any number of files, where the system has it."""
    if hasattr(os, "sync"):
        os.sync()
