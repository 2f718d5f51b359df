"""What people searched for in vain: where an article is missing, or a word in one."""

from datetime import timedelta

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from helpdesk_core.api import Context, Prepared, Viewer, insertion, now
from helpdesk_kb.models import LONGEST_QUERY, SearchMiss
from helpdesk_kb.words import plain_words

KEPT = timedelta(days=90)
MOST = 1_000
"""Different searches that are kept; strangers can search for anything, and nobody reads more."""

_NUMBER = Prepared(
    select(func.count()).select_from(SearchMiss).where(SearchMiss.organization_id == bindparam("organization_id"))
)
_add = insertion(SearchMiss, returning="id", unless_taken=True)
_AGAIN = Prepared(
    update(SearchMiss)
    .where(SearchMiss.organization_id == bindparam("organization_id"), SearchMiss.query == bindparam("asked"))
    .values(times=SearchMiss.times + 1, last_searched_at=bindparam("moment"))
)


def note_miss(ctx: Context, viewer: Viewer, question: str) -> None:
    """Count a search that found nothing, in a transaction of its own: the request only reads."""
    query = " ".join(plain_words(question))[:LONGEST_QUERY].strip()
    if not query:
        return
    with ctx.apart(viewer.actor.organization_id) as session:
        has_room = _NUMBER.rows(session, {})[0][0] < MOST
        if not has_room or not _add.rows(session, {"query": query, "times": 1, "last_searched_at": viewer.now}):
            _AGAIN.run(session, {"asked": query, "moment": viewer.now})


def forget_misses(session: Session) -> None:
    """Forget what nobody has searched for lately."""
    session.execute(delete(SearchMiss).where(SearchMiss.last_searched_at < now(session) - KEPT))
