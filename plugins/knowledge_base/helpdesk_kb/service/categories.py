"""Categories: a tree without cycles, of which nothing is lost when a part of it goes."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from helpdesk_core.api import AlreadyExists, Invalid, changes, now, publish
from helpdesk_kb.errors import CategoryNotEmpty
from helpdesk_kb.events import CategoryCreated, CategoryDeleted, CategoryUpdated
from helpdesk_kb.models import Article, Category
from helpdesk_kb.names import key_of
from helpdesk_kb.schemas.categories import CategoryCreate, CategoryUpdate
from helpdesk_kb.service.rows import category_of
from helpdesk_kb.service.slugs import free_category_slug
from helpdesk_kb.service.tree import check_place, is_below, lock_tree, place_new, replant


def create_category(session: Session, data: CategoryCreate) -> int:
    """Add a category and return its key.

    Raises:
        AlreadyExists: the one that it is to be in has one of this name.
        Invalid: there is no such category to be in, or it is too deep.
    """
    lock_tree(session)
    check_place(session, None, data.parent_category)
    _check_name(session, data.name, data.parent_category)
    moment = now(session)
    category = Category(
        parent_id=data.parent_category,
        name=data.name,
        name_key=key_of(data.name),
        slug=free_category_slug(session, data.name),
        description=data.description,
        created_at=moment,
        updated_at=moment,
    )
    session.add(category)
    session.flush()
    place_new(session, category)
    publish(session, CategoryCreated(category_id=category.id, parent_id=category.parent_id, name=category.name))
    return category.id


def update_category(session: Session, category_id: int, data: CategoryUpdate) -> None:
    """Change a category, or move it with everything in it; its name in addresses stays.

    Raises:
        AlreadyExists: there is one of this name where it is or goes.
        Invalid: it would be inside itself, or too deep.
    """
    lock_tree(session)
    category = category_of(session, category_id)
    present = {"name": category.name, "description": category.description, "parent_category": category.parent_id}
    changed = {name: value for name, value in changes(data).items() if value != present[name]}
    if not changed:
        return
    parent = changed.get("parent_category", category.parent_id)
    if "parent_category" in changed:
        check_place(session, category, parent)
    if changed.keys() & {"name", "parent_category"}:
        _check_name(session, changed.get("name", category.name), parent, apart_from=category.id)
    category.name = changed.get("name", category.name)
    category.name_key = key_of(category.name)
    category.description = changed.get("description", category.description)
    category.updated_at = now(session)
    if "parent_category" in changed:
        replant(session, category, parent)
    session.flush()
    told: dict[str, Any] = {"category_id": category.id, "parent_id": category.parent_id, "name": category.name}
    publish(session, CategoryUpdated(**told, fields=tuple(sorted(changed))))


def delete_category(session: Session, category_id: int, move_to: int | None) -> None:
    """Remove a category; what is in it goes into the category `move_to`.

    Raises:
        CategoryNotEmpty: there is something in it and nowhere to move it to.
        Invalid: there is no such category to move to, or it is inside this one, or would become too deep.
        AlreadyExists: a subcategory has the name of one that is there.
    """
    lock_tree(session)
    category = category_of(session, category_id)
    inside = session.scalars(select(Category).where(Category.parent_id == category_id).order_by(Category.id)).all()
    holds = session.scalar(select(Article.id).where(Article.category_id == category_id).limit(1)) is not None
    if move_to is None and (inside or holds):
        raise CategoryNotEmpty(details={"subcategories": len(inside), "has_articles": holds})
    if move_to is not None:
        if move_to == category_id or is_below(session, move_to, category_id):
            raise Invalid.field("move_to", "This is the category that is to go, or inside it.")
        if session.get(Category, move_to) is None:
            raise Invalid.field("move_to", "There is no such category.")
        _empty(session, category_id, move_to, inside)
    told: dict[str, Any] = {"category_id": category.id, "parent_id": category.parent_id, "name": category.name}
    session.delete(category)
    session.flush()
    publish(session, CategoryDeleted(**told, moved_to=move_to))


def _empty(session: Session, category_id: int, move_to: int, inside: Sequence[Category]) -> None:
    for child in inside:
        check_place(session, child, move_to, field="move_to")
        _check_name(session, child.name, move_to, apart_from=child.id, field="move_to")
        replant(session, child, move_to)
    session.execute(
        update(Article)
        .where(Article.category_id == category_id)
        .values(category_id=move_to)
        .execution_options(synchronize_session=False)
    )


def _check_name(
    session: Session, name: str, parent: int | None, *, apart_from: int | None = None, field: str = "name"
) -> None:
    within = Category.parent_id.is_(None) if parent is None else Category.parent_id == parent
    taken = session.scalar(select(Category.id).where(Category.name_key == key_of(name), within))
    if taken is not None and taken != apart_from:
        raise AlreadyExists.field(field, f"There is a category called {name} already.")
