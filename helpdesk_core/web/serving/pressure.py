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
        """Let requests wait for so many seconds; whoever keeps a backlog says whether readers or writers wait in it."""
        self._seconds: Final = seconds
        self._backlogs: dict[bool, list[Backlog]] = {False: [], True: []}
        self.refused = 0

    def watch(self, backlog: Backlog, *, writes: bool | None = None) -> Backlog:
        """Count `backlog` in, for those who write, those who read, or for all; return it."""
        for kind in (False, True) if writes is None else (writes,):
            self._backlogs[kind].append(backlog)
        return backlog

    def is_high(self, *, writes: bool) -> bool:
        """Tell whether somebody of the same kind has waited for too long."""
        return any(age(backlog) > self._seconds for backlog in self._backlogs[writes] if backlog)

    def oldest(self) -> float:
        """Return the seconds that the oldest request has waited."""
        return max((age(backlog) for kind in self._backlogs.values() for backlog in kind), default=0.0)


CROWD = 32
"""So many that wait are more than the connections of usual clients."""

ROUNDS = 6
"""Rounds of the loop between two turns of a crowd. libuv accepts one connection in each: with one round for each
request of a millisecond, newcomers would wait for a second before they could be refused."""


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

    def _pass_on(self, loop: asyncio.AbstractEventLoop, rounds: int = 0) -> None:
        if rounds == 0 and len(self._waiting) > CROWD:
            rounds = ROUNDS
        if rounds > 1:
            loop.call_soon(self._pass_on, loop, rounds - 1)
            return
        while self._waiting:
            turn = self._waiting.popleft()
            self.backlog.popleft()
            if not turn.cancelled():
                turn.set_result(None)
                loop.call_soon(self._pass_on, loop)
                return
        self._taken = False
