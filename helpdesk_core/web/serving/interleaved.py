"""Requests that run interleaved on the event loop: some go on while others wait for the database.

See `docs/decisions/0038-quick-reads-on-postgresql.md` for what that gives, and what it asks of those who write plugins.
"""

import asyncio
import select
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from helpdesk_core.plugins.watchdog import Watchdog
from helpdesk_core.web.serving.backlog import Backlog
from helpdesk_core.web.serving.pressure import Pressure
from helpdesk_core.web.serving.turns import CROWD, Looks

if TYPE_CHECKING:
    from helpdesk_core.strands import Awaited, Strand

T = TypeVar("T")

_Task = tuple["asyncio.Future[Any]", Callable[..., Any], tuple[Any, ...]]

PLACES = 8
"""How many requests run at once, at most, each on a connection of its own: enough for a database that is 1 ms away."""

STRETCH_SECONDS = 0.01
"""How long a crowd is served before the loop looks at its sockets. With 15 ms as on SQLite no more was served, and one
refusal of a hundred took more than the fifty milliseconds it may, where writers want the interpreter as well."""

MOMENT_SECONDS = 0.001
"""How long those who are no crowd are served before the loop looks at its sockets."""


class Interleaved:
    """A lane of strands.

    What they wait for is kept in an epoll of its own, of which the event loop sees one descriptor only: to have the
    loop itself watch a connection for each statement costs several times as much, and it could not be asked to look
    at those alone while a crowd is served.

    Attributes:
        backlog: those that wait for a place.
    """

    def __init__(self, strand: "type[Strand]", pressure: Pressure, watchdog: Watchdog, places: int = PLACES) -> None:
        """Prepare.

        Args:
            strand: makes strands.
            pressure: hears of those who wait.
            watchdog: watches what runs.
            places: how many run at once.
        """
        self.backlog = pressure.watch(Backlog(), writes=False)
        self._strand = strand
        self._watchdog = watchdog
        self._free = places
        self._idle: list[Strand] = []
        self._looks = Looks(pressure)
        self._queue: deque[_Task] = deque()
        self._waiting: dict[int, Strand] = {}
        self._is_coming = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._poll: select.epoll

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call `function` as soon as there is a place for it, and return what it returns."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._move_to(loop)
        done: asyncio.Future[T] = loop.create_future()
        self.backlog.join(time.monotonic())
        self._queue.append((done, function, arguments))
        self._come_soon(loop)
        return await done

    def close(self) -> None:
        """Look no longer; what runs here has been waited for."""
        if self._loop is not None:
            self._loop.remove_reader(self._poll.fileno())
            self._poll.close()
            self._loop = None

    def _move_to(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look with another loop than before, which is over: a server has one, tests have several."""
        if self._loop is not None:
            self._poll.close()
        self._idle.clear()  # they belong to the other one's thread
        self._is_coming = False
        self._loop, self._poll = loop, select.epoll()
        loop.add_reader(self._poll.fileno(), self._hear)

    def _come_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._free and not self._is_coming:
            self._is_coming = True
            loop.call_soon(self._come)

    def _come(self) -> None:
        self._is_coming = False
        self._turn()

    def _hear(self) -> None:
        """Take a turn since somebody is answered, unless there is one with the present look anyway."""
        if not self._is_coming:
            self._turn()

    def _turn(self) -> None:
        """Go on with those that were answered, and begin others, unless the loop is to look at its sockets first."""
        if not self._looks.wants_another():
            self._take_a_turn()
        if self._queue and self._loop is not None:
            self._come_soon(self._loop)  # to those that are answered it comes by itself

    def _take_a_turn(self) -> None:
        """Serve for a moment, or a crowd for a stretch. Somebody begins with each: not all end soon who can go on."""
        if self._free and self._queue:
            self._begin_next()
        crowd = len(self._queue) > CROWD
        until = time.monotonic() + (STRETCH_SECONDS if crowd else MOMENT_SECONDS)
        while self._go_on(wait_until=until if crowd else 0.0) and time.monotonic() < until:
            pass
        if crowd:
            self._looks.after_a_stretch()

    def _go_on(self, *, wait_until: float) -> bool:
        """Go on with those that are answered; if nobody is, begin one; tell whether there was anything to do.

        So there are no more at once than it takes to be never without work: two or three if the database is near, whose
        connections and frames are in the processor's caches then.
        """
        found = self._poll.poll(0)
        if not found and self._free and self._queue:
            self._begin_next()
            return True
        if not found and wait_until:
            found = self._poll.poll(max(0.0, wait_until - time.monotonic()))
        for descriptor, events in found:
            self._switch(self._waiting.pop(descriptor), events)
        return bool(found)

    def _begin_next(self) -> None:
        task = self._queue.popleft()
        self.backlog.leave(time.monotonic())
        if not task[0].done():  # the one who asked may have gone
            self._begin(task)

    def _begin(self, task: _Task) -> None:
        self._free -= 1
        strand = self._idle.pop() if self._idle else self._strand(self._watchdog)
        self._switch(strand, partial(_run, *task))

    def _switch(self, strand: "Strand", given: Any) -> None:
        """Let a strand run until it waits for something, or is done."""
        awaited: Awaited | None = strand.switch(given)
        if awaited is None:
            self._free += 1
            self._idle.append(strand)
        elif isinstance(awaited, tuple):
            self._await(strand, *awaited)
        else:
            self._await_thread(strand, awaited)

    def _await(self, strand: "Strand", descriptor: int, events: int) -> None:
        self._waiting[descriptor] = strand
        try:
            self._poll.modify(descriptor, events | select.EPOLLONESHOT)
        except FileNotFoundError:  # of a new connection
            self._poll.register(descriptor, events | select.EPOLLONESHOT)

    def _await_thread(self, strand: "Strand", function: Callable[[], Any]) -> None:
        loop = asyncio.get_running_loop()

        def go_on(done: "asyncio.Future[Any]") -> None:
            self._switch(strand, done)
            self._come_soon(loop)

        loop.run_in_executor(None, function).add_done_callback(go_on)


def _run(done: "asyncio.Future[Any]", function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        result = function(*arguments)
    except BaseException as error:  # noqa: BLE001 - whoever waits for the result gets it
        if not done.done():
            done.set_exception(error)
        return
    if not done.done():
        done.set_result(result)
