"""What others can follow of this plugin, by the change feed, the socket and webhooks."""

from typing import Any

from helpdesk_core.api import Permission, Resource
from helpdesk_tickets.models import Ticket
from helpdesk_tickets.permissions import COMMENT_INTERNALLY, VIEW, VIEW_ALL, VIEW_CATALOGUE
from helpdesk_tickets.queries.attachments import attachments
from helpdesk_tickets.queries.categories import categories
from helpdesk_tickets.queries.comments import comments_of_all_tickets
from helpdesk_tickets.queries.tags import tags
from helpdesk_tickets.queries.tickets import tickets
from helpdesk_tickets.vocabulary import COMPREHENSIVE


def needed_for_comment(payload: Any) -> Permission | None:
    """Return what it takes to hear of a comment that is internal, unless it was not before."""
    internal = payload["is_internal"] and payload.get("was_internal", True)
    return COMMENT_INTERNALLY if internal else None


ALL = (
    Resource(
        "ticket",
        tickets,
        VIEW,
        present_with=(VIEW_ALL,),
        ids={COMPREHENSIVE: Ticket.uuid},
        stated=True,
        path="/tickets/{id}/",
    ),
    Resource(
        "comment",
        comments_of_all_tickets,
        VIEW,
        present_with=(VIEW_ALL,),
        needs=needed_for_comment,
        stated=True,
        path="/tickets/{ticket_id}/comments/{id}/",
    ),
    Resource("attachment", attachments, VIEW, present_with=(VIEW_ALL,), path="/attachments/{id}/"),
    Resource("category", categories, VIEW_CATALOGUE, path="/categories/{id}/"),
    Resource("tag", tags, VIEW_CATALOGUE, path="/tags/{id}/"),
)
