"""What can be read of translations; that the article may be read is asked before."""

from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from helpdesk_core.api import (
    Actor,
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
from helpdesk_kb.permissions import VIEW_UNPUBLISHED
from helpdesk_kb.schemas.translations import TranslationExtras, TranslationRead, TranslationRow


class VisibleTranslations(Visibility):
    """All translations for those who edit, the published ones for everybody else."""

    def variant(self, actor: Actor) -> str:
        """Ask whether the actor sees drafts."""
        return "all" if actor.can(VIEW_UNPUBLISHED) else "published"

    def criterion(self, variant: str) -> ColumnElement[bool] | None:
        """Compare the state."""
        return None if variant == "all" else ArticleTranslation.status == "published"


visible_translations = VisibleTranslations()


def _html(_: Viewer, content: str) -> str:
    return render(content).html


def _outdated(_: Viewer, translated: int, newest: int) -> bool:
    return translated < newest


_NEWEST = (
    select(Article.version)
    .where(Article.id == ArticleTranslation.article_id, Article.organization_id == ArticleTranslation.organization_id)
    .scalar_subquery()
)
FIELDS = {
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
