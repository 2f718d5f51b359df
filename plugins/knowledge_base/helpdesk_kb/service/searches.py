"""What people search for: what they open then, and what they search for in vain, where an article is missing.

Who searched is not kept: words, the number of articles that were found, and which of them were opened.
"""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from helpdesk_core.api import Context, NotFound, Prepared, Viewer, insertion, now
from helpdesk_kb.models import LONGEST_QUERY, SearchMiss
from helpdesk_kb.queries.answers import Answers
from helpdesk_kb.search_models import Search, SearchClick
from helpdesk_kb.service.views import is_program
from helpdesk_kb.words import plain_words

KEPT = timedelta(days=90)
MOST = 1_000
"""Different searches that are kept; strangers can search for anything, and nobody reads more."""

MOST_SEARCHES = 100_000
"""Searches of an organisation that are kept over night."""

_NUMBER = Prepared(
    select(func.count()).select_from(SearchMiss).where(SearchMiss.organization_id == bindparam("organization_id"))
)
_add = insertion(SearchMiss, returning="id", unless_taken=True)
_AGAIN = Prepared(
    update(SearchMiss)
    .where(SearchMiss.organization_id == bindparam("organization_id"), SearchMiss.query == bindparam("asked"))
    .values(times=SearchMiss.times + 1, last_searched_at=bindparam("moment"))
)
_keep = insertion(Search, returning="id")
_click = insertion(SearchClick, returning="search_id", unless_taken=True)
_SEARCH = Prepared(
    select(Search.id).where(Search.organization_id == bindparam("organization_id"), Search.id == bindparam("search_id"))
)
_CLICKED = Prepared(
    select(SearchClick.search_id).where(
        SearchClick.organization_id == bindparam("organization_id"),
        SearchClick.search_id == bindparam("search_id"),
        SearchClick.article_id == bindparam("article_id"),
    )
)


def note_search(ctx: Context, viewer: Viewer, question: str, found: Answers) -> int | None:
    """Note a search, in a transaction of its own: the request only reads.

    Returns:
        Its key, by which `note_click` knows it; nothing for programs, and where no words were searched for.
    """
    query = " ".join(plain_words(question))[:LONGEST_QUERY].strip()
    if not query:
        return None
    with ctx.apart(viewer.actor.organization_id) as session:
        if not found.hits or found.corrected:
            _note_miss(session, query, viewer.now)
        return None if is_program(ctx, viewer) else keep_search(session, query, len(found.hits), viewer.now)


def keep_search(session: Session, query: str, results: int, moment: datetime) -> int:
    """Keep a search for `query` that found so many articles, and return its key."""
    rows = _keep.rows(session, {"query": query, "results": results, "created_at": moment})
    return int(rows[0][0])


def note_visit(ctx: Context, viewer: Viewer, search_id: int | None, article_id: int) -> None:
    """Note that a page was opened from what a search had found; the request itself only reads."""
    if search_id is None or is_program(ctx, viewer) or not _is_new(ctx.session, search_id, article_id):
        return
    with ctx.apart(viewer.actor.organization_id) as session:
        _click.rows(session, {"search_id": search_id, "article_id": article_id})


def find_search(session: Session, search_id: int) -> int:
    """Return the key of a search that is kept; else raise `NotFound`."""
    if not _SEARCH.rows(session, {"search_id": search_id}):
        raise NotFound
    return search_id


def note_click(session: Session, search_id: int, article_id: int) -> None:
    """Note that an article was opened from what a search had found; once for each search and article."""
    _click.rows(session, {"search_id": search_id, "article_id": article_id})


def _is_new(session: Session, search_id: int, article_id: int) -> bool:
    clicked = {"search_id": search_id, "article_id": article_id}
    return bool(_SEARCH.rows(session, {"search_id": search_id})) and not _CLICKED.rows(session, clicked)


def _note_miss(session: Session, query: str, moment: datetime) -> None:
    has_room = _NUMBER.rows(session, {})[0][0] < MOST
    if not has_room or not _add.rows(session, {"query": query, "times": 1, "last_searched_at": moment}):
        _AGAIN.run(session, {"asked": query, "moment": moment})


def forget_misses(session: Session) -> None:
    """Forget what nobody has searched for lately."""
    session.execute(delete(SearchMiss).where(SearchMiss.last_searched_at < now(session) - KEPT))


def forget_searches(session: Session) -> None:
    """Forget searches of long ago with what was opened then, and all but the newest of very many."""
    session.execute(delete(Search).where(Search.created_at < now(session) - KEPT))
    beyond = select(Search.id).order_by(Search.created_at.desc(), Search.id.desc()).offset(MOST_SEARCHES).limit(1)
    newest = session.scalar(beyond)
    if newest is not None:
        session.execute(delete(Search).where(Search.id <= newest))
