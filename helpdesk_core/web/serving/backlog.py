"""Those who wait for one thing, and how long the next one would."""

import time
from collections import deque
from collections.abc import Iterable

REMEMBERED = 1 - 1 / 128
"""What one who leaves weighs against the one after: some hundred tell how fast it goes."""

EARLY = 0.25
"""The part of the patience that somebody must have waited before a forecast counts: bursts pass."""


class Backlog:
    """A queue of those who wait, the oldest first; threads may look at it without a lock.

    Whoever has waited tells how long it takes for each that is ahead, hence how long the next one will. To look at
    nothing but how long the oldest has waited would be too late: with three times the load, those who were let in until
    then waited for three times as long, and meanwhile nobody else was let in.
    """

    def __init__(self, since: Iterable[float] = ()) -> None:
        """Let some wait already, each since a time of `time.monotonic()`."""
        self._waiting: deque[tuple[float, int]] = deque()
        self._waited = 0.0
        self._places = 0.0
        for each in since:
            self.join(each)

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    def join(self, now: float) -> None:
        """Begin to wait, as the last one."""
        self._waiting.append((now, len(self._waiting) + 1))

    def leave(self, now: float) -> None:
        """Have the oldest wait no longer."""
        since, place = self._waiting.popleft()
        self._waited = self._waited * REMEMBERED + now - since
        self._places = self._places * REMEMBERED + place

    def age(self) -> float:
        """Return the seconds that the oldest one has waited; 0 if none does."""
        try:
            return time.monotonic() - self._waiting[0][0]
        except IndexError:  # asked for first, it might be taken meanwhile
            return 0.0

    def is_longer_than(self, seconds: float, coming: int = 0) -> bool:
        """Tell whether the oldest has waited for longer than that, or the next one would with `coming` before it."""
        age = self.age()
        return age > seconds or (age > seconds * EARLY and self._forecast(coming) > seconds)

    def _forecast(self, coming: int) -> float:
        return (len(self._waiting) + coming) * self._waited / self._places if self._places else 0.0
