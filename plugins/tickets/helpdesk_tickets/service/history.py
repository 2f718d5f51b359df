"""The history of a ticket: which fields changed, by whom, when, from what to what."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from helpdesk_core.api import api_time, insertion
from helpdesk_tickets.models import TicketChange

Changes = Mapping[str, tuple[Any, Any]]
"""Value before and after, by COMPREHENSIVE's name of the field."""

_add_change = insertion(TicketChange)


def add_changes(session: Session, ticket_id: int, actor_id: int, moment: datetime, changes: Changes) -> None:
    """Add what changed of a ticket to its history, in one statement."""
    about = {"ticket_id": ticket_id, "actor_id": actor_id, "created_at": moment}
    rows = (
        {"field": field, "before": _plain(before), "after": _plain(after)} for field, (before, after) in changes.items()
    )
    _add_change.run(session, *(about | row for row in rows))


def _plain(value: Any) -> Any:
    return api_time(value) if isinstance(value, datetime) else value
