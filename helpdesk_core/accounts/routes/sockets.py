"""Tickets for the socket at `/ws/notifications/`."""

from helpdesk_core.accounts import permissions
from helpdesk_core.accounts.schemas.sockets import TicketRead
from helpdesk_core.accounts.sockets import LIFETIME, issue_ticket
from helpdesk_core.errors import LoginRequired
from helpdesk_core.schemas import Dialect
from helpdesk_core.web.context import Context
from helpdesk_core.web.routing import Router

router = Router("users", tag="Real time", document=Dialect.COMPREHENSIVE)


@router.post("/ws-ticket/", permission=permissions.USE, personal=True, status=201, reveals=True)
def create_socket_ticket(ctx: Context) -> TicketRead:
    """Get a ticket that opens `/ws/notifications/?ticket=...` once, within 30 seconds: for browsers.

    What the socket tells is in the words of the document that the caller's credential belongs to. It closes when the
    login ends.
    """
    principal = ctx.principal
    if principal is None or principal.login_id is None:
        raise LoginRequired
    ticket, expires_at = issue_ticket(ctx.session, ctx.actor.user_id, principal.login_id, principal.dialect)
    return TicketRead(ticket=ticket, expires_at=expires_at, expires_in=int(LIFETIME.total_seconds()))
