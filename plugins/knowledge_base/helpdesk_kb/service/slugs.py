"""Names in addresses: derived from titles, unique in an organisation, old ones kept for the links to them."""

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_kb.models import Article, ArticleSlug, ArticleTranslation, Category
from helpdesk_kb.names import slug_of
from helpdesk_kb.service.rows import owner_of


def name_article(session: Session, text: Article | ArticleTranslation) -> None:
    """Give an article, or a translation, the name of its title; one that was never published forgets that it had."""
    wanted = slug_of(text.title)
    if re.fullmatch(rf"{re.escape(wanted)}(-\d+)?", text.slug):
        return
    owner = owner_of(text)
    own = {row.slug: row for row in session.scalars(select(ArticleSlug).filter_by(**owner))}
    if text.published_at is None and text.slug in own:
        session.delete(own.pop(text.slug))
        session.flush()
    if wanted not in own:
        wanted = free_slug(session, wanted)
        session.add(ArticleSlug(slug=wanted, **owner))
    text.slug = wanted


def free_slug(session: Session, wanted: str) -> str:
    """Return `wanted`, or with the first number that makes it unique among articles."""
    begun = select(ArticleSlug.slug).where(ArticleSlug.slug.startswith(wanted, autoescape=True))
    return _numbered(wanted, set(session.scalars(begun)))


def free_category_slug(session: Session, name: str) -> str:
    """Return what a category of this name is called in addresses."""
    wanted = slug_of(name)
    begun = select(Category.slug).where(Category.slug.startswith(wanted, autoescape=True))
    return _numbered(wanted, set(session.scalars(begun)))


def _numbered(wanted: str, taken: set[str]) -> str:
    number, slug = 1, wanted
    while slug in taken:
        number += 1
        slug = f"{wanted}-{number}"
    return slug
