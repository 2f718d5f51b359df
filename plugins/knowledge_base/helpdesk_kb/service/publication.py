"""The states of articles: who can read one, and from when on."""

from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from helpdesk_core.api import Actor, Invalid, now, publish
from helpdesk_kb.errors import ArticleEmpty
from helpdesk_kb.events import ArticleArchived, ArticlePublished, ArticleReviewDue, ArticleUnpublished
from helpdesk_kb.models import Article, ArticleTranslation
from helpdesk_kb.permissions import PUBLISH
from helpdesk_kb.service.reach import reach_of, wider
from helpdesk_kb.service.rows import article_of

AT_ONCE = 100
"""Articles that one run of a schedule sees to; the next run sees to more."""


def change_state(session: Session, actor: Actor, article_id: int, status: str) -> None:
    """Publish an article, make it a draft again, or put it away; nothing happens if it is in that state.

    Raises:
        ArticleEmpty: there is nothing to publish.
    """
    actor.require(PUBLISH)
    move_to(session, article_of(session, article_id), status)


def move_to(session: Session, article: Article, status: str, *, by_schedule: bool = False) -> None:
    """Bring an article into a state, and say so. Whether the actor may is asked before."""
    if article.status == status:
        return
    before, reached = article.status, reach_of(article)
    if status == "published":
        check_content(article)
        article.published_at = article.published_at or now(session)
    if status != "draft":
        article.publish_at = None
    article.status = status
    article.updated_at = now(session)
    session.flush()
    _announce(session, article, before, wider(reached, reach_of(article)), by_schedule=by_schedule)


def check_content(text: Article | ArticleTranslation) -> None:
    """Refuse to show an article, or a translation, in which nothing stands."""
    if not text.content.strip():
        raise ArticleEmpty


def check_schedule(session: Session, status: str, publish_at: datetime | None) -> None:
    """Refuse a time of publication that has passed, and one for what is no draft."""
    if publish_at is None:
        return
    if status != "draft":
        raise Invalid.field("publish_at", "Only a draft can be published later.")
    if publish_at <= now(session):
        raise Invalid.field("publish_at", "This has passed. Publish it now, or choose a later time.")


def something_is_due(session: Session) -> bool:
    """Tell whether a schedule has anything to do; most runs find nothing, and write nothing."""
    moment = now(session)
    return any(session.scalars(wanted.limit(1)).first() is not None for wanted in (_to_publish(moment), _stale(moment)))


def publish_due(session: Session) -> None:
    """Publish drafts whose time has come; one in which nothing stands stays a draft, without a time."""
    for article_id in session.scalars(_to_publish(now(session)).limit(AT_ONCE)).all():
        article = article_of(session, article_id)
        if article.status == "draft" and article.content.strip():
            move_to(session, article, "published", by_schedule=True)
        article.publish_at = None
    session.flush()


def announce_reviews(session: Session) -> None:
    """Announce articles that are to be looked at again, once for each date."""
    moment = now(session)
    for article_id in session.scalars(_stale(moment).limit(AT_ONCE)).all():
        article = article_of(session, article_id)
        if article.review_at is None:
            continue
        article.reminded_at = moment
        session.flush()
        publish(
            session,
            ArticleReviewDue(
                article_id=article.id,
                reach=reach_of(article),
                author_id=article.author_id,
                review_at=article.review_at,
            ),
        )


def _to_publish(moment: datetime) -> Select[int]:
    return select(Article.id).where(Article.publish_at <= moment).order_by(Article.publish_at, Article.id)


def _stale(moment: datetime) -> Select[int]:
    wanted = select(Article.id).where(Article.review_at <= moment, Article.reminded_at.is_(None))
    return wanted.where(Article.status != "archived").order_by(Article.review_at, Article.id)


def _announce(session: Session, article: Article, before: str, reach: str, *, by_schedule: bool) -> None:
    if article.status == "published":
        publish(
            session,
            ArticlePublished(
                article_id=article.id,
                reach=reach,
                author_id=article.author_id,
                audience=article.audience,
                by_schedule=by_schedule,
            ),
        )
    elif article.status == "archived":
        publish(session, ArticleArchived(article_id=article.id, reach=reach, before=before))
    else:
        publish(session, ArticleUnpublished(article_id=article.id, reach=reach, before=before))
