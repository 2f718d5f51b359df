"""Time is injected: whatever needs the time asks a `Clock`, so that a test can replay a year."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return datetime.now(UTC)


def api_time(instant: datetime) -> str:
    """Return `instant` as the API writes it: UTC, whole seconds, `2024-01-31T09:30:00Z`."""
    return f"{instant.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()}Z"  # years of four digits, always


def stored_instant(value: str | datetime) -> datetime:
    """Return an instant as a driver gives it: SQLite's is text."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value
