"""The words for states and priorities, and which document uses which (rule R7)."""

from collections.abc import Iterable, Mapping
from typing import Literal

from helpdesk_core.api import Dialect
from helpdesk_tickets.models import FINAL_STATUSES, PRIORITIES, STATUSES

CLASSIC = Dialect.CLASSIC
COMPREHENSIVE = Dialect.COMPREHENSIVE

Status = Literal["new", "open", "in_progress", "pending", "resolved", "closed"]
"""A stored state, which either document may write and filter by."""
Priority = Literal["low", "medium", "high", "urgent"]

NUMBER_PREFIX = "TKT"
"""What ticket numbers begin with."""

UNRESOLVED = tuple(status for status in STATUSES if status not in FINAL_STATUSES)

SHOWN: Mapping[Dialect, Mapping[str, str]] = {
    CLASSIC: {**{status: status for status in STATUSES}, "new": "open", "pending": "in_progress"},
    COMPREHENSIVE: {**{status: status for status in STATUSES}, "in_progress": "open"},
}
"""What a document calls a stored state."""

_MATCHED: Mapping[Dialect, Mapping[str, tuple[str, ...]]] = {
    CLASSIC: {"open": ("new", "open"), "in_progress": ("in_progress", "pending")},
    COMPREHENSIVE: {"open": ("open", "in_progress")},
}
"""Filter values that stand for several stored states; all others stand for themselves."""

DISPLAYED_STATUS = {status: SHOWN[CLASSIC][status].replace("_", " ").title() for status in STATUSES}
DISPLAYED_PRIORITY = {priority: priority.title() for priority in PRIORITIES}


def stored_statuses(values: Iterable[str] | None, dialect: Dialect) -> tuple[str, ...] | None:
    """Return the stored states that filter values mean in a document; nothing where nothing is filtered."""
    if values is None:
        return None
    wanted = {stored for value in values for stored in _MATCHED[dialect].get(value, (value,))}
    return tuple(status for status in STATUSES if status in wanted)
