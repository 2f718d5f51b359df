"""The bell: says that there is something to do, soon after a commit or after some time.

What must be done is in the database; a ring that is lost costs a few seconds. Rings go through huey, see `rings`.
"""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any, Literal

from helpdesk_core.settings import Settings

log = logging.getLogger("helpdesk.jobs")

Lane = Literal["quick", "slow", "tick"]
_WORK: tuple[Lane, ...] = ("quick", "slow")
SWEEP_SECONDS = 5.0
"""How often workers look by themselves, for the sake of rings that were lost."""

BREATH_SECONDS = 0.1
"""How soon after a ring it rings again: under load one ring stands for many commits."""

MOST_WAITING = 16
"""Rings that nobody has answered yet; more of them say nothing new."""


class Bell:
    """Rings from one process; a thread of its own does it, so that no request waits for the queue."""

    def __init__(self, settings: Settings) -> None:
        """Prepare; nothing is opened before `start`."""
        self._settings = settings
        self._asked = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._ring: Any = None
        self._answer: Callable[[Lane], None] | None = None
        self._ready: Callable[[Any], None] = lambda _: None
        self.queue: Any = None

    def start(
        self, answer: Callable[[Lane], None] | None = None, ready: Callable[[Any], None] = lambda _: None
    ) -> None:
        """Begin to ring, as soon as the queue is open; returns at once.

        Args:
            answer: what a worker does when it hears a ring; processes without a worker have none, and ring only when
                there was a commit.
            ready: called with the queue once it is open, from the bell's thread.
        """
        self._answer, self._ready = answer, ready
        self._thread = threading.Thread(target=self._loop, name="bell", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop ringing."""
        self._stopped.set()
        self._asked.set()
        if self._thread is not None:
            self._thread.join()

    def ask(self) -> None:
        """Have it ring soon; costs next to nothing."""
        self._asked.set()

    def ask_in(self, delay: timedelta) -> None:
        """Have it ring after some time."""
        if self.queue is None:
            return
        try:
            for lane in _WORK:
                self._ring.schedule((lane,), delay=max(0.0, delay.total_seconds()) + 1)
        except Exception:  # noqa: BLE001 - whatever the queue's driver raises
            log.debug("the queue is away; the next sweep will find the job")

    def ring(self, lane: Lane) -> bool:
        """Ring now; tell whether the queue took it."""
        if self.queue is None:
            return False
        try:
            if self.queue.pending_count() < MOST_WAITING:
                self._ring(lane)
        except Exception:  # noqa: BLE001 - whatever the queue's driver raises
            log.warning("the queue cannot be reached; each worker looks every few seconds by itself")
            return False
        return True

    def _loop(self) -> None:
        self._open()
        while not self._stopped.is_set():
            self._asked.wait(SWEEP_SECONDS if self._answer else None)
            self._asked.clear()
            if self.queue is None:
                self._open()
            for lane in _WORK if self.queue is not None else (*_WORK, "tick"):  # which the queue's clock rings
                if not self._stopped.is_set() and not self.ring(lane) and self._answer is not None:
                    self._answer(lane)
            self._stopped.wait(BREATH_SECONDS)

    def _open(self) -> None:
        """Open the queue. Whoever waits for this process to answer does not wait for it: see `rings`."""
        try:
            rings = import_module("helpdesk_core.jobs.rings")
            queue = rings.make_queue(self._settings)
            self._ring = rings.declare(queue, self._answer)
            self.queue = queue
            self._ready(queue)
        except Exception:  # whatever the queue's driver raises
            self.queue = None
            log.exception("the queue cannot be opened; each worker looks every few seconds by itself")
