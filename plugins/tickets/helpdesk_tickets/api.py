"""What other plugins may import. Tickets are changed through the verbs here; their tables are this plugin's own."""

from helpdesk_tickets.events import (
    CommentCreated,
    CommentDeleted,
    CommentUpdated,
    TicketAssigned,
    TicketCreated,
    TicketDeleted,
    TicketDueSoon,
    TicketOverdue,
    TicketRestored,
    TicketStatusChanged,
    TicketUpdated,
)
from helpdesk_tickets.models import FINAL_STATUSES, PRIORITIES, STATUSES, Category, Comment, Tag, Ticket, TicketChange
from helpdesk_tickets.names import key_of
from helpdesk_tickets.notices import subject_of
from helpdesk_tickets.permissions import COMMENT_INTERNALLY, VIEW, VIEW_ALL
from helpdesk_tickets.queries.statistics import Figures, figures
from helpdesk_tickets.queries.tickets import find_ticket, ticket_list, tickets
from helpdesk_tickets.queries.visibility import visible_tickets
from helpdesk_tickets.routes.paths import TicketKey
from helpdesk_tickets.schemas.comments import CommentCreate
from helpdesk_tickets.schemas.statistics import Period
from helpdesk_tickets.schemas.tickets import TicketCreate, TicketFilters, TicketUpdate
from helpdesk_tickets.service.comments import add_comment
from helpdesk_tickets.service.references import check_assignee
from helpdesk_tickets.service.statistics import compliance, duration
from helpdesk_tickets.service.tagging import tags_of
from helpdesk_tickets.service.tickets import (
    add_tags,
    assign_ticket,
    change_priority,
    change_status,
    create_ticket,
    remove_tag,
    update_ticket,
)
from helpdesk_tickets.vocabulary import SHOWN, Priority, Status, stored_statuses

__all__ = [
    "COMMENT_INTERNALLY",
    "FINAL_STATUSES",
    "PRIORITIES",
    "SHOWN",
    "STATUSES",
    "VIEW",
    "VIEW_ALL",
    "Category",
    "Comment",
    "CommentCreate",
    "CommentCreated",
    "CommentDeleted",
    "CommentUpdated",
    "Figures",
    "Period",
    "Priority",
    "Status",
    "Tag",
    "Ticket",
    "TicketAssigned",
    "TicketChange",
    "TicketCreate",
    "TicketCreated",
    "TicketDeleted",
    "TicketDueSoon",
    "TicketFilters",
    "TicketKey",
    "TicketOverdue",
    "TicketRestored",
    "TicketStatusChanged",
    "TicketUpdate",
    "TicketUpdated",
    "add_comment",
    "add_tags",
    "assign_ticket",
    "change_priority",
    "change_status",
    "check_assignee",
    "compliance",
    "create_ticket",
    "duration",
    "figures",
    "find_ticket",
    "key_of",
    "remove_tag",
    "stored_statuses",
    "subject_of",
    "tags_of",
    "ticket_list",
    "tickets",
    "update_ticket",
    "visible_tickets",
]
