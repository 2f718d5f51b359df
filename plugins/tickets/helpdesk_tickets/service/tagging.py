"""Tags on tickets: given by key or by name, made on the fly, their uses counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from helpdesk_core.api import Among, Invalid, Prepared, insertion, now, publish
from helpdesk_tickets.events import TagCreated
from helpdesk_tickets.models import Tag, TicketTag
from helpdesk_tickets.names import key_of
from helpdesk_tickets.schemas.tags import COLOR


@dataclass(frozen=True, slots=True)
class ChosenTag:
    """A tag that a ticket has or is to have."""

    id: int
    name: str


_TAGS = select(Tag.id, Tag.name, Tag.name_key).where(Tag.organization_id == bindparam("organization_id"))
_BY_ID = Among(_TAGS, Tag.id)
_BY_NAME = Among(_TAGS, Tag.name_key)
_add_tag = insertion(Tag, returning="id", unless_taken=True)
_add_link = insertion(TicketTag)
_count_use = Prepared(
    update(Tag)
    .where(Tag.organization_id == bindparam("organization_id"), Tag.id == bindparam("tag_id"))
    .values(usage_count=Tag.usage_count + bindparam("difference"))
)
_remove_link = Prepared(
    delete(TicketTag).where(
        TicketTag.organization_id == bindparam("organization_id"),
        TicketTag.ticket_id == bindparam("ticket_id"),
        TicketTag.tag_id == bindparam("tag_id"),
    )
)


def choose_tags(session: Session, given: Sequence[int | str]) -> list[ChosenTag]:
    """Return the tags that a body names, each once, in the order given; unknown names become tags.

    Raises:
        Invalid: a key is no tag's.
    """
    if not given:
        return []
    ids = [part for part in given if isinstance(part, int)]
    names = {key_of(part): part for part in reversed(given) if isinstance(part, str)}
    known: dict[int | str, ChosenTag] = {}
    for key, name, name_key in [*_BY_ID.rows(session, ids), *_BY_NAME.rows(session, list(names))]:
        known[key] = known[name_key] = ChosenTag(key, name)
    unknown = [key for key in ids if key not in known]
    if unknown:
        raise Invalid.field("tags", f"There is no tag {unknown[0]}.")
    for name_key, name in names.items():
        if name_key not in known:
            known[name_key] = _create(session, name, name_key)
    chosen = [known[part if isinstance(part, int) else key_of(part)] for part in given]
    return list({tag.id: tag for tag in chosen}.values())


def _create(session: Session, name: str, key: str) -> ChosenTag:
    moment = now(session)
    values = {"name": name, "name_key": key, "color": COLOR, "created_at": moment, "updated_at": moment}
    added = _add_tag.rows(session, values)
    if not added:  # somebody else was faster
        return ChosenTag(*_BY_NAME.rows(session, [key])[0][:2])
    publish(session, TagCreated(tag_id=added[0][0], name=name))
    return ChosenTag(added[0][0], name)


def tags_of(session: Session, ticket_id: int) -> list[ChosenTag]:
    """Return the tags of a ticket, in their order."""
    wanted = select(Tag.id, Tag.name).join(TicketTag, TicketTag.tag_id == Tag.id)
    rows = session.execute(wanted.where(TicketTag.ticket_id == ticket_id).order_by(TicketTag.position)).all()
    return [ChosenTag(row.id, row.name) for row in rows]


def link_tags(session: Session, ticket_id: int, created_at: datetime, tags: Sequence[ChosenTag]) -> None:
    """Put tags on a ticket that has none."""
    links = [
        {"ticket_id": ticket_id, "tag_id": tag.id, "position": place, "ticket_created_at": created_at}
        for place, tag in enumerate(tags)
    ]
    if links:
        _add_link.run(session, *links)


def replace_tags(
    session: Session, ticket_id: int, created_at: datetime, before: Sequence[ChosenTag], after: Sequence[ChosenTag]
) -> None:
    """Give a ticket the tags `after` instead of `before`, and count their uses."""
    if before:
        _remove_link.run(session, *({"ticket_id": ticket_id, "tag_id": tag.id} for tag in before))
    link_tags(session, ticket_id, created_at, after)
    count_uses(session, [tag for tag in before if tag not in after], -1)
    count_uses(session, [tag for tag in after if tag not in before], 1)


def count_uses(session: Session, tags: Sequence[ChosenTag], difference: int) -> None:
    """Add to the uses of tags, in the order of their keys: two tickets with the same tags must not block each other."""
    if tags:
        changes = ({"tag_id": tag.id, "difference": difference} for tag in sorted(tags, key=lambda tag: tag.id))
        _count_use.run(session, *changes)
