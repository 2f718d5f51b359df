"""`/tickets/`"""

from datetime import timedelta
from typing import Annotated, Any

from helpdesk_core.api import Context, Key, NotFound, Page, PathPattern, Router
from helpdesk_tickets.permissions import ASSIGN, CREATE, DELETE, RESTORE, UPDATE, VIEW
from helpdesk_tickets.queries.history import history
from helpdesk_tickets.queries.tickets import deleted_tickets, find_by_number, find_ticket, tickets
from helpdesk_tickets.routes.filters import page_of_tickets
from helpdesk_tickets.routes.paths import TicketKey, found
from helpdesk_tickets.schemas.history import ChangeFilters, ChangeRead, ClassicChangeRead
from helpdesk_tickets.schemas.tickets import (
    Assignment,
    ClassicTicketRead,
    ClassicTicketRow,
    Closing,
    DeletedTicketFilters,
    MyTicketFilters,
    OverdueFilters,
    PriorityChange,
    StatusChange,
    TagAddition,
    TicketCreate,
    TicketExtras,
    TicketFilters,
    TicketRead,
    TicketUpdate,
)
from helpdesk_tickets.service import tickets as service

router = Router("tickets", tag="Tickets")

MINE_BY_ROLE = {"assigned": "mine_assigned", "created": "mine_created", None: "mine"}
Number = Annotated[str, PathPattern(r"[A-Za-z]{1,10}-[0-9]{1,15}")]
TicketPage = Page[TicketRead | ClassicTicketRow]
Ticket = TicketRead | ClassicTicketRead


@router.get("/", permission=VIEW, include=TicketExtras)
def list_tickets(ctx: Context, query: TicketFilters) -> TicketPage:
    """The tickets that the caller may see, newest first.

    Several values of a filter, separated by commas or given by repeating it, mean any of them. All words of `search`
    must occur; `ordering=relevance` sorts by how well they do.
    """
    return page_of_tickets(ctx, query)


@router.post("/", permission=CREATE, status=201, include=TicketExtras)
def create_ticket(ctx: Context, body: TicketCreate) -> Ticket:
    """Open a ticket, for oneself or, as an agent, for somebody else."""
    return ctx.one(tickets, service.create_ticket(ctx.session, ctx.actor, body))


@router.get("/my_tickets/", permission=VIEW, include=TicketExtras, aliases=("/my-tickets/",))
def list_my_tickets(ctx: Context, query: MyTicketFilters) -> TicketPage:
    """The tickets that the caller made, is the customer of, or works on."""
    narrowing: dict[str, Any] = {MINE_BY_ROLE[query.role]: ctx.actor.user_id}
    return page_of_tickets(ctx, query, **narrowing)


@router.get("/overdue/", permission=VIEW, include=TicketExtras)
def list_overdue_tickets(ctx: Context, query: OverdueFilters) -> TicketPage:
    """The tickets that are past due and neither resolved nor closed, the longest overdue first."""
    return page_of_tickets(ctx, query, unresolved=True, due_until=ctx.now - timedelta(seconds=1))


@router.get("/deleted/", permission=RESTORE, include=TicketExtras)
def list_deleted_tickets(ctx: Context, query: DeletedTicketFilters) -> TicketPage:
    """The tickets that can be restored, the last deleted first."""
    return ctx.page(deleted_tickets, query)


@router.get("/by-number/{number}/", permission=VIEW, include=TicketExtras)
def retrieve_ticket_by_number(ctx: Context, number: Number) -> Ticket:
    """The ticket with a number like `TKT-001`."""
    return ctx.one(tickets, find_by_number(ctx.session, ctx.viewer, number))


@router.get("/{ticket}/", permission=VIEW, include=TicketExtras)
def retrieve_ticket(ctx: Context, ticket: TicketKey) -> Ticket:
    """One ticket, by its integer key or its UUID."""
    return ctx.one(tickets, found(ctx, ticket))


@router.put("/{ticket}/", permission=VIEW, needs=UPDATE, include=TicketExtras)
def update_ticket(ctx: Context, ticket: TicketKey, body: TicketUpdate) -> Ticket:
    """Change what is sent; null clears, and what the caller's document shows as the status now leaves it alone."""
    key = found(ctx, ticket)
    service.update_ticket(ctx.session, ctx.actor, key, body, ctx.dialect)
    return ctx.one(tickets, key)


@router.delete("/{ticket}/", permission=VIEW, needs=DELETE)
def delete_ticket(ctx: Context, ticket: TicketKey) -> None:
    """Delete a ticket; administrators can restore it."""
    service.delete_ticket(ctx.session, ctx.actor, found(ctx, ticket))


@router.post("/{ticket}/restore/", permission=RESTORE, include=TicketExtras)
def restore_ticket(ctx: Context, ticket: TicketKey) -> Ticket:
    """Bring a deleted ticket back as it was."""
    key = find_ticket(ctx.session, ctx.viewer, ticket, deleted=True)
    service.restore_ticket(ctx.session, ctx.actor, key)
    return ctx.one(tickets, key)


@router.post("/{ticket}/assign/", permission=VIEW, needs=ASSIGN, include=TicketExtras)
def assign_ticket(ctx: Context, ticket: TicketKey, body: Assignment) -> Ticket:
    """Give the ticket to an agent, technician or administrator; null for nobody."""
    key = found(ctx, ticket)
    service.assign_ticket(ctx.session, ctx.actor, key, body.assigned_agent)
    return ctx.one(tickets, key)


@router.post("/{ticket}/unassign/", permission=VIEW, needs=ASSIGN, include=TicketExtras)
def unassign_ticket(ctx: Context, ticket: TicketKey) -> Ticket:
    """Take the ticket from whoever works on it."""
    key = found(ctx, ticket)
    service.assign_ticket(ctx.session, ctx.actor, key, None)
    return ctx.one(tickets, key)


@router.post(
    "/{ticket}/change_status/",
    permission=VIEW,
    needs=UPDATE,
    include=TicketExtras,
    aliases=("/{ticket}/change-status/",),
)
def change_ticket_status(ctx: Context, ticket: TicketKey, body: StatusChange) -> Ticket:
    """Move the ticket to another state; 422 for a move that the rules do not allow."""
    key = found(ctx, ticket)
    service.change_status(ctx.session, ctx.actor, key, body.status, resolution=body.resolution, dialect=ctx.dialect)
    return ctx.one(tickets, key)


@router.post("/{ticket}/close/", permission=VIEW, needs=UPDATE, include=TicketExtras)
def close_ticket(ctx: Context, ticket: TicketKey, body: Closing) -> Ticket:
    """Close the ticket."""
    key = found(ctx, ticket)
    service.change_status(ctx.session, ctx.actor, key, "closed", resolution=body.resolution)
    return ctx.one(tickets, key)


@router.post("/{ticket}/reopen/", permission=VIEW, needs=UPDATE, include=TicketExtras)
def reopen_ticket(ctx: Context, ticket: TicketKey) -> Ticket:
    """Open a resolved or closed ticket again; closed ones are for agents to reopen."""
    key = found(ctx, ticket)
    service.reopen_ticket(ctx.session, ctx.actor, key)
    return ctx.one(tickets, key)


@router.post("/{ticket}/change-priority/", permission=VIEW, needs=UPDATE, include=TicketExtras)
def change_ticket_priority(ctx: Context, ticket: TicketKey, body: PriorityChange) -> Ticket:
    """Give the ticket another priority."""
    key = found(ctx, ticket)
    service.change_priority(ctx.session, ctx.actor, key, body.priority)
    return ctx.one(tickets, key)


@router.post("/{ticket}/tags/", permission=VIEW, needs=UPDATE, include=TicketExtras)
def add_ticket_tags(ctx: Context, ticket: TicketKey, body: TagAddition) -> Ticket:
    """Put more tags on the ticket."""
    key = found(ctx, ticket)
    service.add_tags(ctx.session, ctx.actor, key, body.tags)
    return ctx.one(tickets, key)


@router.delete("/{ticket}/tags/{tag}/", permission=VIEW, needs=UPDATE)
def remove_ticket_tag(ctx: Context, ticket: TicketKey, tag: Key) -> None:
    """Take a tag off the ticket."""
    if not service.remove_tag(ctx.session, ctx.actor, found(ctx, ticket), tag):
        raise NotFound


@router.get("/{ticket}/history/", permission=VIEW)
def list_ticket_history(ctx: Context, ticket: TicketKey, query: ChangeFilters) -> Page[ChangeRead | ClassicChangeRead]:
    """What changed, who changed it, and when; oldest first."""
    return ctx.page(history, query, ticket=found(ctx, ticket))
