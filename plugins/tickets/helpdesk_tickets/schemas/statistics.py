"""What goes over the wire about figures of tickets: one body for each document, and figures by agent."""

from typing import Annotated

from pydantic import Field

from helpdesk_core.api import DbInt, Filters, Instant, Person, Schema, UntilDateTime

Figure = Annotated[int, Field(ge=0)]


class Period(Schema):
    """Query parameters of statistics: only tickets created in a period."""

    created_after: Instant | None = None
    """Inclusive."""
    created_before: UntilDateTime | None = None
    """Inclusive; a bare date means the end of that day, UTC."""


class ClassicStats(Schema):
    """CLASSIC's figures."""

    total_tickets: Figure
    open_tickets: Figure
    in_progress_tickets: Figure
    resolved_tickets: Figure
    closed_tickets: Figure
    overdue_tickets: Figure
    tickets_by_priority: dict[str, Figure]
    tickets_by_category: dict[str, Figure]
    """By name; tickets without a category are `Uncategorized`, categories without tickets are left out."""
    avg_resolution_time: float
    """In hours."""
    tickets_created_today: Figure
    tickets_resolved_today: Figure


class TicketStatistics(Schema):
    """COMPREHENSIVE's figures."""

    total_tickets: Figure
    open_tickets: Figure
    pending_tickets: Figure
    resolved_tickets: Figure
    closed_tickets: Figure
    average_resolution_time: Annotated[str, Field(examples=["2.5 days"])]
    sla_compliance: Annotated[float, Field(ge=0, le=100)]
    """Of the resolved tickets with a due time, the percentage that kept it."""
    priority_distribution: dict[str, Figure]
    status_distribution: dict[str, Figure]


class AgentStatistics(Schema):
    """The figures of the tickets that one person works on."""

    agent: Person
    assigned_tickets: Figure
    open_tickets: Figure
    """Neither resolved nor closed."""
    resolved_tickets: Figure
    """Resolved or closed."""
    overdue_tickets: Figure
    average_resolution_time: str
    sla_compliance: Annotated[float, Field(ge=0, le=100)]


class AgentStatisticsFilters(Filters, Period):
    """Query parameters of the figures by agent."""


class Promise(Schema):
    """By when something is to happen to a ticket, and when it did."""

    due_at: Instant | None
    """Null where nothing promises it."""
    done_at: Instant | None
    is_breached: bool


class TicketSla(Schema):
    """What was promised for a ticket."""

    policy: DbInt | None
    """Key of the SLA policy of its priority, if one is active."""
    first_response: Promise
    resolution: Promise
