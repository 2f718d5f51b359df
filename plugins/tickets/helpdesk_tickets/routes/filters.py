"""`/filters/`, also called `/saved-filters/`, and lists of tickets that saved filters narrow"""

from dataclasses import replace
from typing import Any

from helpdesk_core.api import Context, Criteria, Dialect, Invalid, Key, Page, Router
from helpdesk_tickets.permissions import SAVE_FILTERS, VIEW
from helpdesk_tickets.queries.filters import saved_filters
from helpdesk_tickets.queries.tickets import FILTERS, ticket_list
from helpdesk_tickets.schemas.filters import (
    SavedFilterCreate,
    SavedFilterDetails,
    SavedFilterFilters,
    SavedFilterRead,
    SavedFilterUpdate,
    TicketCount,
)
from helpdesk_tickets.schemas.tickets import ClassicTicketRow, TicketExtras, TicketFilters, TicketRead
from helpdesk_tickets.service import filters as service
from helpdesk_tickets.service.filters import SavedParameters
from helpdesk_tickets.vocabulary import stored_statuses

router = Router("filters", tag="Saved filters", document=Dialect.CLASSIC)


@router.get("/", permission=SAVE_FILTERS, include=SavedFilterDetails)
def list_filters(ctx: Context, query: SavedFilterFilters) -> Page[SavedFilterRead]:
    """One's own saved filters and, for staff, the public ones, by name."""
    return ctx.page(saved_filters, query)


@router.post("/", permission=SAVE_FILTERS, status=201, include=SavedFilterDetails)
def create_filter(ctx: Context, body: SavedFilterCreate) -> SavedFilterRead:
    """Keep parameters of the list of tickets under a name; they keep the meaning that they have for their author."""
    return ctx.one(saved_filters, service.create_filter(ctx.session, ctx.actor, body, ctx.dialect).id)


@router.get("/{saved}/", permission=SAVE_FILTERS, include=SavedFilterDetails)
def retrieve_filter(ctx: Context, saved: Key) -> SavedFilterRead:
    """One saved filter."""
    return ctx.one(saved_filters, saved)


@router.put("/{saved}/", permission=SAVE_FILTERS, include=SavedFilterDetails)
def update_filter(ctx: Context, saved: Key, body: SavedFilterUpdate) -> SavedFilterRead:
    """Change a saved filter of one's own."""
    return ctx.one(saved_filters, service.update_filter(ctx.session, ctx.actor, saved, body, ctx.dialect).id)


@router.delete("/{saved}/", permission=SAVE_FILTERS)
def delete_filter(ctx: Context, saved: Key) -> None:
    """Remove a saved filter of one's own."""
    service.delete_filter(ctx.session, ctx.actor, saved)


@router.get("/{saved}/tickets/", permission=VIEW, include=TicketExtras, slow=True)
def list_tickets_of_filter(ctx: Context, saved: Key, query: TicketFilters) -> Page[TicketRead] | Page[ClassicTicketRow]:
    """The tickets that a saved filter finds; parameters narrow them further."""
    return page_of_tickets(ctx, query, service.parameters_of(ctx.session, ctx.actor, saved))


@router.get("/{saved}/count/", permission=VIEW, slow=True)
def count_tickets_of_filter(ctx: Context, saved: Key) -> TicketCount:
    """How many tickets a saved filter finds."""
    parameters = service.parameters_of(ctx.session, ctx.actor, saved)
    viewer = replace(ctx.viewer, dialect=parameters.dialect)
    criteria = Criteria(_values_of(parameters), parameters.query.search, limit=1)
    return TicketCount(count=ticket_list.find(ctx.session, viewer, criteria).count)


def page_of_tickets(
    ctx: Context, query: TicketFilters, saved: SavedParameters | None = None, **values: Any
) -> Page[Any]:
    """Return a page of tickets.

    Args:
        ctx: the request.
        query: what the caller asks for, in the words of their document; it may name a saved filter.
        saved: what a saved filter asks for besides, in the words of its author; also the sorting, if the caller asks
            for none.
        values: filter values that the endpoint sets.
    """
    if query.filter is not None:
        if saved is not None:
            raise Invalid.field("filter", "The path names a saved filter already.")
        saved = service.parameters_of(ctx.session, ctx.actor, query.filter)
    values = {"status": stored_statuses(query.status, ctx.dialect), **values}
    if saved is None:
        return ctx.page(ticket_list, query, **values)
    written_in = saved.dialect if saved.query.search else None
    return ctx.page(ticket_list, _together(query, saved.query), written_in=written_in, **_values_of(saved), **values)


def _together(query: TicketFilters, saved: TicketFilters) -> TicketFilters:
    words = [each.search for each in (saved, query) if each.search]
    changed: dict[str, Any] = {"search": " ".join(words) or None, "ordering": query.ordering or saved.ordering}
    if "page_size" not in query.model_fields_set:
        changed["page_size"] = saved.page_size
    return query.model_copy(update=changed)


def _values_of(saved: SavedParameters) -> dict[str, Any]:
    given = {name: getattr(saved.query, name, None) for name in FILTERS}
    given["status"] = stored_statuses(saved.query.status, saved.dialect)
    return {f"saved_{name}": value for name, value in given.items() if value is not None}


router.endpoints = [
    replace(each, aliases=(*each.aliases, each.path.replace("/filters/", "/saved-filters/", 1)))
    for each in router.endpoints
]
