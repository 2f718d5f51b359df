"""Writing articles."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from helpdesk_core.api import Actor, Invalid, changes, now, organization_settings, publish
from helpdesk_kb.errors import NothingChanged
from helpdesk_kb.events import ArticleCreated, ArticleDeleted, ArticleUpdated
from helpdesk_kb.models import Article, ArticleSlug, ArticleVersion, Category
from helpdesk_kb.names import slug_of
from helpdesk_kb.permissions import PUBLISH
from helpdesk_kb.queries.languages import organization_language
from helpdesk_kb.schemas.articles import ArticleCreate, ArticleUpdate
from helpdesk_kb.schemas.settings import KbSettings
from helpdesk_kb.search import kb_search
from helpdesk_kb.service.indexing import index_article
from helpdesk_kb.service.publication import check_content, check_schedule, move_to
from helpdesk_kb.service.reach import reach_of, wider
from helpdesk_kb.service.rows import article_of
from helpdesk_kb.service.slugs import free_slug, name_article
from helpdesk_kb.service.tagging import put_tags, tags_of
from helpdesk_kb.service.translations import check_untranslated, forget_translations
from helpdesk_kb.service.versions import keep_version

TEXTS = ("title", "content")
"""What versions are made of."""
PLAIN = ("language", "audience", "publish_at", "review_at")
SHOWN_TO_READERS = (*TEXTS, "category", "tags")
"""What makes an article one that was updated, to its readers."""


def create_article(session: Session, actor: Actor, data: ArticleCreate) -> int:
    """Write an article of the actor's and return its key.

    Raises:
        PermissionDenied: it is to be published, now or later, and the actor may not.
        Invalid: there is no such category, or the time of publication has passed.
        ArticleEmpty: it is to be published and nothing stands in it.
    """
    if data.status != "draft" or data.publish_at is not None:
        actor.require(PUBLISH)
    check_schedule(session, data.status, data.publish_at)
    moment = now(session)
    article = Article(
        title=data.title,
        slug=free_slug(session, slug_of(data.title)),
        language=data.language or organization_language(session),
        content=data.content,
        category_id=_category(session, data.category),
        author_id=actor.user_id,
        audience=data.audience or organization_settings(session, "kb", KbSettings).default_audience,
        publish_at=data.publish_at,
        review_at=data.review_at,
        created_at=moment,
        updated_at=moment,
    )
    session.add(article)
    session.flush()
    session.add(ArticleSlug(slug=article.slug, article_id=article.id))
    put_tags(session, article.id, data.tags)
    keep_version(session, actor, article)
    index_article(session, article, data.tags, is_new=True)
    _announce_new(session, article)
    move_to(session, article, data.status)
    return article.id


def update_article(session: Session, actor: Actor, article_id: int, data: ArticleUpdate) -> None:
    """Change an article; a new title or content makes a new version.

    Raises:
        PermissionDenied: it is published, or is to be, and the actor may not do that.
        Invalid: there is no such category, or the time of publication has passed.
        AlreadyExists: it has been translated into what is to be its language.
    """
    article = article_of(session, article_id)
    sent = changes(data)
    note, status = sent.pop("note", ""), sent.pop("status", article.status)
    changed = _differing(session, article, sent)
    if status != article.status or changed.get("publish_at") or (changed and article.status == "published"):
        actor.require(PUBLISH)
    if "publish_at" in changed:
        check_schedule(session, status, changed["publish_at"])
    if "language" in changed:
        check_untranslated(session, article.id, changed["language"])
    if changed:
        _change(session, actor, article, changed, note)
    move_to(session, article, status)


def restore_article(session: Session, actor: Actor, version: ArticleVersion) -> None:
    """Give an article the title and content of an earlier version, as its newest.

    Raises:
        NothingChanged: it has these already.
        PermissionDenied: it is published and the actor may not change it.
    """
    article = article_of(session, version.article_id)
    if article.status == "published":
        actor.require(PUBLISH)
    changed = _differing(session, article, {"title": version.title, "content": version.content})
    if not changed:
        raise NothingChanged
    _change(session, actor, article, changed, f"Restored version {version.number}")


def delete_article(session: Session, article_id: int) -> None:
    """Delete an article for good, with its translations, versions, votes and names. To put it away, archive it."""
    article = article_of(session, article_id)
    reach = reach_of(article)
    forget_translations(session, article.id)
    kb_search.remove(session, article.id)
    session.delete(article)
    session.flush()
    publish(session, ArticleDeleted(article_id=article_id, reach=reach))


def _change(session: Session, actor: Actor, article: Article, changed: Mapping[str, Any], note: str) -> None:
    reached = reach_of(article)
    _set(session, article, changed)
    if article.status == "published":
        check_content(article)
    if "title" in changed:
        name_article(session, article)
    if changed.keys() & set(TEXTS):
        article.version += 1
        keep_version(session, actor, article, note)
    if "tags" in changed:
        put_tags(session, article.id, changed["tags"])
    session.flush()
    if changed.keys() & {*TEXTS, "tags"}:
        index_article(session, article, tags_of(session, article.id))
    reach = wider(reached, reach_of(article))
    told = ArticleUpdated(
        article_id=article.id, reach=reach, fields=tuple(sorted(changed)), version_number=article.version
    )
    publish(session, told)


def _set(session: Session, article: Article, changed: Mapping[str, Any]) -> None:
    for name in (*TEXTS, *PLAIN):
        if name in changed:
            setattr(article, name, changed[name])
    if "category" in changed:
        article.category_id = _category(session, changed["category"])
    if "review_at" in changed:
        article.reminded_at = None
    if changed.keys() & set(SHOWN_TO_READERS):
        article.updated_at = now(session)


def _differing(session: Session, article: Article, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was sent and is not so already: saving what was read changes nothing."""
    present: dict[str, Any] = {name: getattr(article, name) for name in (*TEXTS, *PLAIN) if name in sent}
    if "category" in sent:
        present["category"] = article.category_id
    if "tags" in sent:
        present["tags"] = tags_of(session, article.id)
    return {name: value for name, value in sent.items() if value != present[name]}


def _category(session: Session, category_id: int | None) -> int | None:
    if category_id is not None and session.get(Category, category_id) is None:
        raise Invalid.field("category", "There is no such category.")
    return category_id


def _announce_new(session: Session, article: Article) -> None:
    publish(
        session,
        ArticleCreated(
            article_id=article.id,
            reach=reach_of(article),
            author_id=article.author_id,
            category_id=article.category_id,
            status=article.status,
        ),
    )
