"""Instants are written in one form, whichever they are."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from helpdesk_core.clock import api_time

EAST = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(2024, 1, 31, 9, 30, tzinfo=UTC), "2024-01-31T09:30:00Z"),
        (datetime(2024, 1, 1, 1, 30, 15, 999_999, tzinfo=EAST), "2023-12-31T23:30:15Z"),
        (datetime(6, 12, 15, 21, 7, 33, tzinfo=UTC), "0006-12-15T21:07:33Z"),
    ],
)
def test_an_instant_is_utc_in_whole_seconds_with_a_year_of_four_digits(instant, text):
    assert api_time(instant) == text
    assert datetime.fromisoformat(text) == instant.replace(microsecond=0)
