"""Who is told of what. Nobody is told of what they did themselves, nor of an article that is gone."""

from datetime import timedelta
from typing import Any

from helpdesk_core.api import HandlerContext, NotificationKind, User, notify, on
from helpdesk_kb import notices
from helpdesk_kb.events import ArticlePublished, ArticleReviewDue, ArticleVoted
from helpdesk_kb.models import Article, ArticleVote

STALE = timedelta(days=7)
"""What happened longer ago is told to nobody: it was imported, or a demonstration, or everybody knows by now."""


@on(ArticleReviewDue)
def remind_author(ctx: HandlerContext, event: ArticleReviewDue) -> None:
    """Remind the author of an article to look at it again."""
    article = ctx.session.get(Article, event.article_id)
    if article is not None and article.review_at == event.review_at:
        _tell(ctx, article, notices.REVIEW_DUE, review_date=event.review_at)


@on(ArticlePublished)
def tell_of_publication(ctx: HandlerContext, event: ArticlePublished) -> None:
    """Tell the author of an article that somebody else, or the schedule, has published it."""
    article = ctx.session.get(Article, event.article_id)
    if article is not None and article.status == "published":
        _tell(ctx, article, notices.PUBLISHED)


@on(ArticleVoted, only=lambda event: event.with_reason and event.helpful is False)
def tell_what_is_missing(ctx: HandlerContext, event: ArticleVoted) -> None:
    """Tell the author of an article why it has not helped somebody."""
    article = ctx.session.get(Article, event.article_id)
    given = ctx.session.get(ArticleVote, (event.article_id, event.user_id))
    if article is not None and given is not None and given.helpful is False and given.reason:
        _tell(ctx, article, notices.NOT_HELPFUL, reason=given.reason)


ALL = (remind_author, tell_of_publication, tell_what_is_missing)


def _tell(ctx: HandlerContext, article: Article, kind: NotificationKind, **more: Any) -> None:
    if ctx.now - ctx.happened.at > STALE:
        return
    actor = ctx.session.get(User, ctx.actor_id) if ctx.actor_id else None
    name = (actor.full_name or actor.username) if actor else "Helpdesk"
    values = {"article_title": article.title, "actor_name": name, "review_date": "", "reason": ""}
    notify(
        ctx.session,
        [article.author_id],
        kind.name,
        key=f"event {ctx.event_id}",
        about=f"kb_article:{article.id}",
        link=f"/api/v1/knowledge-base/articles/{article.id}/",
        values={**values, **more},
        except_user=ctx.actor_id,
    )
