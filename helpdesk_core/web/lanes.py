"""Lanes: where requests meet the database, in few threads or on the event loop."""

import asyncio
import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from urllib.parse import unquote

from helpdesk_core.plugins.watchdog import Watchdog
from helpdesk_core.schemas import Filters
from helpdesk_core.web.routing import Endpoint
from helpdesk_core.web.serving.backlog import Backlog
from helpdesk_core.web.serving.interleaved import Interleaved
from helpdesk_core.web.serving.pressure import Pressure
from helpdesk_core.web.serving.turns import Turns

if TYPE_CHECKING:
    from helpdesk_core.strands import Strand

T = TypeVar("T")

AnyLane: TypeAlias = "Lane | Turns | Interleaved"

_Task = tuple["Future[Any]", Callable[..., Any], tuple[Any, ...]]

CLOSING_SECONDS = 10.0
"""How long what is running has to finish when the process stops."""

PATIENCE_SECONDS = 1.0
"""How long requests wait for their turn unless the settings say otherwise."""

AHEAD = 8
"""How many quick requests are handed out before a thread is free for them. While the loop serves a crowd of readers it
has some fifty rounds a second, of which a thread waited for up to three between two writes: SQLite had 43 of them a
second instead of 286."""

PATIENCE_WITH_SLOW = 5
"""Times as long as for the quick lane may requests wait for the slow one."""


class Lane:
    """A few threads. Unlike a pool of the standard library, it can do without one that is stuck.

    What waits for a thread waits in the event loop, which hands out work for those that have become free, and a little
    more, when it has looked at everything else. Threads that helped themselves would, when there is more to do than
    can be done, keep the interpreter among themselves: the loop would come to its sockets some twenty times a second,
    and most of those that ask would neither be served nor refused.

    Attributes:
        backlog: those that wait for a thread.
    """

    def __init__(self, size: int, name: str, watchdog: Watchdog, *, ahead: int = 0) -> None:
        """Start no thread yet; each starts when there is more to do than threads.

        Args:
            size: the most threads.
            name: of the threads.
            watchdog: writes off those that are stuck.
            ahead: how many requests are handed out beyond those that threads work on.
        """
        self._size = size
        self._name = name
        self._watchdog = watchdog
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self.backlog = Backlog()
        self._free = size + ahead
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._threads: set[threading.Thread] = set()
        self._begun = 0
        self._lock = threading.Lock()

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Have `function` called in a thread when there is one, and return what it returns."""
        if self._free == 0:
            await self._turn()
        else:
            self._free -= 1
        try:
            return await asyncio.wrap_future(self.submit(function, *arguments))
        finally:
            self._pass_on()

    async def _turn(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self.backlog.join(time.monotonic())
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Give the thread of a request that has ended to the one that has waited for longest."""
        while self._waiting:
            turn = self._waiting.popleft()
            self.backlog.leave(time.monotonic())
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def submit(self, function: Callable[..., T], *arguments: Any) -> "Future[T]":
        """Have `function` called in a thread of the lane, without waiting for a turn."""
        future: Future[T] = Future()
        with self._lock:
            self._begun += 1  # threads that are idle cannot be counted: one may have taken a task and not yet said so
            self._tasks.put((future, function, arguments))
            if self._begun > len(self._threads) and len(self._threads) < self._size:
                self._start()
        return future

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True)
        self._threads.add(thread)
        thread.start()

    def _work(self) -> None:
        me = threading.current_thread()
        present: list[Future[Any]] = []
        self._watchdog.replaceable(lambda error: self._do_without(me, present, error))
        while me in self._threads:
            task = self._tasks.get()
            if task is None:
                return
            present[:] = [task[0]]
            _run(*task)
            with self._lock:
                self._begun -= len(present)  # nothing is left of what was written off
                present.clear()

    def _do_without(self, thread: threading.Thread, present: "list[Future[Any]]", error: BaseException) -> None:
        """Put another thread in the place of one that is stuck; its caller is told."""
        with self._lock:
            self._threads.discard(thread)
            self._begun -= len(present)
            futures = tuple(present)
            present.clear()
            self._start()
        for future in futures:
            with contextlib.suppress(InvalidStateError):
                future.set_exception(error)

    def close(self) -> None:
        """Wait for what is running, a while."""
        with self._lock:
            threads = tuple(self._threads)
        for _ in threads:
            self._tasks.put(None)
        until = time.monotonic() + CLOSING_SECONDS
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))


def _run(future: "Future[Any]", function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function(*arguments)
    except BaseException as error:  # noqa: BLE001 - whoever waits for the result gets it
        with contextlib.suppress(InvalidStateError):  # it was written off, and has come back
            future.set_exception(error)
        return
    with contextlib.suppress(InvalidStateError):
        future.set_result(result)


class Lanes:
    """A quick lane of threads for most requests, a slow one for searches, exports and hashing, and one for quick reads.

    Few threads are fast threads: sqlite3 gives the interpreter lock up at every step, and forty of them halved the
    throughput and doubled the CPU of one. None is faster still, see `docs/decisions/0012-quick-reads-on-sqlite.md` and
    `docs/decisions/0038-quick-reads-on-postgresql.md`.

    Attributes:
        quick: for what writes.
        slow: for what takes longer than some milliseconds.
        reading: for quick reads.
        pressure: whether there is more to do than can be done.
    """

    def __init__(
        self,
        quick: int,
        slow: int,
        *,
        reads_here: bool,
        watchdog: Watchdog,
        patience: float = PATIENCE_SECONDS,
        strand: "type[Strand] | None" = None,
    ) -> None:
        """Start no thread yet; each starts with its first request.

        Args:
            quick: number of threads for what takes milliseconds.
            slow: number of threads for what takes longer.
            reads_here: whether quick reads take no thread, but run on the event loop.
            watchdog: writes off threads that are stuck.
            patience: seconds that a request may wait for its turn; while one waits for longer, others are refused.
            strand: makes what gives way while it waits for the database; without, reads on the loop take turns.
        """
        self.quick = Lane(quick, "quick", watchdog, ahead=AHEAD)
        self.slow = Lane(slow, "slow", watchdog)
        self.pressure = Pressure(patience)
        self.pressure.watch(self.quick.backlog, writes=True if reads_here else None)
        self.reading: AnyLane = self.quick
        if reads_here:
            self.reading = Interleaved(strand, self.pressure, watchdog) if strand else Turns(self.pressure)
        self._patience = patience

    def choose(self, endpoint: Endpoint, query: str) -> "AnyLane":
        """Return the lane for a request."""
        if is_slow(endpoint, query):
            return self.slow
        return self.quick if endpoint.writes else self.reading

    def are_full(self, lane: "AnyLane") -> bool:
        """Tell whether there is no use in waiting for `lane`."""
        if lane is self.slow:
            return lane.backlog.is_longer_than(self._patience * PATIENCE_WITH_SLOW)
        return self.pressure.is_high(writes=lane is self.quick)

    def close(self) -> None:
        """Wait for what is running."""
        for lane in (self.reading, self.quick, self.slow):
            lane.close()


def is_slow(endpoint: Endpoint, query: str) -> bool:
    """Tell whether a request may take longer than some milliseconds."""
    if endpoint.slow:
        return True
    if not query or endpoint.query is None or not issubclass(endpoint.query, Filters):
        return False
    text = unquote(query) if "%" in query else query
    return any(f"{name}=" in text for name in endpoint.query.slow)
