"""What a ticket contributes to the counters, and keeping them so."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session

from helpdesk_core.api import adjust
from helpdesk_tickets.models import NO_CATEGORY, TicketCount, TicketTally


class Counted(Protocol):
    """The facts of a ticket that counters depend on."""

    status: Any
    priority: Any
    category_id: Any
    created_at: Any
    due_date: Any
    target_at: Any
    resolved_at: Any
    deleted_at: Any


Counts = Mapping[tuple[Any, ...], int]


def day_of(instant: datetime) -> str:
    """Return the UTC day of an instant, as the keys of `TicketTally` have it."""
    return instant.date().isoformat()


def contributions(ticket: Counted) -> tuple[Counts, Counts]:
    """Return what a ticket adds to `TicketCount` and to `TicketTally`; a deleted one adds nothing."""
    if ticket.deleted_at is not None:
        return {}, {}
    counts = {(ticket.status, ticket.priority, ticket.category_id or NO_CATEGORY): 1}
    tallies = {("created", day_of(ticket.created_at)): 1}
    if ticket.resolved_at is not None:
        seconds = int((ticket.resolved_at - ticket.created_at).total_seconds())
        tallies["resolved", day_of(ticket.resolved_at)] = 1
        tallies["resolution", "seconds"] = seconds
        tallies["resolution", "tickets"] = 1
        if ticket.target_at is not None:
            tallies["target", "set"] = 1
            tallies["target", "met"] = int(ticket.resolved_at <= ticket.target_at)
    elif ticket.due_date is not None:
        tallies["due", day_of(ticket.due_date)] = 1
    return counts, tallies


NOTHING: tuple[Counts, Counts] = ({}, {})


def count(session: Session, before: tuple[Counts, Counts], after: tuple[Counts, Counts]) -> None:
    """Move the counters from what a ticket contributed to what it contributes now."""
    adjust(session, TicketCount, before[0], after[0])
    adjust(session, TicketTally, before[1], after[1])
