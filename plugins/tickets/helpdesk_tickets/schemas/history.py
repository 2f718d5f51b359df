"""What goes over the wire about the history of a ticket."""

from typing import Any

from helpdesk_core.api import DbInt, Filters, Instant, Person, Schema, Username


class ChangeRead(Schema):
    """One field that changed, in COMPREHENSIVE."""

    id: DbInt
    field: str
    before: Any
    after: Any
    actor: Person | None
    """Who changed it; null where the server did."""
    created_at: Instant


class ClassicChangeRead(Schema):
    """One field that changed, in CLASSIC."""

    id: DbInt
    field: str
    before: Any
    after: Any
    actor: Username | None
    """Who changed it; null where the server did."""
    created_at: Instant


class ChangeFilters(Filters):
    """Query parameters of the history of a ticket."""
