"""Categories by whatever automations may call them."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from helpdesk_core.api import Invalid
from helpdesk_tickets.api import Category, key_of


def find_category(session: Session, given: int | str) -> int | None:
    """Return the key of the category with this id, name or slug."""
    wanted = select(Category.id)
    if isinstance(given, int):
        return session.scalar(wanted.where(Category.id == given))
    name = key_of(given)
    return session.scalar(wanted.where(or_(Category.name_key == name, Category.slug == name)).limit(1))


def category_id(session: Session, given: int | str | None) -> int | None:
    """Return the key of a category, or nothing for none; `Invalid` when it does not exist."""
    if given is None:
        return None
    found = find_category(session, given)
    if found is None:
        raise Invalid.field("category", "There is no such category.")
    return found
