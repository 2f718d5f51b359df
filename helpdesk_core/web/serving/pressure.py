"""Back-pressure: a process that is asked for more than it can do refuses the rest at once, and does not do less for it.

What counts is how long a request would wait for its turn. A number of requests would say nothing: some take a
millisecond, some a hundred.
"""

import asyncio
from typing import Final

from helpdesk_core.web.serving.backlog import Backlog


class Pressure:
    """Tells whether this process is behind with its work.

    Attributes:
        refused: requests that were refused for it since the start.
        newcomers: connections that were taken since the start.
    """

    def __init__(self, seconds: float) -> None:
        """Let requests wait for so many seconds; whoever keeps a backlog says whether readers or writers wait in it."""
        self._seconds: Final = seconds
        self._backlogs: dict[bool, list[Backlog]] = {False: [], True: []}
        self.refused = 0
        self.newcomers = 0
        self._coming = {False: 0, True: 0}

    def watch(self, backlog: Backlog, *, writes: bool | None = None) -> Backlog:
        """Count `backlog` in, for those who write, those who read, or for all; return it."""
        for kind in (False, True) if writes is None else (writes,):
            self._backlogs[kind].append(backlog)
        return backlog

    def is_high(self, *, writes: bool, coming: int = 0) -> bool:
        """Tell whether one more of the same kind would wait for too long, with `coming` others before it."""
        for backlog in self._backlogs[writes]:  # noqa: SIM110 - a generator costs each request twice as much
            if backlog and backlog.is_longer_than(self._seconds, coming):
                return True
        return False

    def lets_in(self, *, writes: bool) -> bool:
        """Tell whether one more that has arrived may go on, for `let_in` to hear."""
        return not self.is_high(writes=writes, coming=self._coming[writes])

    def let_in(self, loop: asyncio.AbstractEventLoop, *, writes: bool) -> None:
        """Hear that one is on its way to a backlog. With one look the loop may take hundreds who get there after it."""
        if not self._coming[writes]:
            loop.call_soon(self._have_come, writes)
        self._coming[writes] += 1

    def _have_come(self, writes: bool) -> None:  # noqa: FBT001 - called by the loop, with what it was given
        self._coming[writes] = 0

    def oldest(self) -> float:
        """Return the seconds that the oldest request has waited."""
        return max((backlog.age() for kind in self._backlogs.values() for backlog in kind), default=0.0)
