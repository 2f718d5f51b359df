"""What the figures were measured on, and how much of it other programs took meanwhile."""

import os
import platform
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cpu:
    """Seconds of processor time, as counted since the machine started.

    Attributes:
        busy: of the whole machine.
        server: of one server with its children.
        database: of PostgreSQL's processes that serve it.
        self: of this process.
    """

    busy: float
    server: float
    database: float
    self: float


def cpu(session: int, database: str = "") -> Cpu:
    """Read the counters.

    Args:
        session: every process of it belongs to the server.
        database: on PostgreSQL; every process there that is connected to it counts.
    """
    own = os.times()
    backends = _of_backends(database) if database else 0.0
    return Cpu(_busy(), _of_session(session), backends, own.user + own.system)


def _busy() -> float:
    user, nice, system, _idle, _wait, irq, soft, *_ = Path("/proc/stat").read_text().split()[1:]
    return sum(map(int, (user, nice, system, irq, soft))) / TICKS


def _of_session(session: int) -> float:
    return sum(spent for _, of, spent in _processes() if of == session)


def _of_backends(database: str) -> float:
    """PostgreSQL writes into the title of each process which database it works on."""
    total = 0.0
    for folder, _, spent in _processes():
        with suppress(OSError):
            title = (folder / "cmdline").read_text()
            total += spent if title.startswith("postgres:") and f" {database} " in title else 0
    return total


def _processes() -> Iterator[tuple[Path, int, float]]:
    """Yield the folder of each process, its session, and the seconds of processor time that it has used."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended meanwhile
            fields = path.read_text().rpartition(") ")[2].split()
            yield path.parent, int(fields[3]), (int(fields[11]) + int(fields[12])) / TICKS


def description() -> dict[str, str]:
    """Return the facts that a reader needs to place the figures."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
