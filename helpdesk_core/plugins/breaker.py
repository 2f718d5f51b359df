"""The circuit breaker of a plugin: takes it out while most of what it does fails, and lets it try again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=1)
"""Failures that are further apart have nothing to do with each other."""

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=15)
"""The pause doubles each time."""

FORGOTTEN = timedelta(minutes=30)
"""After so long without a pause, the next one is a short one again."""


@dataclass(slots=True)
class Breaker:
    """Counts what one plugin does in one process.

    Attributes:
        most: failures in a window that make it trip, if at least half of the calls failed.
        calls: that went well, in this window.
        failures: in this window.
        since: when the window began.
        trips: how often it has tripped of late.
        until: the end of the last pause.
    """

    most: int
    calls: int = 0
    failures: int = 0
    since: datetime | None = None
    trips: int = 0
    until: datetime | None = None

    def failed(self, now: datetime) -> bool:
        """Count a failure; tell whether the plugin has to pause."""
        if self.since is None or now - self.since > WINDOW:
            self.calls, self.failures, self.since = 0, 0, now
        self.failures += 1
        return bool(self.most) and self.failures >= self.most and self.failures >= self.calls

    def trip(self, now: datetime) -> datetime:
        """Begin a pause, and return its end."""
        if self.until is not None and now - self.until > FORGOTTEN:
            self.trips = 0
        self.trips += 1
        pause: timedelta = min(FIRST_PAUSE * 2 ** (self.trips - 1), LONGEST_PAUSE)
        self.until = now + pause
        self.calls, self.failures, self.since = 0, 0, None
        return self.until
