"""What can be read of categories."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from helpdesk_core.api import Column, Many, Prepared, ReadModel, Varying, Viewer, equals, matches, words_in
from helpdesk_kb.models import Category, CategoryPath
from helpdesk_kb.queries.visibility import articles_below, articles_in, published_for, visible_articles
from helpdesk_kb.schemas.categories import CategoryDetails, CategoryNode, CategoryRead, SubcategoryRead

COUNT = Varying(visible_articles, articles_in(Category.id), volatile=True)
TOTAL = Varying(visible_articles, articles_below(Category.id), volatile=True)

categories = ReadModel(
    Category,
    schema=CategoryRead,
    optional=CategoryDetails,
    fields={
        "parent_category": Column(Category.parent_id),
        "article_count": COUNT,
        "total_article_count": TOTAL,
        "subcategories": Many(
            Category.parent_id, SubcategoryRead, order=(Category.name_key,), fields={"article_count": COUNT}
        ),
    },
    filters={
        "parent_category": equals(Category.parent_id),
        "is_root": matches(lambda: Category.parent_id.is_(None)),
    },
    ordering={"name": Category.name_key, "created_at": Category.created_at, "updated_at": Category.updated_at},
    default_order="name",
    search=words_in(Category.name, Category.description),
)


def tree(session: Session, viewer: Viewer, *, published: bool = False) -> list[CategoryNode]:
    """Return the categories at the top, each with everything that is in it, by name.

    Args:
        session: of the organisation.
        viewer: for whom articles are counted.
        published: count those that are published alone, also for those who edit.
    """
    variant = published_for(viewer.actor) if published else visible_articles.variant(viewer.actor)
    return _below(None, _all(variant).rows(session, {}))


def ancestors(session: Session, category_id: int) -> list[dict[str, Any]]:
    """Return the categories that lead to one, from the top down to itself."""
    rows = _PATH.rows(session, {"category_id": category_id})
    return [{"id": key, "name": name, "slug": slug} for key, name, slug in rows]


@cache
def _all(variant: str) -> Prepared:
    return Prepared(
        select(
            Category.id,
            Category.parent_id,
            Category.name,
            Category.slug,
            Category.description,
            articles_in(Category.id)(variant),
            articles_below(Category.id)(variant),
        )
        .where(Category.organization_id == bindparam("organization_id"))
        .order_by(Category.name_key, Category.id)
    )


_PATH = Prepared(
    select(Category.id, Category.name, Category.slug)
    .join(CategoryPath, CategoryPath.ancestor_id == Category.id)
    .where(
        CategoryPath.organization_id == bindparam("organization_id"),
        CategoryPath.category_id == bindparam("category_id"),
    )
    .order_by(CategoryPath.distance.desc())
)


def _below(parent: int | None, rows: Sequence[tuple[Any, ...]]) -> list[CategoryNode]:
    return [
        CategoryNode(
            id=key,
            name=name,
            slug=slug,
            description=description,
            article_count=count,
            total_article_count=total,
            subcategories=_below(key, rows),
        )
        for key, inside, name, slug, description, count, total in rows
        if inside == parent
    ]
