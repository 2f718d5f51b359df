"""`/tickets/stats/` and `/tickets/statistics/`"""

from helpdesk_core.api import Context, Dialect, Page, Router
from helpdesk_tickets.permissions import VIEW_AGENT_STATISTICS, VIEW_STATISTICS
from helpdesk_tickets.schemas.statistics import (
    AgentStatistics,
    AgentStatisticsFilters,
    ClassicStats,
    Period,
    TicketStatistics,
)
from helpdesk_tickets.service import statistics as service

router = Router("tickets", tag="Statistics")


@router.get("/stats/", permission=VIEW_STATISTICS, document=Dialect.CLASSIC)
def show_stats(ctx: Context, query: Period) -> ClassicStats:
    """CLASSIC's figures of the tickets that the caller may see."""
    return service.classic_stats(ctx.session, ctx.viewer, query)


@router.get("/statistics/", permission=VIEW_STATISTICS, document=Dialect.COMPREHENSIVE)
def show_statistics(ctx: Context, query: Period) -> TicketStatistics:
    """COMPREHENSIVE's figures of the tickets that the caller may see."""
    return service.ticket_statistics(ctx.session, ctx.viewer, query)
