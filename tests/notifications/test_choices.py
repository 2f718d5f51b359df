"""Quiet hours on the clock of people's walls."""

from datetime import UTC, datetime

import pytest

from helpdesk_core.notifications.choices import Way, quiet_until, way_of
from helpdesk_core.notifications.models import NotificationPreferences


def preferences(**values):
    return NotificationPreferences(**{"email": True, "channels": {}, **values})


@pytest.mark.parametrize(
    ("zone", "moment", "end"),
    [
        ("UTC", "2026-03-02T21:59", None),
        ("UTC", "2026-03-02T22:00", "2026-03-03T07:00"),
        ("UTC", "2026-03-03T06:59", "2026-03-03T07:00"),
        ("UTC", "2026-03-03T07:00", None),
        ("Europe/Vienna", "2026-03-02T21:00", "2026-03-03T06:00"),
        ("Europe/Vienna", "2026-03-02T20:59", None),
        ("Asia/Kolkata", "2026-03-02T17:00", "2026-03-03T01:30"),
        ("Europe/Vienna", "2026-03-28T22:00", "2026-03-29T05:00"),  # clocks go forward in this night
        ("Europe/Vienna", "2026-10-24T21:00", "2026-10-25T06:00"),  # and back in this one
        ("Nowhere/Land", "2026-03-02T22:00", "2026-03-03T07:00"),
    ],
)
def test_quiet_hours_over_midnight(zone, moment, end):
    chosen = preferences(quiet_from="22:00", quiet_until="07:00")
    found = quiet_until(chosen, zone, datetime.fromisoformat(moment).replace(tzinfo=UTC))
    assert found == (datetime.fromisoformat(end).replace(tzinfo=UTC) if end else None)


@pytest.mark.parametrize(
    ("moment", "end"), [("11:59", None), ("12:00", "13:00"), ("12:59", "13:00"), ("13:00", None), ("23:00", None)]
)
def test_quiet_hours_within_a_day(moment, end):
    chosen = preferences(quiet_from="12:00", quiet_until="13:00")
    found = quiet_until(chosen, "UTC", datetime.fromisoformat(f"2026-03-02T{moment}").replace(tzinfo=UTC))
    assert found == (datetime.fromisoformat(f"2026-03-02T{end}").replace(tzinfo=UTC) if end else None)


@pytest.mark.parametrize("chosen", [None, preferences()])
def test_without_quiet_hours_it_is_never_quiet(chosen):
    assert quiet_until(chosen, "UTC", datetime(2026, 3, 2, 23, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("chosen", "way"),
    [
        (None, Way(in_app=True, email=True)),
        (preferences(), Way(in_app=True, email=True)),
        (preferences(email=False), Way(in_app=True, email=False)),
        (preferences(channels={"a": {"in_app": False}}), Way(in_app=False, email=True)),
        (preferences(channels={"a": {"email": False}}), Way(in_app=True, email=False)),
        (preferences(channels={"b": {"email": False}}), Way(in_app=True, email=True)),
        (preferences(email=False, channels={"a": {"email": True}}), Way(in_app=True, email=False)),
    ],
)
def test_what_was_chosen_comes_before_what_is_usual(chosen, way):
    assert way_of(chosen, "a", Way(in_app=True, email=True)) == way
