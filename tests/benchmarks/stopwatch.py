"""A plugin that notes when transactions were committed and when a handler was called, for who measures the way between.

It is written into a folder as if it were installed there, and loaded by every process that has the folder on its path.
"""

from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.packages import MANIFEST, install_package, write_package

CODE = '''
"""Notes when things happened."""

import os
import time

from sqlalchemy import event
from sqlalchemy.orm import Session

from helpdesk_core.api import HandlerContext, hookimpl, on
from helpdesk_tickets.events import TicketCreated

NOTES = os.open(os.environ["BENCHMARK_STOPWATCH"], os.O_APPEND | os.O_CREAT | os.O_WRONLY)


@event.listens_for(Session, "after_commit")
def committed(session: Session) -> None:
    if session.info.get("writes"):
        os.write(NOTES, f"committed 0 {time.time()}\\n".encode())


@on(TicketCreated)
def hear(ctx: HandlerContext, event: TicketCreated) -> None:
    """Note it."""
    os.write(NOTES, f"handled {event.ticket_id} {time.time()}\\n".encode())


@hookimpl
def register_event_handlers():
    return [hear]
'''


@dataclass(frozen=True)
class Stopwatch:
    """Where the plugin is, and where it writes.

    Attributes:
        folder: to be put on the path of processes.
    """

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Return what a process needs to load it; its own path goes first."""
        return {"PYTHONPATH": str(self.folder), "BENCHMARK_STOPWATCH": str(self._notes)}

    @property
    def _notes(self) -> Path:
        return self.folder / "notes"

    def committed(self) -> list[float]:
        """Return when transactions that write were committed."""
        return [moment for what, _, moment in self._lines() if what == "committed"]

    def handled(self) -> dict[int, float]:
        """Return when the handler was first called for each ticket."""
        found: dict[int, float] = {}
        for what, ticket, moment in self._lines():
            if what == "handled":
                found.setdefault(ticket, moment)
        return found

    def commit_between(self, first: float, last: float) -> float:
        """Return the last commit in a span of time."""
        return max(moment for moment in self.committed() if first <= moment <= last)

    def _lines(self) -> list[tuple[str, int, float]]:
        if not self._notes.exists():
            return []
        lines = (line.split() for line in self._notes.read_text(encoding="ascii").splitlines())
        return [(what, int(ticket), float(moment)) for what, ticket, moment in lines]


def install(folder: Path) -> Stopwatch:
    """Write the plugin into an empty folder."""
    install_package(write_package(folder, "stopwatch", CODE, manifest=MANIFEST + 'requires = ["tickets"]\n'))
    return Stopwatch(folder)


def spread(seconds: list[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile, in milliseconds."""
    ordered = sorted(seconds)
    return median(ordered) * 1000, ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)] * 1000
