"""Versions of articles and of translations: one for every title and content that was saved."""

import difflib

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core.api import Actor, Invalid, NotFound, now
from helpdesk_kb.models import Article, ArticleTranslation, ArticleVersion
from helpdesk_kb.schemas.versions import Difference
from helpdesk_kb.service.rows import owner_of


def keep_version(session: Session, actor: Actor, text: Article | ArticleTranslation, note: str = "") -> None:
    """Keep title and content of an article, or of a translation, as its newest version."""
    session.add(
        ArticleVersion(
            **owner_of(text),
            number=text.version,
            title=text.title,
            content=text.content,
            note=note,
            editor_id=actor.user_id,
            created_at=now(session),
        )
    )
    session.flush()


def version_of(session: Session, article_id: int, version_id: int) -> ArticleVersion:
    """Return a version of an article; `NotFound` when it has none of this key."""
    wanted = select(ArticleVersion).where(ArticleVersion.id == version_id, ArticleVersion.article_id == article_id)
    found = session.scalars(wanted).one_or_none()
    if found is None:
        raise NotFound
    return found


def compare(session: Session, article_id: int, version_id: int, against: int | None) -> Difference:
    """Return what changed from the version `against`, or the one before, to another one.

    Raises:
        Invalid: `against` is no version of the article, or one in another language.
    """
    version = version_of(session, article_id, version_id)
    other = _before(session, version) if against is None else _against(session, version, against)
    older, newer = (other, version) if other is None or other.number <= version.number else (version, other)
    return Difference(
        before=older.number if older else None,
        after=newer.number,
        title=_unified(older.title if older else "", newer.title, older, newer),
        content=_unified(older.content if older else "", newer.content, older, newer),
    )


def _before(session: Session, version: ArticleVersion) -> ArticleVersion | None:
    wanted = select(ArticleVersion).where(
        ArticleVersion.article_id == version.article_id,
        ArticleVersion.language == version.language,
        ArticleVersion.number < version.number,
    )
    return session.scalars(wanted.order_by(ArticleVersion.number.desc()).limit(1)).first()


def _against(session: Session, version: ArticleVersion, version_id: int) -> ArticleVersion:
    try:
        other = version_of(session, version.article_id, version_id)
    except NotFound:
        raise Invalid.field("against", "There is no such version of this article.") from None
    if other.language != version.language:
        raise Invalid.field("against", "This version is in another language.")
    return other


def _unified(before: str, after: str, older: ArticleVersion | None, newer: ArticleVersion) -> str:
    names = f"version {older.number}" if older else "nothing", f"version {newer.number}"
    return "\n".join(difflib.unified_diff(before.splitlines(), after.splitlines(), *names, lineterm=""))
