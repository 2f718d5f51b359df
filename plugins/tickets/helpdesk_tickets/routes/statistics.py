"""`/tickets/stats/` and `/tickets/statistics/`"""

from typing import Any

from helpdesk_core.api import Context, Dialect, Page, Router
from helpdesk_tickets.permissions import VIEW, VIEW_AGENT_STATISTICS, VIEW_STATISTICS
from helpdesk_tickets.queries.promises import sla_of_ticket
from helpdesk_tickets.queries.statistics import staff
from helpdesk_tickets.routes.paths import TicketKey, found
from helpdesk_tickets.schemas.statistics import (
    AgentStatistics,
    AgentStatisticsFilters,
    ClassicStats,
    Period,
    TicketSla,
    TicketStatistics,
)
from helpdesk_tickets.service import statistics as service

router = Router("tickets", tag="Statistics")


@router.get("/stats/", permission=VIEW_STATISTICS, document=Dialect.CLASSIC, slow=True)
def show_stats(ctx: Context, query: Period) -> ClassicStats:
    """CLASSIC's figures of the tickets that the caller may see."""
    return service.classic_stats(ctx.session, ctx.viewer, query)


@router.get("/statistics/", permission=VIEW_STATISTICS, document=Dialect.COMPREHENSIVE, slow=True)
def show_statistics(ctx: Context, query: Period) -> TicketStatistics:
    """COMPREHENSIVE's figures of the tickets that the caller may see."""
    return service.ticket_statistics(ctx.session, ctx.viewer, query)


@router.get("/statistics/agents/", permission=VIEW_AGENT_STATISTICS, document=Dialect.COMPREHENSIVE, slow=True)
def list_agent_statistics(ctx: Context, query: AgentStatisticsFilters) -> Page[AgentStatistics]:
    """The figures of the tickets that each agent, technician and administrator works on, by name."""
    page = ctx.page(staff, query)
    agents: Any = page.results  # as they were read
    figures = service.agent_statistics(ctx.session, ctx.viewer, agents, query)
    return Page(count=page.count, next=page.next, previous=page.previous, results=figures)


@router.get("/{ticket}/sla/", permission=VIEW, document=Dialect.COMPREHENSIVE)
def show_ticket_sla(ctx: Context, ticket: TicketKey) -> TicketSla:
    """By when the ticket was to be answered and resolved, and whether it was."""
    return sla_of_ticket(ctx.session, found(ctx, ticket), ctx.now)
