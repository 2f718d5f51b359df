"""Whoever waits tells how long the next one would."""

import time

from helpdesk_core.web.serving.backlog import Backlog

PATIENCE = 1.0


def served(backlog: Backlog, number: int, seconds_each: float, until: float) -> None:
    """Let so many wait at once, and be served one after another, the last one at `until`."""
    came = until - number * seconds_each
    for _ in range(number):
        backlog.join(came)
    for place in range(1, number + 1):
        backlog.leave(came + place * seconds_each)


def test_nobody_waits_at_first() -> None:
    backlog = Backlog()
    assert (len(backlog), backlog.age(), backlog.is_longer_than(PATIENCE)) == (0, 0.0, False)


def test_it_is_too_long_when_the_oldest_has_waited_for_longer() -> None:
    now = time.monotonic()
    backlog = Backlog([now - PATIENCE - 1, now])
    assert backlog.is_longer_than(PATIENCE)
    backlog.leave(now)
    assert not backlog.is_longer_than(PATIENCE)


def test_it_is_too_long_when_the_next_one_would_wait_for_longer_though_nobody_has_yet() -> None:
    backlog, now = Backlog(), time.monotonic()
    served(backlog, 50, seconds_each=0.01, until=now)
    for _ in range(80):
        backlog.join(now - 0.5)
    assert not backlog.is_longer_than(PATIENCE)
    for _ in range(80):
        backlog.join(now - 0.5)
    assert backlog.is_longer_than(PATIENCE)


def test_a_burst_is_let_in_before_anybody_has_waited() -> None:
    backlog, now = Backlog(), time.monotonic()
    served(backlog, 50, seconds_each=0.01, until=now)
    for _ in range(1000):
        backlog.join(now)
    assert not backlog.is_longer_than(5 * PATIENCE)  # though the last of them will wait for ten


def test_the_forecast_follows_those_who_were_served_last() -> None:
    backlog, now = Backlog(), time.monotonic()
    served(backlog, 1000, seconds_each=1.0, until=now)
    served(backlog, 1000, seconds_each=0.001, until=now)
    for _ in range(500):
        backlog.join(now - 0.5)
    assert not backlog.is_longer_than(PATIENCE)
