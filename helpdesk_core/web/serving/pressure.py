"""Back-pressure: a process that is asked for more than it can do refuses the rest at once, and does not do less for it.

What counts is how long a request would wait for its turn. A number of requests would say nothing: some take a
millisecond, some a hundred.
"""

import asyncio
import time
from collections import deque
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

    def watch(self, backlog: Backlog, *, writes: bool | None = None) -> Backlog:
        """Count `backlog` in, for those who write, those who read, or for all; return it."""
        for kind in (False, True) if writes is None else (writes,):
            self._backlogs[kind].append(backlog)
        return backlog

    def is_high(self, *, writes: bool) -> bool:
        """Tell whether one more of the same kind would wait for too long."""
        for backlog in self._backlogs[writes]:  # noqa: SIM110 - a generator costs each request twice as much
            if backlog and backlog.is_longer_than(self._seconds):
                return True
        return False

    def oldest(self) -> float:
        """Return the seconds that the oldest request has waited."""
        return max((backlog.age() for kind in self._backlogs.values() for backlog in kind), default=0.0)


CROWD = 32
"""So many that wait are more than the connections of usual clients."""

STRETCH_SECONDS = 0.015
"""How long a crowd is served before the loop looks at its sockets. Those who are refused in one go cost half of what
they cost one by one, when the processor's caches have forgotten how to: with stretches of 2 ms a sixth less was served
than at the peak, with 5 ms an eighth, with 15 ms a twentieth. One refusal of a hundred takes more than two to three
stretches."""

MOST_AT_ONCE = 64

MOST_LOOKS = 8
"""How often the loop looks in a row, at most, while newcomers come in. It takes some with each look: with one, those
whom others kept outside were refused after two thirds of a second. Four looks whoever comes cost a tenth of what is
served, for those who are refused then come one by one."""


class Turns:
    """Lets one request at a time run on the event loop, and the loop do everything else between two of them.

    Otherwise it would run all that have arrived before it looks at its sockets again, and nobody could be refused
    before all of those were done. Of a crowd several run between two looks.
    """

    def __init__(self, backlog: Backlog, pressure: Pressure) -> None:
        """Keep those that wait in `backlog`; `pressure` knows who comes."""
        self.backlog = backlog
        self._pressure = pressure
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._taken = False
        self._at_once = 1
        self._looks = 0
        self._newcomers = 0
        self._passed_on_at = 0.0

    async def take(self) -> None:
        """Wait for the turn of the caller, who must not wait for anything from then on."""
        loop = asyncio.get_running_loop()
        if self._taken:
            turn = loop.create_future()
            self.backlog.join(time.monotonic())
            self._waiting.append(turn)
            await turn
            return
        self._taken = True
        loop.call_soon(self._pass_on, loop)

    def _pass_on(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._must_look_again():
            loop.call_soon(self._pass_on, loop)
            return
        passed = 0
        now = time.monotonic()
        wanted = self._how_many(now)
        while self._waiting and passed < wanted:
            turn = self._waiting.popleft()
            self.backlog.leave(now)
            if not turn.cancelled():
                turn.set_result(None)
                passed += 1
        if passed:
            self._looks = MOST_LOOKS if passed > 1 else 0
            loop.call_soon(self._pass_on, loop)
        else:
            self._taken = False

    def _must_look_again(self) -> bool:
        """Tell whether somebody came in with the last look, and others may stand behind them."""
        seen, self._newcomers = self._newcomers, self._pressure.newcomers
        self._looks = max(self._looks - 1, 0)
        return self._looks > 0 and seen != self._newcomers

    def _how_many(self, now: float) -> int:
        """Return how many may run before the next look; what the last ones took tells how many fit into a stretch."""
        took, self._passed_on_at = max(now - self._passed_on_at, 1e-6), now
        if len(self._waiting) > CROWD:
            self._at_once = max(1, min(int(self._at_once * STRETCH_SECONDS / took), MOST_AT_ONCE))
        else:
            self._at_once = 1
        return self._at_once
