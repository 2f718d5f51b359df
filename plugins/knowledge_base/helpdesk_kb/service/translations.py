"""Articles in other languages than their own."""

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from helpdesk_core.api import Actor, AlreadyExists, Invalid, changes, now, publish
from helpdesk_kb.errors import NothingChanged
from helpdesk_kb.events import (
    ArticleTranslated,
    TranslationDeleted,
    TranslationPublished,
    TranslationUnpublished,
    TranslationUpdated,
)
from helpdesk_kb.models import Article, ArticleSlug, ArticleTranslation, ArticleVersion
from helpdesk_kb.permissions import PUBLISH
from helpdesk_kb.schemas.translations import TranslationCreate, TranslationUpdate
from helpdesk_kb.service.indexing import forget_translation, index_translation
from helpdesk_kb.service.publication import check_content
from helpdesk_kb.service.reach import reach_of_translation, wider
from helpdesk_kb.service.rows import article_of, owner_of, translation_of
from helpdesk_kb.service.slugs import name_article
from helpdesk_kb.service.versions import keep_version

TEXTS = ("title", "content")
"""What versions are made of."""


def create_translation(session: Session, actor: Actor, article_id: int, data: TranslationCreate) -> int:
    """Translate an article and return the key of the translation, whose author the actor is.

    Raises:
        AlreadyExists: the article is in this language, or has been translated into it.
        PermissionDenied: it is to be published and the actor may not.
        Invalid: the article has no such version.
        ArticleEmpty: it is to be published and nothing stands in it.
    """
    if data.status == "published":
        actor.require(PUBLISH)
    article = article_of(session, article_id)
    _check_language(session, article, data.language)
    moment = now(session)
    translation = ArticleTranslation(
        article_id=article_id,
        language=data.language,
        title=data.title,
        slug="",
        content=data.content,
        author_id=actor.user_id,
        source_version=_source(article, data.source_version),
        created_at=moment,
        updated_at=moment,
    )
    name_article(session, translation)
    session.add(translation)
    session.flush()
    keep_version(session, actor, translation, data.note)
    index_translation(session, translation, is_new=True)
    told = _told(article, translation)
    publish(session, ArticleTranslated(**told, author_id=actor.user_id, source_version=translation.source_version))
    _move(session, article, translation, data.status)
    return translation.id


def update_translation(session: Session, actor: Actor, article_id: int, language: str, data: TranslationUpdate) -> None:
    """Change a translation; a new title or content makes a new version, of the article's newest one unless it says so.

    Raises:
        PermissionDenied: it is published, or is to be, and the actor may not do that.
        Invalid: the article has no such version.
        ArticleEmpty: it is published, or is to be, and nothing stands in it.
    """
    article = article_of(session, article_id)
    translation = translation_of(session, article_id, language)
    sent = changes(data)
    status = sent.get("status", translation.status)
    changed = {name: sent[name] for name in TEXTS if name in sent and sent[name] != getattr(translation, name)}
    if changed or sent.get("source_version"):
        source = _source(article, sent.get("source_version"))
        changed |= {"source_version": source} if source != translation.source_version else {}
    if status != translation.status or (changed and translation.status == "published"):
        actor.require(PUBLISH)
    if changed:
        _change(session, actor, translation, changed, sent.get("note", ""))
        _announce_change(session, article, translation, changed)
    _move(session, article, translation, status)


def change_translation_state(session: Session, actor: Actor, article_id: int, language: str, status: str) -> None:
    """Publish a translation or make it a draft again; nothing happens if it is in that state.

    Raises:
        ArticleEmpty: there is nothing to publish.
    """
    actor.require(PUBLISH)
    article = article_of(session, article_id)
    _move(session, article, translation_of(session, article_id, language), status)


def restore_translation(session: Session, actor: Actor, version: ArticleVersion) -> None:
    """Give a translation the title and content of an earlier version of it, as its newest.

    Raises:
        NothingChanged: it has these already.
        PermissionDenied: it is published and the actor may not change it.
    """
    article = article_of(session, version.article_id)
    translation = translation_of(session, version.article_id, version.language)
    if translation.status == "published":
        actor.require(PUBLISH)
    changed = {name: getattr(version, name) for name in TEXTS if getattr(version, name) != getattr(translation, name)}
    if not changed:
        raise NothingChanged
    _change(session, actor, translation, changed, f"Restored version {version.number}")
    _announce_change(session, article, translation, changed)


def delete_translation(session: Session, article_id: int, language: str) -> None:
    """Delete a translation for good, with its versions; addresses that it was published at lead to the article."""
    article = article_of(session, article_id)
    translation = translation_of(session, article_id, language)
    told = _told(article, translation)
    forget_translation(session, translation.id)
    left = [ArticleVersion] if translation.published_at else [ArticleVersion, ArticleSlug]
    for table in left:
        session.execute(delete(table).filter_by(**owner_of(translation)))
    session.delete(translation)
    session.flush()
    publish(session, TranslationDeleted(**told))


def forget_translations(session: Session, article_id: int) -> None:
    """Take the translations of an article out of the index, before it is deleted and they with it."""
    for key in session.scalars(select(ArticleTranslation.id).where(ArticleTranslation.article_id == article_id)):
        forget_translation(session, key)


def check_untranslated(session: Session, article_id: int, language: str) -> None:
    """Refuse a language that an article has been translated into."""
    taken = select(ArticleTranslation.id).filter_by(article_id=article_id, language=language)
    if session.scalar(taken) is not None:
        raise AlreadyExists.field("language", f"There is a translation into this language already: {language}.")


def _check_language(session: Session, article: Article, language: str) -> None:
    if language == article.language:
        raise AlreadyExists.field("language", f"This is the language of the article itself: {language}.")
    check_untranslated(session, article.id, language)


def _source(article: Article, wanted: int | None) -> int:
    """Return the version of the article that a translation is of: `wanted`, else the newest."""
    if wanted is not None and wanted > article.version:
        raise Invalid.field("source_version", f"The newest version of the article is {article.version}.")
    return wanted or article.version


def _change(
    session: Session, actor: Actor, translation: ArticleTranslation, changed: dict[str, Any], note: str
) -> None:
    for name, value in changed.items():
        setattr(translation, name, value)
    translation.updated_at = now(session)
    if translation.status == "published":
        check_content(translation)
    if "title" in changed:
        name_article(session, translation)
    if changed.keys() & set(TEXTS):
        translation.version += 1
        keep_version(session, actor, translation, note)
        index_translation(session, translation)
    session.flush()


def _move(session: Session, article: Article, translation: ArticleTranslation, status: str) -> None:
    """Bring a translation into a state, and say so. Whether the actor may is asked before."""
    if translation.status == status:
        return
    reached = reach_of_translation(article, translation)
    if status == "published":
        check_content(translation)
        translation.published_at = translation.published_at or now(session)
    translation.status = status
    translation.updated_at = now(session)
    session.flush()
    kind = TranslationPublished if status == "published" else TranslationUnpublished
    told = _told(article, translation)
    publish(session, kind(**{**told, "reach": wider(reached, told["reach"])}))


def _announce_change(
    session: Session, article: Article, translation: ArticleTranslation, changed: dict[str, Any]
) -> None:
    fields = tuple(sorted(changed))
    told = _told(article, translation)
    publish(session, TranslationUpdated(**told, fields=fields, version_number=translation.version))


def _told(article: Article, translation: ArticleTranslation) -> dict[str, Any]:
    """Return what every event of a translation says."""
    reach = reach_of_translation(article, translation)
    of = {"article_id": article.id, "translation_id": translation.id, "language": translation.language}
    return {**of, "reach": reach}
