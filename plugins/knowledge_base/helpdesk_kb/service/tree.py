"""The tree of categories, kept as the pairs of a category and what it is inside of."""

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from helpdesk_core.api import Invalid
from helpdesk_kb.models import Category, CategoryPath

DEEPEST = 5
"""Levels of categories; a reader who has to go further down is lost."""


def lock_tree(session: Session) -> None:
    """Let nobody else change the tree until the transaction ends.

    Two moves that are fine each, A into B and B into A, would make a cycle together.
    """
    session.execute(select(Category.id).order_by(Category.id).with_for_update()).all()
    session.expire_all()


def is_below(session: Session, category_id: int, ancestor_id: int) -> bool:
    """Tell whether a category is inside another one, or is it."""
    return session.get(CategoryPath, (ancestor_id, category_id)) is not None


def check_place(
    session: Session, category: Category | None, parent: int | None, *, field: str = "parent_category"
) -> None:
    """Refuse a place that is not there, inside the category itself, or too deep.

    Args:
        session: with the tree locked.
        category: what is to be placed; nothing for a new one.
        parent: the category that it is to be in; nothing for the top.
        field: by which the caller said so.
    """
    if parent is None:
        return
    if session.get(Category, parent) is None:
        raise Invalid.field(field, "There is no such category.")
    if category is not None and is_below(session, parent, category.id):
        raise Invalid.field(field, "A category cannot be inside itself.")
    if _level(session, parent) + (_height(session, category.id) if category else 1) > DEEPEST:
        raise Invalid.field(field, f"Categories can be {DEEPEST} levels deep.")


def place_new(session: Session, category: Category) -> None:
    """Enter a new category into the tree."""
    session.add(CategoryPath(ancestor_id=category.id, category_id=category.id, distance=0))
    if category.parent_id is not None:
        above = session.scalars(select(CategoryPath).where(CategoryPath.category_id == category.parent_id)).all()
        session.add_all(
            CategoryPath(ancestor_id=each.ancestor_id, category_id=category.id, distance=each.distance + 1)
            for each in above
        )
    session.flush()


def replant(session: Session, category: Category, parent: int | None) -> None:
    """Move a category with everything in it; that this makes no cycle was checked."""
    inside = session.scalars(select(CategoryPath).where(CategoryPath.ancestor_id == category.id)).all()
    below = {each.category_id: each.distance for each in inside}
    session.execute(
        delete(CategoryPath)
        .where(CategoryPath.category_id.in_(below), CategoryPath.ancestor_id.not_in(below))
        .execution_options(synchronize_session=False)
    )
    above = (
        [] if parent is None else session.scalars(select(CategoryPath).where(CategoryPath.category_id == parent)).all()
    )
    session.add_all(
        CategoryPath(ancestor_id=up.ancestor_id, category_id=key, distance=up.distance + 1 + distance)
        for up in above
        for key, distance in below.items()
    )
    category.parent_id = parent
    session.flush()


def _level(session: Session, category_id: int) -> int:
    """Return at which level a category is, from 1."""
    counted = select(func.count()).select_from(CategoryPath).where(CategoryPath.category_id == category_id)
    return session.scalar(counted) or 0


def _height(session: Session, category_id: int) -> int:
    """Return how many levels a category has, itself included."""
    deepest = select(func.max(CategoryPath.distance)).where(CategoryPath.ancestor_id == category_id)
    return (session.scalar(deepest) or 0) + 1
