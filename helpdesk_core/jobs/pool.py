"""The worker pool: threads of huey that run what is due, in a process of its own or inside the web server."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from helpdesk_core.errors import HelpdeskError
from helpdesk_core.jobs.bell import Bell, Lane
from helpdesk_core.jobs.claims import LEASE
from helpdesk_core.jobs.running import QUICK_BATCH, Runner

log = logging.getLogger("helpdesk.jobs")


GIVING_WAY = 4
"""How many times as long as it has computed a thread rests while the process is busy with requests.

Threads of Python compute one at a time, and take turns many times in each request. Measured with a backlog of thousands
of notifications: 57 requests a second without rest, 224 where it is three times as long, 414 where it is eight times,
459 without jobs. The jobs hardly took longer: without rest they spend their time on taking turns.
"""

LEAST_REST_SECONDS = 0.2
"""Between quick jobs then: what happened meanwhile is passed on together, instead of in a transaction each."""


class _Turnstile:
    """Lets so many threads in at a time; whoever is turned away makes those inside look once more."""

    def __init__(self, places: int) -> None:
        self._places = threading.BoundedSemaphore(places)
        self._missed = threading.Event()

    def enter(self) -> bool:
        if self._places.acquire(blocking=False):
            return True
        self._missed.set()
        return False

    def leave(self) -> None:
        self._places.release()

    @contextmanager
    def place(self) -> Iterator["_Place"]:
        """Hold a place that was entered, until the end of the block or until it is given up from elsewhere."""
        place = _Place(self)
        try:
            yield place
        finally:
            place.give_up()

    def missed(self) -> bool:
        """Tell, once, whether somebody was turned away."""
        if not self._missed.is_set():
            return False
        self._missed.clear()
        return True


class _Place:
    """A place behind a turnstile; the thread that holds it may get stuck."""

    def __init__(self, turnstile: _Turnstile) -> None:
        self._turnstile = turnstile
        self._lock = threading.Lock()
        self.is_given_up = False

    def give_up(self) -> None:
        with self._lock:
            if not self.is_given_up:
                self.is_given_up = True
                self._turnstile.leave()


class Pool:
    """Runs jobs in threads."""

    def __init__(
        self, runner: Runner, bell: Bell, threads: int, *, one_writer: bool, busy: Callable[[], bool] = lambda: False
    ) -> None:
        """Prepare.

        Args:
            runner: runs what is due.
            bell: says when.
            threads: how many; at least two, so that slow jobs leave one for quick ones.
            one_writer: whether the database has one writer at a time, as SQLite: more threads for quick jobs would
                only wait for each other.
            busy: tells whether people wait for this process, to whom jobs give way.
        """
        self._runner = runner
        self._bell = bell
        self._threads = max(2, threads)
        self._busy = busy
        self._quick = _Turnstile(1 if one_writer else self._threads)
        self._slow = _Turnstile(self._threads - 1)
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._consumer: Any = None
        self._pulse = threading.Thread(target=self._keep_alive, name="leases", daemon=True)

    def start(self) -> None:
        """Begin to run what is due."""
        self._pulse.start()
        self._bell.start(self.answer, self._consume)

    def _consume(self, queue: Any) -> None:
        self._consumer = import_module("helpdesk_core.jobs.rings").consume(queue, self._threads)
        self._bell.ring("tick")
        self._bell.ask()

    def stop(self, seconds: float = 10.0) -> None:
        """Finish what is running, at most for so long, give back what is not begun, and stop."""
        self._stopping.set()
        self._runner.stop()
        self._bell.stop()
        if self._consumer is not None:
            self._consumer.shutdown_timeout = seconds
            self._consumer.stop(graceful=True)
        self._ended.set()
        if self._pulse.is_alive():
            self._pulse.join()

    def answer(self, lane: Lane) -> None:
        """Run what is due in a lane, until nothing is."""
        try:
            if lane == "tick":
                self._runner.tick()
                self._bell.ask()
            elif lane == "quick":
                self._work(self._quick, slow=False)
            else:
                self._work(self._slow, slow=True)
        except (SQLAlchemyError, HelpdeskError):
            log.exception("the queue cannot be worked off")  # the next sweep tries again

    def _work(self, turnstile: _Turnstile, *, slow: bool) -> None:
        if not turnstile.enter():
            return
        with turnstile.place() as place:
            self._runner.watchdog.replaceable(lambda _: self._do_without(place))
            while self._may_go_on(place) and (self._some(slow=slow) or turnstile.missed()):
                pass

    def _may_go_on(self, place: _Place) -> bool:
        return not self._stopping.is_set() and not place.is_given_up

    def _do_without(self, place: _Place) -> None:
        """Put another thread in the place of one that is stuck."""
        place.give_up()
        if self._consumer is not None:
            self._consumer.add_thread()
        self._bell.ask()

    def _some(self, *, slow: bool) -> bool:
        """Do some work, and tell whether there may be more; where there clearly is, call for another thread."""
        began = time.thread_time()
        passed = 0 if slow else self._runner.pass_on()
        if slow and self._runner.any_due(slow=True):
            self._bell.ring("slow")
        ran = self._runner.run_some(slow=slow)
        if not slow and ran == QUICK_BATCH:
            self._bell.ring("quick")
        if (passed or ran) and self._busy():
            rest = GIVING_WAY * (time.thread_time() - began)
            self._stopping.wait(rest if slow else max(rest, LEAST_REST_SECONDS))
        return bool(passed or ran)

    def _keep_alive(self) -> None:
        while not self._ended.wait(LEASE.total_seconds() / 3):
            try:
                self._runner.renew()
            except (SQLAlchemyError, HelpdeskError):
                log.exception("leases could not be renewed")
