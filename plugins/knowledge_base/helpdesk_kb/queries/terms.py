"""What people search for most, and how often they open something then."""

from datetime import datetime

from sqlalchemy import BindParameter, and_, bindparam, func, select
from sqlalchemy.orm import Session

from helpdesk_core.api import Prepared
from helpdesk_kb.queries.instants import instant_of
from helpdesk_kb.schemas.searches import TermRead
from helpdesk_kb.search_models import Search, SearchClick

_OF_TENANT: BindParameter[int] = bindparam("organization_id")

_opened = (
    select(SearchClick.search_id, func.count().label("clicks"))
    .where(SearchClick.organization_id == _OF_TENANT)
    .group_by(SearchClick.search_id)
    .subquery()
)
_terms = (
    select(
        func.count().label("times"),
        func.count(_opened.c.search_id).label("successful"),
        func.coalesce(func.sum(_opened.c.clicks), 0).label("clicks"),
        func.max(Search.id).label("last"),
    )
    .select_from(Search)
    .outerjoin(_opened, _opened.c.search_id == Search.id)
    .where(Search.organization_id == _OF_TENANT, Search.created_at >= bindparam("since"))
    .group_by(Search.query)
    .order_by(func.count().desc(), func.max(Search.id).desc())
    .limit(bindparam("limit"))
    .subquery()
)
_TOP = Prepared(
    select(Search.query, _terms.c.times, Search.results, _terms.c.clicks, _terms.c.successful, Search.created_at)
    .select_from(_terms)
    .join(Search, and_(Search.id == _terms.c.last, Search.organization_id == _OF_TENANT))
    .order_by(_terms.c.times.desc(), _terms.c.last.desc())
)


def top_terms(session: Session, since: datetime, limit: int) -> list[TermRead]:
    """Return what was searched for most since an instant, the most frequent first."""
    rows = _TOP.rows(session, {"since": since, "limit": limit})
    return [
        TermRead(
            query=query,
            times=times,
            results=results,
            clicks=int(clicks),
            click_through_rate=round(successful / times, 4),
            last_searched_at=instant_of(last),
        )
        for query, times, results, clicks, successful, last in rows
    ]
