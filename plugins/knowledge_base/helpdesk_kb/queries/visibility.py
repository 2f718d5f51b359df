"""Which articles somebody may see. Everything that belongs to an article follows it."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, func, literal_column, select, type_coerce

from helpdesk_core.api import Actor, Visibility
from helpdesk_kb.models import AUDIENCES, STATUSES, Article, CategoryPath
from helpdesk_kb.permissions import VIEW, VIEW_INTERNAL, VIEW_UNPUBLISHED

PUBLISHED = STATUSES.index("published")
CIRCLES = ("public", "customers", "internal", "all")
"""Variants of the visibility, from the narrowest."""


class VisibleArticles(Visibility):
    """All articles for those who edit; the published ones for everybody else, as far as they are meant for them."""

    def variant(self, actor: Actor) -> str:
        """Return the widest circle that the actor belongs to; visitors without an account only to the public."""
        if actor.can(VIEW_UNPUBLISHED):
            return "all"
        if actor.can(VIEW_INTERNAL):
            return "internal"
        return "customers" if actor.can(VIEW) else "public"

    def criterion(self, variant: str) -> ColumnElement[bool] | None:
        """Compare state and audience, which an index knows by rank."""
        if variant == "all":
            return None
        # Written out, so that SQLite sees that the index of what is shown holds.
        published = type_coerce(Article.status, Integer) == literal_column(str(PUBLISHED), Integer)
        if variant == "internal":
            return published
        widest = literal_column(str(AUDIENCES.index(variant)), Integer)
        return and_(published, type_coerce(Article.audience, Integer) <= widest)

    def oversees(self, variant: str) -> bool:
        """Let everybody hear of what vanishes; events say who can have known of it (`reach`)."""
        return True


visible_articles = VisibleArticles()


def published_for(actor: Actor) -> str:
    """Return the variant that shows an actor what is published for them, and no drafts even if they edit these."""
    variant = visible_articles.variant(actor)
    return "internal" if variant == "all" else variant


def articles_in(category: Any) -> Callable[[str], Any]:
    """Return what counts the articles that are directly in a category, for a variant of the visibility.

    Args:
        category: the column with the key of the category.
    """

    def count(variant: str) -> Any:
        mine = and_(Article.category_id == category, Article.organization_id == category.class_.organization_id)
        counted = select(func.count()).select_from(Article).where(mine)
        allowed = visible_articles.criterion(variant)
        return (counted if allowed is None else counted.where(allowed)).correlate(category.class_).scalar_subquery()

    return count


def articles_below(category: Any) -> Callable[[str], Any]:
    """Return what counts the articles in a category and below it, for a variant of the visibility.

    Args:
        category: the column with the key of the category.
    """

    def count(variant: str) -> Any:
        counted = (
            select(func.count())
            .select_from(CategoryPath)
            .join(
                Article,
                and_(
                    Article.category_id == CategoryPath.category_id,
                    Article.organization_id == CategoryPath.organization_id,
                ),
            )
            .where(
                CategoryPath.ancestor_id == category, CategoryPath.organization_id == category.class_.organization_id
            )
        )
        allowed = visible_articles.criterion(variant)
        return (counted if allowed is None else counted.where(allowed)).correlate(category.class_).scalar_subquery()

    return count
