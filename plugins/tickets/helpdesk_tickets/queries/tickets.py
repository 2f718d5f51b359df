"""What can be read of tickets."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, literal_column, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session

from helpdesk_core.api import (
    Column,
    Computed,
    Count,
    Dialect,
    FullText,
    Many,
    NotFound,
    One,
    Order,
    Person,
    ReadModel,
    Totals,
    Username,
    Viewer,
    any_of,
    at_least,
    at_most,
    equals,
    matches,
    through,
    unless,
    words_in,
)
from helpdesk_tickets.models import FIRST_FINAL_RANK, Comment, Tag, Ticket, TicketCount, TicketTag
from helpdesk_tickets.permissions import COMMENT_INTERNALLY
from helpdesk_tickets.queries.attachments import attachments_of_tickets
from helpdesk_tickets.queries.visibility import visible_tickets
from helpdesk_tickets.schemas.comments import CommentRead
from helpdesk_tickets.schemas.tickets import (
    ClassicTicketRead,
    ClassicTicketRow,
    TagSummary,
    TicketExtras,
    TicketRead,
)
from helpdesk_tickets.search import tickets_search
from helpdesk_tickets.vocabulary import (
    CLASSIC,
    COMPREHENSIVE,
    DISPLAYED_PRIORITY,
    DISPLAYED_STATUS,
    NUMBER_PREFIX,
    SHOWN,
)

EMBEDDED_IN_LISTS = 10
EMBEDDED_IN_DETAIL = 100
LARGEST_KEY = 2**53 - 1
LARGEST_SEQUENCE = 2**31 - 1

visible_comments = unless(COMMENT_INTERNALLY, Comment.is_internal.is_(False))


def age(viewer: Viewer, created_at: str) -> str:
    """Return how long ago an instant is, in its largest unit up to days."""
    seconds = int((viewer.now - datetime.fromisoformat(created_at)).total_seconds())
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            number = seconds // size
            return f"{number} {unit}{'s' if number > 1 else ''} ago"
    return "just now"


def _fields(comments: int) -> dict[Dialect, Mapping[str, Any]]:
    """Return how every name of a ticket is read, with so many comments embedded."""
    common = {
        "uuid": Ticket.uuid,
        "key": Ticket.id,
        "ticket_number": Ticket.number,
        "title": Ticket.subject,
        "status_display": Column(Ticket.status, DISPLAYED_STATUS),
        "priority_display": Column(Ticket.priority, DISPLAYED_PRIORITY),
        "customer": One(Ticket.customer, Person),
        "assigned_agent": One(Ticket.assigned_agent, Person),
        "assigned_to": One(Ticket.assigned_agent, Username),
        "created_by": One(Ticket.created_by, Username),
        "time_since_created": Computed(age, Ticket.created_at),
        "comment_count": Count(visible_comments, Ticket.comment_count, Ticket.public_comment_count),
        "comments": Many(
            Comment.ticket_id, CommentRead, order=(Comment.id,), newest=comments, visibility=visible_comments
        ),
    }
    tags: dict[str, Any] = {"order": (TicketTag.position,), "join": (TicketTag.tag,)}
    objects = {"id": Tag.id, "name": Tag.name, "color": Tag.color}
    return {
        COMPREHENSIVE: {
            **common,
            "id": Ticket.uuid,
            "status": Column(Ticket.status, SHOWN[COMPREHENSIVE]),
            "tags": Many(TicketTag.ticket_id, Tag.name, **tags),
            "attachments": attachments_of_tickets[COMPREHENSIVE],
        },
        CLASSIC: {
            **common,
            "status": Column(Ticket.status, SHOWN[CLASSIC]),
            "tags": Many(TicketTag.ticket_id, TagSummary, fields=objects, **tags),
            "attachments": attachments_of_tickets[CLASSIC],
        },
    }


def is_unresolved() -> ColumnElement[bool]:
    """Return the condition that a ticket is neither resolved nor closed."""
    # Written out, so that SQLite sees that it may use the index of unresolved tickets.
    return type_coerce(Ticket.status, Integer) < literal_column(str(FIRST_FINAL_RANK), Integer)


def _searched(viewer: Viewer) -> tuple[str, ...]:
    """Return what `?search=` looks into: that differs between the documents."""
    if viewer.dialect is COMPREHENSIVE:
        return ("text", "number")
    return ("text", "comments", "internal") if viewer.actor.can(COMMENT_INTERNALLY) else ("text", "comments")


FILTERS = {
    "status": equals(Ticket.status),
    "priority": equals(Ticket.priority),
    "category": equals(Ticket.category_id),
    "assigned_agent": equals(Ticket.assigned_agent_id),
    "created_by": equals(Ticket.created_by_id),
    "customer": equals(Ticket.customer_id),
    "tags": through(
        TicketTag.tag_id,
        key=TicketTag.ticket_id,
        target=Ticket.id,
        order=(TicketTag.ticket_created_at, TicketTag.ticket_id),
    ),
    "created_after": at_least(Ticket.created_at),
    "created_before": at_most(Ticket.created_at),
    "mine": any_of(Ticket.customer_id, Ticket.created_by_id, Ticket.assigned_agent_id),
    "mine_assigned": equals(Ticket.assigned_agent_id),
    "mine_created": equals(Ticket.created_by_id),
    "unresolved": matches(is_unresolved),
    "due_until": at_most(Ticket.due_order),
}
"""By what lists of tickets are filtered; those from `mine` on are not parameters, endpoints set them."""

SAVED = {f"saved_{name}": each for name, each in FILTERS.items()}
"""The same once more, for a saved filter: what the caller asks for besides narrows what it finds."""

COUNTED = {"status": TicketCount.status, "priority": TicketCount.priority, "category": TicketCount.category_id}
"""Filters whose totals are maintained."""

ORDERS: Mapping[str, InstrumentedAttribute[Any] | Order] = {
    "created_at": Ticket.created_at,
    "updated_at": Ticket.updated_at,
    "priority": Ticket.priority,
    "due_date": Order(Ticket.due_order, Ticket.due_reverse),
    "ticket_number": Ticket.sequence,
    "subject": Ticket.subject,
    "title": Ticket.subject,
    "status": Ticket.status,
}

ticket_list: ReadModel[TicketRead | ClassicTicketRow] = ReadModel(
    Ticket,
    schema={COMPREHENSIVE: TicketRead, CLASSIC: ClassicTicketRow},
    fields=_fields(EMBEDDED_IN_LISTS),
    optional=TicketExtras,
    filters={**FILTERS, **SAVED},
    ordering=ORDERS,
    default_order="-created_at",
    tie=(Ticket.created_at, Ticket.id),
    search=FullText(tickets_search, _searched),
    visible=visible_tickets,
    where=Ticket.deleted_at.is_(None),
    totals=Totals(TicketCount.total, {**COUNTED, **{f"saved_{name}": each for name, each in COUNTED.items()}}),
)

tickets: ReadModel[TicketRead | ClassicTicketRead] = ReadModel(
    Ticket,
    schema={COMPREHENSIVE: TicketRead, CLASSIC: ClassicTicketRead},
    fields=_fields(EMBEDDED_IN_DETAIL),
    optional=TicketExtras,
    default_order="-created_at",
    ordering=ORDERS,
    visible=visible_tickets,
    where=Ticket.deleted_at.is_(None),
)

deleted_tickets: ReadModel[TicketRead | ClassicTicketRow] = ReadModel(
    Ticket,
    schema={COMPREHENSIVE: TicketRead, CLASSIC: ClassicTicketRow},
    fields=_fields(EMBEDDED_IN_LISTS),
    optional=TicketExtras,
    ordering={**ORDERS, "deleted_at": Ticket.deleted_at},
    default_order="-deleted_at",
    search=words_in(Ticket.subject, Ticket.number),
    visible=visible_tickets,
    where=Ticket.deleted_at.is_not(None),
)


def find_ticket(session: Session, viewer: Viewer, ticket: int | str, *, deleted: bool = False) -> int:
    """Return the key of a ticket that `viewer` may see.

    Args:
        session: any.
        viewer: who asks.
        ticket: its integer key or its UUID (rule R4).
        deleted: look among the deleted ones instead.

    Raises:
        NotFound: there is none, or the viewer may not know of it.
    """
    model = deleted_tickets if deleted else tickets
    if isinstance(ticket, str):
        return model.find_one(session, viewer, Ticket.uuid, ticket.lower())
    if ticket > LARGEST_KEY:
        raise NotFound
    return model.find_one(session, viewer, Ticket.id, ticket)


def find_by_number(session: Session, viewer: Viewer, number: str) -> int:
    """Return the key of the ticket with a number like `TKT-001`, in any case; else raise `NotFound`."""
    prefix, _, digits = number.upper().partition("-")
    if prefix != NUMBER_PREFIX or int(digits) > LARGEST_SEQUENCE:
        raise NotFound
    return tickets.find_one(session, viewer, Ticket.sequence, int(digits))
