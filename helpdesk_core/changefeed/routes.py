"""Endpoints of the change feed and of the catalogue of events."""

from typing import Any, cast

from helpdesk_core.changefeed import permissions
from helpdesk_core.changefeed.schemas import LARGEST_PAGE, NOW, ChangePage, ChangeQuery, EventRead
from helpdesk_core.changes import Changes, Position, UnknownTopic
from helpdesk_core.changes.topics import EVERYTHING
from helpdesk_core.errors import Invalid
from helpdesk_core.events import EventCatalogue
from helpdesk_core.plugins import Contributions
from helpdesk_core.schemas import Dialect
from helpdesk_core.web.context import Context
from helpdesk_core.web.routing import Router

changes = Router("changes", tag="Changes", document=Dialect.COMPREHENSIVE)
events = Router("meta/events", tag="Meta", document=Dialect.COMPREHENSIVE)


@changes.get("/", permission=permissions.FOLLOW, snapshot=True, forgets=True)
def list_changes(ctx: Context, query: ChangeQuery) -> ChangePage:
    """What happened to resources that one can see, oldest first, without gaps.

    Keep `next_cursor` once what it came with is stored, and ask with it again: nothing is left out, however many write
    at the same time, and an answer that was lost is given again. `data` is null for what is gone; whatever belongs to a
    resource that is gone is gone with it.

    What is embedded follows its own resource: when a person or a tag gets another name, the tickets that show it are
    not told of. Rights that change make nothing appear: begin anew then. Events are kept for a while only: 410 says
    that this cursor is too old.
    """
    feed = ctx.services.get(Changes)
    topics = _topics(feed, query.types)
    if query.cursor == NOW:
        return _shown([], feed.newest(ctx.session), has_more=False)
    after = _position(query.cursor)
    size = min(query.page_size, LARGEST_PAGE)
    found, position, has_more = feed.page(ctx.session, ctx.viewer, after, size, topics)
    return _shown([change.item() for change in found], position, has_more=has_more)


def _position(cursor: str | None) -> Position | None:
    position = None if cursor is None else Position.read(cursor)
    if position is None and cursor is not None:
        raise Invalid.field("cursor", "Send next_cursor of the answer before, now, or nothing.")
    return position


def _topics(feed: Changes, types: tuple[str, ...] | None) -> frozenset[str]:
    try:
        return frozenset(feed.topics.read(each) for each in types) if types else frozenset([EVERYTHING])
    except UnknownTopic as unknown:
        raise Invalid.field("types", str(unknown)) from None


def _shown(items: list[dict[str, Any]], position: Position, *, has_more: bool) -> ChangePage:
    """Return the answer; its items go to the encoder as they were read."""
    return cast("ChangePage", {"results": items, "next_cursor": str(position), "has_more": has_more})


@events.get("/", permission=permissions.VIEW_EVENTS)
def list_events(ctx: Context) -> list[EventRead]:
    """Every kind of event of the plugins that the organization has on, with the schema of its payload and a sample."""
    contributions = ctx.services.get(Contributions)
    return [
        EventRead(
            type=each.type,
            version=each.version,
            plugin=each.plugin,
            description=each.description,
            about=list(each.about),
            payload=dict(each.schema),
            sample=dict(each.sample),
        )
        for each in ctx.services.get(EventCatalogue).all
        if contributions.enabled(ctx.session, each.plugin)
    ]
