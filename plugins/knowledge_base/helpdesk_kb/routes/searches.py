"""`/knowledge-base/searches/`"""

from helpdesk_core.api import Context, Page, Router
from helpdesk_kb.permissions import VIEW_SEARCHES
from helpdesk_kb.queries.searches import misses
from helpdesk_kb.schemas.searches import MissFilters, MissRead

router = Router("knowledge-base", tag="Knowledge base")


@router.get("/searches/misses/", permission=VIEW_SEARCHES)
def list_search_misses(ctx: Context, query: MissFilters) -> Page[MissRead]:
    """What people searched for and did not find in the last ninety days, the most frequent first."""
    return ctx.page(misses, query)
