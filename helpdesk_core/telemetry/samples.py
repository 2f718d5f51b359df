"""The samples of one process: a block of doubles, in memory or in a file that other processes read.

A process adds to its own block alone, which costs no more than adding to a list. Where several processes serve one
port, their blocks are files in one folder, mapped into memory: whoever is asked reads all of them. What a killed
process has counted is in its file; that the process is gone shows in a lock that nobody holds any more.
"""

import contextlib
import mmap
import os
import struct
import threading
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

BYTES = 4 * 1024 * 1024
"""Size of a file."""

MAGIC = b"HDSAMPL1"
_HEADER = struct.Struct("<8sQ")  # the mark, and how many bytes are used
_RECORD = struct.Struct("<HH")  # length of the key, number of doubles; the key, padded to eight bytes, and these follow

Series = tuple[str, ...]
"""The name of a metric, and the values of its labels."""

Found = dict[Series, list[float]]

NOWHERE = ""
"""The series for what has no room."""


class Full(Exception):
    """There is no room for one more series."""


class Samples:
    """The series of this process.

    Attributes:
        cells: all doubles; a series has some that follow each other. Ask for it after `place`, which may move them.
        nowhere: where the doubles begin that take what has no room; there are 64.
    """

    def __init__(self, size: int = BYTES) -> None:
        """Begin in memory, with no series; `size` is how many bytes there may be at most."""
        self._size = size
        self._buffer: Any = bytearray(64 * 1024)
        self._places: dict[Series, int] = {}
        self._widths: dict[Series, int] = {}
        self._used = _HEADER.size
        self._lock = threading.Lock()
        self._file: Any = None
        self.cells: Any = None
        self._map(self._buffer)
        self.nowhere = self._add((NOWHERE,), 64)

    @property
    def is_shared(self) -> bool:
        """Tell whether other processes can read the samples."""
        return self._file is not None

    def _map(self, buffer: Any) -> None:
        self._buffer = buffer
        self.cells = memoryview(buffer).cast("d")

    def place(self, series: Series, width: int = 1) -> int:
        """Return where the doubles of a series begin; it gets some, all zero, when it is new.

        Raises:
            Full: there is no room for it.
        """
        found = self._places.get(series)
        if found is not None:
            return found
        with self._lock:
            found = self._places.get(series)
            return self._add(series, width) if found is None else found

    def _add(self, series: Series, width: int) -> int:
        key = "\0".join(series).encode()
        at = self._used
        doubles = at + _RECORD.size + len(key)
        doubles += -doubles % 8
        end = doubles + 8 * width
        if end > self._size:
            raise Full
        if end > len(self._buffer):
            self._grow(end)
        _RECORD.pack_into(self._buffer, at, len(key), width)
        self._buffer[at + _RECORD.size : at + _RECORD.size + len(key)] = key
        self._used = end
        _HEADER.pack_into(self._buffer, 0, MAGIC, end)  # last: whoever reads sees whole records only
        self._widths[series] = width
        self._places[series] = doubles // 8
        return doubles // 8

    def width(self, series: Series) -> int:
        """Return how many doubles a series has that is there."""
        return self._widths[series]

    def _grow(self, needed: int) -> None:
        """Make room in memory. A thread that adds to the old block meanwhile loses what it adds; files never grow."""
        larger = bytearray(min(self._size, max(needed, 2 * len(self._buffer))))
        larger[: len(self._buffer)] = self._buffer
        self._map(larger)

    def share(self, folder: Path) -> None:
        """Move to a file in `folder`, before anything is counted in other threads; see the dead off first.

        Raises:
            OSError: the folder cannot be used, there is no room in it, or the system has no locks for files.
        """
        absorb(folder)
        path = folder / f"{os.getpid()}-{os.urandom(4).hex()}.samples"
        with _folder_lock(folder):  # nobody may take a file for a dead one's before it is locked
            file = path.open("x+b")
            try:
                self._move_to(file)
            except OSError:
                file.close()
                path.unlink()
                raise

    def _move_to(self, file: BinaryIO) -> None:
        locks = _locks()
        locks.flock(file, locks.LOCK_EX)
        _reserve(file, self._size)
        mapped = mmap.mmap(file.fileno(), self._size)
        mapped[: self._used] = bytes(self._buffer[: self._used])
        _HEADER.pack_into(mapped, 0, MAGIC, self._used)
        self._file = file
        self._map(mapped)

    def close(self) -> None:
        """Let go of the file, as the end of the process does; others count this one among the gone from now on."""
        if self._file is not None:
            self._file.close()

    def own(self) -> Found:
        """Return the samples of this process."""
        return read(self._buffer)


def read(buffer: Any) -> Found:
    """Return what a block holds."""
    mark, used = _HEADER.unpack_from(buffer, 0)
    found: Found = {}
    at = _HEADER.size
    while mark == MAGIC and at < used:
        length, width = _RECORD.unpack_from(buffer, at)
        key = bytes(buffer[at + _RECORD.size : at + _RECORD.size + length]).decode()
        at += _RECORD.size + length
        at += -at % 8
        found[tuple(key.split("\0"))] = list(struct.unpack_from(f"<{width}d", buffer, at))
        at += 8 * width
    return found


GONE = "gone.samples"


def everybody(folder: Path) -> tuple[list[Found], list[Found]]:
    """Return the samples of the processes that run, and of those that are gone."""
    running: list[Found] = []
    gone: list[Found] = []
    with _folder_lock(folder):
        for path in sorted(folder.glob("*.samples")):
            found = _read_file(path)
            (running if path.name != GONE and _is_held(path) else gone).append(found)
    return running, gone


def absorb(folder: Path) -> None:
    """Put what those have counted that are gone into one file: workers may be replaced any number of times."""
    with _folder_lock(folder):
        dead = [path for path in sorted(folder.glob("*.samples")) if path.name != GONE and not _is_held(path)]
        if not dead:
            return
        kept = Samples()
        known = folder / GONE
        for path in [*dead, *([known] if known.exists() else [])]:  # the newest first: how wide series are may change
            add(kept, _read_file(path))
        fresh = folder / f"{GONE}.new"
        fresh.write_bytes(bytes(kept._buffer[: kept._used]))  # noqa: SLF001 - a file is a block as it lies in memory
        fresh.replace(known)  # first: counted twice, should this stop here, is better than a counter that falls
        for path in dead:
            path.unlink()


def add(to: Samples, found: Found) -> None:
    """Add the samples of one process to those of another, as far as there is room."""
    for series, values in found.items():
        with contextlib.suppress(Full):
            _add_series(to, series, values)


def _add_series(to: Samples, series: Series, values: Sequence[float]) -> None:
    at = to.place(series, len(values))
    if to.width(series) != len(values):
        return  # it was counted by code of another version
    for offset, value in enumerate(values):
        to.cells[at + offset] += value


def summed(blocks: Sequence[Found]) -> Found:
    """Return the sums of several processes."""
    total: Found = {}
    for block in blocks:
        for series, values in block.items():
            known = total.get(series)
            if known is None:
                total[series] = list(values)
            elif len(known) == len(values):
                total[series] = [a + b for a, b in zip(known, values, strict=True)]
    return total


def _reserve(file: BinaryIO, size: int) -> None:
    """Give a file its size, and room for all of it: where there is none later, to count would kill the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
    else:
        file.truncate(size)


def _read_file(path: Path) -> Found:
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size < _HEADER.size:
            return {}  # its process was killed before it could count
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            return read(mapped)


def _is_held(path: Path) -> bool:
    locks = _locks()
    with path.open("rb") as file:
        try:
            locks.flock(file, locks.LOCK_SH | locks.LOCK_NB)
        except OSError:
            return True
        return False


@contextlib.contextmanager
def _folder_lock(folder: Path) -> Iterator[None]:
    locks = _locks()
    with (folder / "lock").open("ab") as file:
        locks.flock(file, locks.LOCK_EX)
        yield


def _locks() -> Any:
    """Return the module of file locks, which not every system has."""
    try:
        return import_module("fcntl")
    except ModuleNotFoundError as error:
        raise OSError("this system has no locks for files that end with a process") from error
