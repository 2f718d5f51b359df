"""Back-pressure: a process that is asked for more than it can do refuses the rest at once, and does not do less for it.

What counts is how long the oldest request has waited for its turn. A number of requests would say nothing: some take a
millisecond, some a hundred.
"""

import asyncio
import time
from collections import deque
from typing import Final

Backlog = deque[float]
"""When each request that waits began to, the oldest first. Threads add to it and take from it without a lock."""


def age(backlog: Backlog) -> float:
    """Return the seconds that the oldest one has waited; 0 if none does."""
    try:
        return time.monotonic() - backlog[0]
    except IndexError:  # asked for first, it might be taken meanwhile
        return 0.0


class Pressure:
    """Tells whether this process is behind with its work.

    Attributes:
        refused: requests that were refused for it since the start.
    """

    def __init__(self, seconds: float) -> None:
        """Let requests wait for so many seconds; one backlog after the other is added by whoever keeps it."""
        self._seconds: Final = seconds
        self._backlogs: list[Backlog] = []
        self.refused = 0

    def watch(self, backlog: Backlog) -> Backlog:
        """Count `backlog` in, and return it."""
        self._backlogs.append(backlog)
        return backlog

    def is_high(self) -> bool:
        """Tell whether the oldest request of any backlog has waited for too long."""
        return any(age(backlog) > self._seconds for backlog in self._backlogs if backlog)

    def oldest(self) -> float:
        """Return the seconds that the oldest request has waited."""
        return max((age(backlog) for backlog in self._backlogs), default=0.0)


class Turns:
    """Lets one request at a time run on the event loop, and the loop do everything else between two of them.

    Otherwise it would run all that have arrived before it looks at its sockets again, and nobody could be refused
    before all of those were done.
    """

    def __init__(self, backlog: Backlog) -> None:
        """Keep those that wait in `backlog`."""
        self.backlog = backlog
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._taken = False

    async def take(self) -> None:
        """Wait for the turn of the caller, who must not wait for anything from then on."""
        loop = asyncio.get_running_loop()
        if self._taken:
            turn = loop.create_future()
            self.backlog.append(time.monotonic())
            self._waiting.append(turn)
            await turn
            return
        self._taken = True
        loop.call_soon(self._pass_on, loop)

    def _pass_on(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            self.backlog.popleft()
            if not turn.cancelled():
                turn.set_result(None)
                loop.call_soon(self._pass_on, loop)
                return
        self._taken = False
