"""`/knowledge-base/searches/`"""

from helpdesk_core.api import Context, Key, Page, Router
from helpdesk_kb.permissions import VIEW, VIEW_SEARCHES
from helpdesk_kb.queries.articles import named_article
from helpdesk_kb.queries.searches import misses
from helpdesk_kb.queries.terms import top_terms
from helpdesk_kb.schemas.searches import ClickCreate, MissFilters, MissRead, Terms, TermsQuery
from helpdesk_kb.service.searches import KEPT, find_search, note_click

router = Router("knowledge-base", tag="Knowledge base")


@router.get("/searches/", permission=VIEW_SEARCHES, slow=True)
def list_search_terms(ctx: Context, query: TermsQuery) -> Terms:
    """What people searched for most in the last ninety days, and how often they opened something then."""
    since = ctx.now - KEPT
    return Terms(since=since, results=top_terms(ctx.session, since, query.limit))


@router.get("/searches/misses/", permission=VIEW_SEARCHES)
def list_search_misses(ctx: Context, query: MissFilters) -> Page[MissRead]:
    """What people searched for and did not find in the last ninety days, the most frequent first."""
    return ctx.page(misses, query)


@router.post("/searches/{search}/clicks/", permission=VIEW)
def note_search_click(ctx: Context, search: Key, body: ClickCreate) -> None:
    """Say which article was opened from the results of a search; it counts once for each of them."""
    key = find_search(ctx.session, search)
    note_click(ctx.session, key, named_article(ctx.session, ctx.viewer, body.article))
