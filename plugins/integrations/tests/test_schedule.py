"""When deliveries are tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from helpdesk_integrations.schedule import (
    LAST_PAUSE,
    LONGEST_PAUSE,
    RETRIES,
    TRIP_AFTER,
    asked_pause,
    delay_after,
    pause_after,
)

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def test_ten_tries_take_75_hours_and_35_minutes():
    assert len(RETRIES.delays) == 9
    assert sum(RETRIES.delays, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)


@pytest.mark.parametrize("tries", range(1, 10))
def test_delays_differ_by_a_fifth_at_most(tries):
    wanted = RETRIES.delays[tries - 1]
    drawn = [delay_after(tries) for _ in range(200)]
    assert all(wanted * 0.8 <= each <= wanted * 1.2 for each in drawn)
    assert len(set(drawn)) > 1


def test_there_is_no_eleventh_try():
    assert delay_after(10) is None


def test_the_circuit_never_stays_open_longer_than_the_schedule_waits_after_so_many_failures():
    assert pause_after(TRIP_AFTER - 1) is None
    assert RETRIES.delays[TRIP_AFTER - 1] * 0.8 > LAST_PAUSE
    assert pause_after(1000) == LAST_PAUSE


@pytest.mark.parametrize(
    ("status", "header", "pause"),
    [
        (429, "120", timedelta(minutes=2)),
        (503, "Mon, 02 Mar 2026 10:05:00 GMT", timedelta(minutes=5)),
        (503, "Mon, 02 Mar 2026 09:00:00 GMT", None),
        (429, "99999999999999999999", LONGEST_PAUSE),
        (429, "0", None),
        (429, "soon", None),
        (429, "-5", None),
        (429, None, None),
        (500, "120", None),
    ],
)
def test_a_receiver_can_ask_for_a_pause(status, header, pause):
    assert asked_pause(status, header, NOW) == pause
