"""Counting who reads articles: each visitor once a day, and no program that looks at everything."""

import re
from datetime import timedelta
from hashlib import blake2b

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from helpdesk_core.api import Context, Prepared, Viewer, insertion, now
from helpdesk_kb.models import Article, ArticleView

KEPT = timedelta(days=2)
"""How long it is known who has read what; longer than a day in any time zone."""

_PROGRAMS = re.compile(r"bot\b|crawl|spider|slurp|preview|monitor|curl|wget|headless|python-|^$", re.IGNORECASE)
_SEEN = Prepared(
    select(ArticleView.article_id).where(
        ArticleView.organization_id == bindparam("organization_id"),
        ArticleView.article_id == bindparam("article_id"),
        ArticleView.day == bindparam("day"),
        ArticleView.visitor == bindparam("visitor"),
    )
)
_AUTHOR = Prepared(
    select(Article.author_id).where(
        Article.organization_id == bindparam("organization_id"), Article.id == bindparam("article_id")
    )
)
_see = insertion(ArticleView, returning="article_id", unless_taken=True)
_COUNT = Prepared(
    update(Article)
    .where(Article.organization_id == bindparam("organization_id"), Article.id == bindparam("article_id"))
    .values(views=Article.views + 1)
)


def count_view(ctx: Context, viewer: Viewer, article_id: int) -> None:
    """Count that an article is read, unless its author reads it, or somebody who has read it today.

    The request itself only reads: it is counted in a transaction of its own, and only the first time of a day.
    """
    visitor = _visitor(ctx, viewer)
    seen = {"article_id": article_id, "day": viewer.now.date().isoformat(), "visitor": visitor}
    authors = [row[0] for row in _AUTHOR.rows(ctx.session, {"article_id": article_id})]
    if not visitor or viewer.actor.user_id in authors or _SEEN.rows(ctx.session, seen):
        return
    with ctx.apart(viewer.actor.organization_id) as session:
        if _see.rows(session, seen):
            _COUNT.run(session, {"article_id": article_id})
    ctx.session.rollback()  # so that what is read next is of now, and shows this view


def forget_views(session: Session) -> None:
    """Forget who has read what on days that are over."""
    oldest = (now(session) - KEPT).date().isoformat()
    session.execute(delete(ArticleView).where(ArticleView.day < oldest))


def is_program(ctx: Context, viewer: Viewer) -> bool:
    """Tell whether a program that nobody has given an account looks at everything."""
    return not viewer.actor.user_id and bool(_PROGRAMS.search(ctx.incoming.headers.get("user-agent", "")))


def _visitor(ctx: Context, viewer: Viewer) -> str:
    """Return what tells visitors apart for a day; nothing for programs."""
    if viewer.actor.user_id:
        return f"user {viewer.actor.user_id}"
    if is_program(ctx, viewer):
        return ""
    agent = ctx.incoming.headers.get("user-agent", "")
    told = f"{ctx.incoming.address} {agent} {viewer.now.date()}".encode()
    return blake2b(told, digest_size=16, person=b"kb views").hexdigest()
