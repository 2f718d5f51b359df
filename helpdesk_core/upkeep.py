"""Upkeep: small chores that every process does for itself, every few seconds, by one thread."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from helpdesk_core.clock import Clock

log = logging.getLogger("helpdesk.upkeep")

INTERVAL_SECONDS = 5.0


class Upkeep:
    """Does chores; the list may still grow before it starts."""

    def __init__(self) -> None:
        """Begin with none."""
        self.chores: list[Callable[[], None]] = []
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, in a thread of this process."""
        self._thread = threading.Thread(target=self._loop, name="upkeep", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Do every chore once more, and stop."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self.keep_up()

    def keep_up(self) -> None:
        """Do every chore once; one that fails is logged and tried again next time."""
        for chore in self.chores:
            try:
                chore()
            except Exception:
                log.exception("upkeep failed")  # whatever it was: nobody would begin the thread again

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self.keep_up()
            self._stopping.wait(INTERVAL_SECONDS)


def every(interval: timedelta, clock: Clock, chore: Callable[[], None]) -> Callable[[], None]:
    """Return `chore` as upkeep, which is asked every few seconds: it runs once in an interval."""
    due = clock.now() + interval

    def run() -> None:
        nonlocal due
        if clock.now() >= due:
            due = clock.now() + interval
            chore()

    return run
