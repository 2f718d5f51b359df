"""Which tickets somebody may see; everything that belongs to a ticket follows it."""

from sqlalchemy import ColumnElement, and_, bindparam, exists, or_

from helpdesk_core.api import Actor, Visibility, own_or
from helpdesk_tickets.models import Attachment, Ticket
from helpdesk_tickets.permissions import VIEW_ALL

visible_tickets = own_or(VIEW_ALL, Ticket.customer_id, Ticket.created_by_id, Ticket.assigned_agent_id)


class WithTicket(Visibility):
    """Files of the tickets that one can see, and one's own that no ticket has yet."""

    def variant(self, actor: Actor) -> str:
        """Follow the ticket."""
        return visible_tickets.variant(actor)

    def criterion(self, variant: str) -> ColumnElement[bool]:
        """Look for the ticket."""
        ticket = exists().where(
            Ticket.id == Attachment.ticket_id,
            Ticket.organization_id == Attachment.organization_id,
            Ticket.deleted_at.is_(None),
        )
        allowed = visible_tickets.criterion(variant)
        if allowed is not None:
            ticket = ticket.where(allowed)
        return or_(ticket, and_(Attachment.ticket_id.is_(None), Attachment.uploaded_by_id == bindparam("actor_id")))
