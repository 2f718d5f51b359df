"""Strands: what takes turns in one thread, each giving way to the others while it waits for PostgreSQL.

A thread for each request costs the interpreter some twenty-five changes of threads for a list; a strand costs a
microsecond where it waits. What runs in one is written as for a thread, and has one rule more: whoever holds a lock
that others of the same thread want must not ask the database meanwhile.

Needs greenlet and psycopg, hence is imported only where there is PostgreSQL.
"""

import select
from collections.abc import Callable
from typing import Any, Final, Protocol

import psycopg
from greenlet import getcurrent, greenlet
from psycopg.abc import RV, PQGen
from psycopg.waiting import Ready, Wait

Awaited = tuple[int, int] | Callable[[], Any]
"""What a strand waits for: events of a file descriptor, as epoll counts them, or that a function has returned which
another thread calls. It is switched to with the events that have happened, or with a future of what was returned."""

_INTERVAL = 0.1
_WRITING = int(Wait.W)
_EVENTS = {
    Wait.R: select.EPOLLIN,
    Wait.W: select.EPOLLOUT,
    Wait.RW: select.EPOLLIN | select.EPOLLOUT,
}


class Watch(Protocol):
    """Watches what runs in a thread, one thing at a time."""

    def rest(self) -> Any:
        """Watch it no longer, for it waits; return what `go_on` needs."""

    def go_on(self, watched: Any, /) -> None:
        """Watch it again."""


class Strand(greenlet):
    """Does one job after the other, and gives way while it waits.

    `switch` gives an idle one its next job, and one that waits what it waits for. It returns what the strand waits for
    next, and nothing once the job is done.

    Strands are kept: Python has the system map memory for the frames of each new one, which is a twentieth of a list.
    """

    def __init__(self, watch: Watch) -> None:
        """Prepare; whoever switches to it must be in the greenlet that makes it."""
        super().__init__(self._work)
        self._watch: Final = watch

    def _work(self, job: Callable[[], None]) -> None:
        while True:
            job()
            job = self.parent.switch(None)  # type: ignore[union-attr] # every strand has been made by somebody

    def wait_for(self, awaited: Awaited) -> Any:
        """Give way; return what the strand is switched to with."""
        watched = self._watch.rest()
        try:
            return self.parent.switch(awaited)  # type: ignore[union-attr]
        finally:
            self._watch.go_on(watched)


def is_in_one() -> bool:
    """Tell whether a strand asks."""
    return isinstance(getcurrent(), Strand)


def elsewhere(function: Callable[[], Any]) -> Any:
    """Return what `function` returns; another thread calls it, and other strands than the present one go on."""
    present = getcurrent()
    if not isinstance(present, Strand):
        raise TypeError("nothing but a strand can give way")
    return present.wait_for(function).result()


class Connection(psycopg.Connection[Any]):
    """A connection that gives way while it waits, if a strand uses it."""

    def wait(self, gen: PQGen[RV], interval: float = _INTERVAL, timeout: float | None = None) -> RV:
        """Let `gen` run to its end."""
        present = getcurrent()
        if not isinstance(present, Strand) or timeout is not None:
            return super().wait(gen, interval, timeout)
        descriptor = self.pgconn.socket
        try:
            wanted = next(gen)
            if wanted & _WRITING:
                wanted = gen.send(Ready.W)  # there is room for a statement, unless it is a very long one
            while True:
                wanted = gen.send(_ready(present.wait_for((descriptor, _EVENTS[wanted]))))
        except StopIteration as ended:
            value: RV = ended.value
            return value


def _ready(events: int) -> Ready:
    """Return what psycopg calls the events of epoll; errors are read."""
    if events & ~select.EPOLLOUT:
        return Ready.RW if events & select.EPOLLOUT else Ready.R
    return Ready.W
