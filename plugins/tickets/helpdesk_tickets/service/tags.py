"""Tags: their names, and what becomes of tickets when they go or become one."""

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from helpdesk_core.api import AlreadyExists, Invalid, changes, now, publish
from helpdesk_tickets.events import TagCreated, TagDeleted, TagMerged, TagUpdated
from helpdesk_tickets.models import Tag, Ticket, TicketTag
from helpdesk_tickets.names import key_of
from helpdesk_tickets.schemas.tags import TagCreate, TagUpdate
from helpdesk_tickets.service.people import announce_updates, tickets_with
from helpdesk_tickets.service.rows import row_of


def create_tag(session: Session, data: TagCreate) -> Tag:
    """Add a tag.

    Raises:
        AlreadyExists: another one has the name.
    """
    moment = now(session)
    tag = Tag(**data.model_dump(), name_key=_free_key(session, data.name), created_at=moment, updated_at=moment)
    session.add(tag)
    session.flush()
    publish(session, TagCreated(tag_id=tag.id, name=tag.name))
    return tag


def update_tag(session: Session, tag_id: int, data: TagUpdate) -> Tag:
    """Change a tag; tickets that carry it show its new name."""
    tag = row_of(session, Tag, tag_id)
    changed = changes(data)
    if "name" in changed:
        changed["name_key"] = _free_key(session, data.name, apart_from=tag.id)
    for name, value in changed.items():
        setattr(tag, name, value)
    tag.updated_at = now(session)
    session.flush()
    publish(session, TagUpdated(tag_id=tag.id, name=tag.name))
    return tag


def delete_tag(session: Session, tag_id: int) -> None:
    """Remove a tag, from its tickets as well."""
    tag = row_of(session, Tag, tag_id)
    carriers = tickets_with(session, _carries(tag_id))
    session.execute(delete(TicketTag).where(TicketTag.tag_id == tag_id))
    session.delete(tag)
    session.flush()
    announce_updates(session, carriers, "tags")
    publish(session, TagDeleted(tag_id=tag_id, name=tag.name))


def merge_tags(session: Session, tag_id: int, into: int) -> Tag:
    """Give the tickets of one tag the other one instead, and return the other one.

    Raises:
        Invalid: there is no other tag of this key.
    """
    tag = row_of(session, Tag, tag_id)
    target = session.get(Tag, into)
    if target is None or target is tag:
        raise Invalid.field("into", "There is no such other tag.")
    carriers = tickets_with(session, _carries(tag_id))
    target.usage_count += tag.usage_count - _tickets_with_both(session, tag_id, into)
    target.updated_at = now(session)
    has_target = select(TicketTag.ticket_id).where(TicketTag.tag_id == into)
    session.execute(
        update(TicketTag)
        .where(TicketTag.tag_id == tag_id, TicketTag.ticket_id.not_in(has_target))
        .values(tag_id=into)
        .execution_options(synchronize_session=False)
    )
    session.execute(delete(TicketTag).where(TicketTag.tag_id == tag_id))
    session.delete(tag)
    session.flush()
    announce_updates(session, carriers, "tags")
    publish(session, TagUpdated(tag_id=into, name=target.name))
    publish(session, TagMerged(tag_id=tag_id, into_id=into, name=target.name))
    return target


def _carries(tag_id: int) -> ColumnElement[bool]:
    return Ticket.id.in_(select(TicketTag.ticket_id).where(TicketTag.tag_id == tag_id))


def _tickets_with_both(session: Session, tag_id: int, into: int) -> int:
    has_target = select(TicketTag.ticket_id).where(TicketTag.tag_id == into)
    counted = (
        select(func.count())
        .select_from(TicketTag)
        .join(Ticket, Ticket.id == TicketTag.ticket_id)
        .where(TicketTag.tag_id == tag_id, TicketTag.ticket_id.in_(has_target), Ticket.deleted_at.is_(None))
    )
    return session.scalar(counted) or 0


def _free_key(session: Session, name: str, *, apart_from: int | None = None) -> str:
    key = key_of(name)
    taken = session.scalar(select(Tag.id).where(Tag.name_key == key))
    if taken is not None and taken != apart_from:
        raise AlreadyExists.field("name", "A tag with this name exists already.")
    return key
