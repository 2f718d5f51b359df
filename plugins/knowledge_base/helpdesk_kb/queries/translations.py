"""What can be read of translations: those of articles that somebody may see, and drafts by those who edit alone."""

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import Session

from helpdesk_core.api import (
    Actor,
    Column,
    Computed,
    Criteria,
    NotFound,
    One,
    Person,
    ReadModel,
    Viewer,
    Visibility,
    equals,
    words_in,
)
from helpdesk_kb.markdown import render
from helpdesk_kb.models import Article, ArticleTranslation
from helpdesk_kb.queries.visibility import visible_articles
from helpdesk_kb.schemas.translations import TranslationExtras, TranslationRead, TranslationRow


class VisibleTranslations(Visibility):
    """All translations for those who edit; for everybody else the published ones of articles that they may see."""

    def variant(self, actor: Actor) -> str:
        """Return the circle that the actor belongs to, as articles do."""
        return visible_articles.variant(actor)

    def criterion(self, variant: str) -> ColumnElement[bool] | None:
        """Compare the state, and look at the article."""
        allowed = visible_articles.criterion(variant)
        if allowed is None:
            return None
        return and_(ArticleTranslation.status == "published", exists().where(_ITS_ARTICLE, allowed))

    def oversees(self, variant: str) -> bool:
        """Let everybody hear of what vanishes; events say who can have known of it (`reach`)."""
        return True


_ITS_ARTICLE = and_(
    Article.id == ArticleTranslation.article_id, Article.organization_id == ArticleTranslation.organization_id
)
visible_translations = VisibleTranslations()


def _html(_: Viewer, content: str) -> str:
    return render(content).html


def _outdated(_: Viewer, translated: int, newest: int) -> bool:
    return translated < newest


_NEWEST = select(Article.version).where(_ITS_ARTICLE).scalar_subquery()
FIELDS = {
    "article": Column(ArticleTranslation.article_id),
    "author": One(ArticleTranslation.author, Person),
    "outdated": Computed(_outdated, ArticleTranslation.source_version, _NEWEST),
}
DECLARED: dict[str, Any] = {
    "filters": {
        "article": equals(ArticleTranslation.article_id),
        "language": equals(ArticleTranslation.language),
        "status": equals(ArticleTranslation.status),
    },
    "ordering": {"language": ArticleTranslation.language, "updated_at": ArticleTranslation.updated_at},
    "default_order": "language",
    "visible": visible_translations,
}

translation_list = ReadModel(
    ArticleTranslation, schema=TranslationRow, fields=FIELDS, search=words_in(ArticleTranslation.title), **DECLARED
)

translations = ReadModel(
    ArticleTranslation,
    schema=TranslationRead,
    optional=TranslationExtras,
    fields={**FIELDS, "html": Computed(_html, ArticleTranslation.content)},
    **DECLARED,
)
"""The same with the content: of one at a time."""


def find_translation(session: Session, viewer: Viewer, article_id: int, language: str) -> int:
    """Return the key of the translation of an article that `viewer` may see; else raise `NotFound`."""
    found = translations.find(session, viewer, Criteria({"article": article_id, "language": language}, limit=1))
    if not found.keys:
        raise NotFound
    return found.keys[0]
