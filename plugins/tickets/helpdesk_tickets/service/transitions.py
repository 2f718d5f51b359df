"""The states of a ticket: which moves are legal, and what each leaves behind."""

from helpdesk_core.api import Dialect
from helpdesk_tickets.errors import TicketClosed
from helpdesk_tickets.models import FINAL_STATUSES
from helpdesk_tickets.permissions import REOPEN_CLOSED
from helpdesk_tickets.service.editing import Edit
from helpdesk_tickets.vocabulary import SHOWN


def move_to(edit: Edit, status: str, dialect: Dialect) -> None:
    """Give the ticket a status that somebody wrote, if the rules allow the move.

    What the writer's document shows now means no change (rule R7): saving what was read moves nothing.

    Raises:
        TicketClosed: the ticket is closed and `status` is not `open`.
        PermissionDenied: the ticket is closed and the actor may not reopen it.
    """
    ticket = edit.ticket
    if status in {ticket.status, SHOWN[dialect][ticket.status]}:
        return
    if ticket.status == "closed":
        if status != "open":
            raise TicketClosed
        edit.actor.require(REOPEN_CLOSED, "Only agents can reopen a closed ticket.")
    set_status(edit, status)


def set_status(edit: Edit, status: str) -> None:
    """Move the ticket and stamp it; whether the move is legal is the caller's business."""
    ticket = edit.ticket
    was_final = ticket.status in FINAL_STATUSES
    if not edit.set("status", status):
        return
    if status in FINAL_STATUSES:
        ticket.resolved_at = ticket.resolved_at or edit.now
        ticket.closed_at = edit.now if status == "closed" else None
    elif was_final:
        ticket.resolved_at = ticket.closed_at = None
        ticket.reopen_count += 1
        edit.set("resolution", None)


def resolve_with(edit: Edit, resolution: str | None) -> None:
    """Keep what was done, with a final status; with another one it is ignored."""
    if edit.ticket.status in FINAL_STATUSES:
        edit.set("resolution", resolution)


def open_if_new(edit: Edit) -> None:
    """Move a new ticket to `open`: somebody has taken it up."""
    if edit.ticket.status == "new":
        set_status(edit, "open")


def react_to_customer(edit: Edit) -> None:
    """Reopen a ticket whose customer writes again, unless it is closed; answering ends its waiting."""
    if edit.ticket.status in {"resolved", "pending"}:
        set_status(edit, "open")
