"""Categories: their names, and what becomes of their tickets when they go."""

from sqlalchemy import delete, insert, literal, select, update
from sqlalchemy.orm import Session

from helpdesk_core.api import Actor, AlreadyExists, Invalid, adjust, changes, now, publish
from helpdesk_tickets.events import CategoryCreated, CategoryDeleted, CategoryUpdated
from helpdesk_tickets.models import NO_CATEGORY, Category, Ticket, TicketChange, TicketCount
from helpdesk_tickets.names import key_of, slug_of
from helpdesk_tickets.schemas.categories import CategoryCreate, CategoryUpdate
from helpdesk_tickets.service.people import announce_updates, tickets_with
from helpdesk_tickets.service.rows import row_of


def create_category(session: Session, data: CategoryCreate) -> Category:
    """Add a category.

    Raises:
        AlreadyExists: another one has the name.
    """
    moment = now(session)
    category = Category(
        name=data.name,
        name_key=_free_key(session, data.name),
        slug=_free_slug(session, slug_of(data.name)),
        description=data.description,
        color=data.color,
        created_at=moment,
        updated_at=moment,
    )
    session.add(category)
    session.flush()
    publish(session, CategoryCreated(category_id=category.id, name=category.name, slug=category.slug))
    return category


def update_category(session: Session, category_id: int, data: CategoryUpdate) -> Category:
    """Change a category. Its slug stays: conditions of automations refer to it."""
    category = row_of(session, Category, category_id)
    changed = changes(data)
    if "name" in changed:
        changed["name_key"] = _free_key(session, data.name, apart_from=category.id)
    for name, value in changed.items():
        setattr(category, name, value)
    category.updated_at = now(session)
    session.flush()
    publish(session, CategoryUpdated(category_id=category.id, name=category.name, slug=category.slug))
    return category


def delete_category(session: Session, actor: Actor, category_id: int, move_to: int | None) -> None:
    """Remove a category; its tickets go to the category `move_to`, or have none.

    Raises:
        Invalid: there is no such category to move to.
    """
    category = row_of(session, Category, category_id)
    if move_to is not None and (move_to == category_id or session.get(Category, move_to) is None):
        raise Invalid.field("move_to", "There is no such category.")
    moved = tickets_with(session, Ticket.category_id == category_id)
    _record_move(session, actor, category_id, move_to)
    session.execute(
        update(Ticket)
        .where(Ticket.category_id == category_id)
        .values(category_id=move_to, updated_at=now(session))
        .execution_options(synchronize_session=False)
    )
    _move_counts(session, category_id, move_to or NO_CATEGORY)
    session.delete(category)
    session.flush()
    announce_updates(session, moved, "category")
    publish(session, CategoryDeleted(category_id=category_id, name=category.name, moved_to=move_to))


def _record_move(session: Session, actor: Actor, source: int, target: int | None) -> None:
    """Add the move to the history of every ticket, in one statement."""
    change = {
        "actor_id": actor.user_id,
        "field": "category",
        "before": source,
        "after": target,
        "created_at": now(session),
    }
    columns = TicketChange.__mapper__.columns
    values = [literal(value, columns[name].type) for name, value in change.items()]
    moved = select(Ticket.organization_id, Ticket.id, *values).where(Ticket.category_id == source)
    session.execute(insert(TicketChange).from_select(["organization_id", "ticket_id", *change], moved))


def _move_counts(session: Session, source: int, target: int) -> None:
    counted = select(TicketCount.status, TicketCount.priority, TicketCount.total)
    rows = session.execute(counted.where(TicketCount.category_id == source).with_for_update()).all()
    adjust(session, TicketCount, {}, {(status, priority, target): total for status, priority, total in rows})
    session.execute(delete(TicketCount).where(TicketCount.category_id == source))


def _free_key(session: Session, name: str, *, apart_from: int | None = None) -> str:
    key = key_of(name)
    taken = session.scalar(select(Category.id).where(Category.name_key == key))
    if taken is not None and taken != apart_from:
        raise AlreadyExists.field("name", "A category with this name exists already.")
    return key


def _free_slug(session: Session, wanted: str) -> str:
    """Return `wanted`, or with the first number that makes it unique."""
    taken = set(session.scalars(select(Category.slug).where(Category.slug.startswith(wanted, autoescape=True))))
    number, slug = 1, wanted
    while slug in taken:
        number += 1
        slug = f"{wanted}_{number}"
    return slug
