"""Figures of tickets in the words and forms of the two documents."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from helpdesk_core.api import Person, Viewer
from helpdesk_tickets.models import NO_CATEGORY, PRIORITIES
from helpdesk_tickets.queries.statistics import AgentFigures, Figures, category_names, figures, figures_by_agent
from helpdesk_tickets.schemas.statistics import AgentStatistics, ClassicStats, Period, TicketStatistics

UNCATEGORIZED = "Uncategorized"
MINUTE, HOUR, DAY = 60, 3_600, 86_400


def classic_stats(session: Session, viewer: Viewer, period: Period) -> ClassicStats:
    """Return CLASSIC's figures of the tickets that `viewer` may see."""
    found = figures(session, viewer, period)
    by_status, by_priority = found.by(0), found.by(1)
    return ClassicStats(
        total_tickets=found.total,
        open_tickets=by_status["new"] + by_status["open"],
        in_progress_tickets=by_status["in_progress"] + by_status["pending"],
        resolved_tickets=by_status["resolved"],
        closed_tickets=by_status["closed"],
        overdue_tickets=found.overdue,
        tickets_by_priority={priority: by_priority[priority] for priority in PRIORITIES},
        tickets_by_category=_by_category(session, found),
        avg_resolution_time=round(found.seconds / found.resolved / HOUR, 1) if found.resolved else 0.0,
        tickets_created_today=found.created_today,
        tickets_resolved_today=found.resolved_today,
    )


def ticket_statistics(session: Session, viewer: Viewer, period: Period) -> TicketStatistics:
    """Return COMPREHENSIVE's figures of the tickets that `viewer` may see."""
    found = figures(session, viewer, period)
    stored, by_priority = found.by(0), found.by(1)
    states = {
        "new": stored["new"],
        "open": stored["open"] + stored["in_progress"],
        "pending": stored["pending"],
        "resolved": stored["resolved"],
        "closed": stored["closed"],
    }
    return TicketStatistics(
        total_tickets=found.total,
        open_tickets=states["open"],
        pending_tickets=states["pending"],
        resolved_tickets=states["resolved"],
        closed_tickets=states["closed"],
        average_resolution_time=duration(found.seconds, found.resolved),
        sla_compliance=compliance(found.met, found.due),
        priority_distribution={priority: by_priority[priority] for priority in PRIORITIES},
        status_distribution=states,
    )


def agent_statistics(
    session: Session, viewer: Viewer, agents: Sequence[Mapping[str, Any]], period: Period
) -> list[AgentStatistics]:
    """Return the figures of the tickets that each of `agents` works on."""
    found = figures_by_agent(session, [agent["id"] for agent in agents], period, viewer.now)
    return [_of_agent(agent, found.get(agent["id"], AgentFigures())) for agent in agents]


def _of_agent(agent: Mapping[str, Any], found: AgentFigures) -> AgentStatistics:
    return AgentStatistics(
        agent=Person(**agent),
        assigned_tickets=found.total,
        open_tickets=found.unresolved,
        resolved_tickets=found.total - found.unresolved,
        overdue_tickets=found.overdue,
        average_resolution_time=duration(found.seconds, found.resolved),
        sla_compliance=compliance(found.met, found.due),
    )


def duration(seconds: int, tickets: int) -> str:
    """Return an average as text.

    >>> duration(1800, 1), duration(9000, 1), duration(432_000, 2), duration(0, 0)
    ('30 minutes', '2.5 hours', '2.5 days', '0 hours')
    """
    if not tickets:
        return "0 hours"
    average = seconds / tickets
    if average < HOUR:
        return f"{int(average // MINUTE)} minutes"
    return f"{average / HOUR:.1f} hours" if average < DAY else f"{average / DAY:.1f} days"


def compliance(met: int, due: int) -> float:
    """Return the percentage of due times that were kept; all of them where there were none."""
    return round(100 * met / due, 1) if due else 100.0


def _by_category(session: Session, found: Figures) -> dict[str, int]:
    numbers = found.by(2)
    named: dict[str, int] = {}
    for key, name in category_names(session).items():
        if numbers[key]:
            named[name] = numbers[key]
    if numbers[NO_CATEGORY]:
        named[UNCATEGORIZED] = named.get(UNCATEGORIZED, 0) + numbers[NO_CATEGORY]
    return named
