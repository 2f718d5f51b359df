"""Rows by their keys, and locks on them."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core.api import NotFound
from helpdesk_kb.models import Article, ArticleTranslation, Category


def article_of(session: Session, article_id: int) -> Article:
    """Return an article, locked until the transaction ends, as it is now; `NotFound` when there is none.

    What is decided by its state, and what counts from its number of versions, must not be overtaken.
    """
    wanted = select(Article).where(Article.id == article_id).with_for_update(of=Article)
    found = session.scalars(wanted.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound
    return found


def translation_of(session: Session, article_id: int, language: str) -> ArticleTranslation:
    """Return a translation of an article that is locked; `NotFound` when it has none into this language."""
    wanted = select(ArticleTranslation).filter_by(article_id=article_id, language=language)
    found = session.scalars(wanted.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound
    return found


def owner_of(text: Article | ArticleTranslation) -> dict[str, Any]:
    """Return by which columns versions and names in addresses belong to an article, or to a translation of it."""
    if isinstance(text, ArticleTranslation):
        return {"article_id": text.article_id, "language": text.language}
    return {"article_id": text.id, "language": ""}


def category_of(session: Session, category_id: int) -> Category:
    """Return a category; `NotFound` when there is none."""
    found = session.get(Category, category_id)
    if found is None:
        raise NotFound
    return found
