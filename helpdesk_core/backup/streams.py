"""Copying and hashing files in chunks: none is ever in memory as a whole."""

import os
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

CHUNK = 1024 * 1024


def chunks(path: Path) -> Iterator[bytes]:
    """Iterate over the content of a file."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def write(path: Path, content: Iterable[bytes], *, sync: bool = False) -> tuple[int, str]:
    """Write a new file that only its owner can read, and return its size and SHA-256.

    Args:
        path: must not exist.
        content: in chunks.
        sync: whether it is on the disk when this returns.
    """
    digest, size = sha256(), 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for chunk in content:
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        if sync:
            file.flush()
            os.fsync(file.fileno())
    return size, digest.hexdigest()


def measure(path: Path) -> tuple[int, str]:
    """Return the size and SHA-256 of a file."""
    digest, size = sha256(), 0
    for chunk in chunks(path):
        digest.update(chunk)
        size += len(chunk)
    return size, digest.hexdigest()


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_everything() -> None:
    """Bring all that was written to the disk; one call for any number of files, where the system has it."""
    if hasattr(os, "sync"):
        os.sync()
