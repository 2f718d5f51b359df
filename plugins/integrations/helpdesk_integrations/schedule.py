"""When a delivery is tried: ten times over 75 hours and 35 minutes, and with what between."""

import math
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from helpdesk_core.api import Retries

RETRIES = Retries(
    (
        timedelta(seconds=5),
        timedelta(minutes=5),
        timedelta(minutes=30),
        timedelta(hours=2),
        timedelta(hours=5),
        timedelta(hours=10),
        timedelta(hours=14),
        timedelta(hours=20),
        timedelta(hours=24),
    )
)
TIMEOUT = timedelta(seconds=15)

MOST_AT_ONCE = 4
"""Requests to one webhook at the same time."""
MOST_AN_HOUR = 500
"""Requests to one webhook; more wait."""
LONGEST_PAUSE = timedelta(hours=1)
"""That a receiver can ask for with Retry-After."""
PAUSING = frozenset({429, 502, 503, 504})
"""Answers whose Retry-After counts."""

TRIP_AFTER = 5
"""Failures in a row that open the circuit."""
FIRST_PAUSE, LAST_PAUSE = timedelta(seconds=30), timedelta(minutes=30)
"""How long it stays open at first, and at most: shorter than what the schedule waits after so many failures anyway."""
GIVE_UP_AFTER = timedelta(days=5)
"""Of nothing but failures, a webhook is switched off."""


def delay_after(tries: int) -> timedelta | None:
    """Return how long to wait after so many failed tries; nothing when no try is left."""
    delay = RETRIES.after(tries)
    return delay and timedelta(seconds=math.ceil(delay.total_seconds()))  # the database keeps whole ones


def pause_after(failures: int) -> timedelta | None:
    """Return how long the circuit stays open after so many failures in a row; nothing when it stays closed."""
    if failures < TRIP_AFTER:
        return None
    return min(FIRST_PAUSE * (1 << min(failures - TRIP_AFTER, 10)), LAST_PAUSE)


def asked_pause(status: int | None, retry_after: str | None, now: datetime) -> timedelta | None:
    """Return how long the receiver asks to be left alone, within bounds: Retry-After has seconds or a date."""
    if status not in PAUSING or not retry_after:
        return None
    if retry_after.strip().isdecimal():
        asked = timedelta(seconds=int(retry_after.strip()[:9]))
    else:
        try:
            until = parsedate_to_datetime(retry_after)
        except ValueError:
            return None
        asked = until - now if until.tzinfo else timedelta()
    return min(asked, LONGEST_PAUSE) if asked > timedelta() else None
