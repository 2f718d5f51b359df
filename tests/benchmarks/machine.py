"""What the figures were measured on, and how much of it other programs took meanwhile."""

import os
import platform
import sqlite3
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cpu:
    """Seconds of processor time, as counted since the machine started.

    Attributes:
        busy: of the whole machine.
        server: of one server with its children.
        self: of this process.
    """

    busy: float
    server: float
    self: float


def cpu(session: int) -> Cpu:
    """Read the counters; a server is every process of its `session`."""
    own = os.times()
    return Cpu(_busy(), _of_session(session), own.user + own.system)


def _busy() -> float:
    user, nice, system, _idle, _wait, irq, soft, *_ = Path("/proc/stat").read_text().split()[1:]
    return sum(map(int, (user, nice, system, irq, soft))) / TICKS


def _of_session(session: int) -> float:
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(") ")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        if int(fields[3]) == session:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


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
