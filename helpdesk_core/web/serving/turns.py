"""Turns: requests that run on the event loop one after the other, and the loop looks at its sockets in between."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from helpdesk_core.web.serving.backlog import Backlog
from helpdesk_core.web.serving.pressure import Pressure

T = TypeVar("T")

CROWD = 32
"""So many that wait are more than the connections of usual clients."""

STRETCH_SECONDS = 0.015
"""How long a crowd is served before the loop looks at its sockets. Those who are refused in one go cost half of what
they cost one by one, when the processor's caches have forgotten how to: with stretches of 2 ms a sixth less was served
than at the peak, with 5 ms an eighth, with 15 ms a twentieth. One refusal of a hundred takes more than two to three
stretches."""

MOST_AT_ONCE = 64

MOST_LOOKS = 40
"""How often the loop looks in a row, at most, while newcomers come in. It takes sixteen with each look: with eight of
them, thousands that came at once stood outside until the system turned them away, and came back after a second. Four
looks whoever comes cost a tenth of what is served, for those who are refused then come one by one."""


class Looks:
    """Tells how often the loop is to look at its sockets between two stretches."""

    def __init__(self, pressure: Pressure) -> None:
        """Begin; `pressure` knows who comes."""
        self._pressure = pressure
        self._newcomers = 0
        self._left = 0

    def after_a_stretch(self) -> None:
        """Hear that a stretch has ended, so that others may have been kept outside."""
        self._left = MOST_LOOKS

    def wants_another(self) -> bool:
        """Tell whether somebody came in with the last look, and others may stand behind them."""
        seen, self._newcomers = self._newcomers, self._pressure.newcomers
        self._left = max(self._left - 1, 0)
        return self._left > 0 and seen != self._newcomers


class Turns:
    """Lets one request at a time run on the event loop, and the loop do everything else between two of them.

    Otherwise it would run all that have arrived before it looks at its sockets again, and nobody could be refused
    before all of those were done. Of a crowd several run between two looks.

    Attributes:
        backlog: those that wait for their turn.
    """

    def __init__(self, pressure: Pressure) -> None:
        """Prepare; `pressure` hears of those who wait."""
        self.backlog = pressure.watch(Backlog(), writes=False)
        self._looks = Looks(pressure)
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._taken = False
        self._at_once = 1
        self._passed_on_at = 0.0

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call `function`, which must not wait for anything, when it is its turn; return what it returns."""
        await self._take()
        return function(*arguments)

    def close(self) -> None:
        """Do nothing: what runs here has been waited for."""

    async def _take(self) -> None:
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
        if self._looks.wants_another():
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
        if passed > 1:
            self._looks.after_a_stretch()
        if passed:
            loop.call_soon(self._pass_on, loop)
        else:
            self._taken = False

    def _how_many(self, now: float) -> int:
        """Return how many may run before the next look; what the last ones took tells how many fit into a stretch."""
        took, self._passed_on_at = max(now - self._passed_on_at, 1e-6), now
        if len(self._waiting) > CROWD:
            self._at_once = max(1, min(int(self._at_once * STRETCH_SECONDS / took), MOST_AT_ONCE))
        else:
            self._at_once = 1
        return self._at_once
