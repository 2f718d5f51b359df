"""Instants as statements outside the ORM return them: text on SQLite, instants elsewhere."""

from datetime import datetime


def instant_of(value: str | datetime) -> datetime:
    """Return what a driver gave for an instant."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value
