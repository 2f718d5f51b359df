"""What conditions are held against: an event, and the ticket and comment that it is about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core.api import ROLES, Dialect, User, organization_of
from helpdesk_tickets.api import (
    PRIORITIES,
    STATUSES,
    Category,
    Comment,
    Ticket,
    TicketChange,
    stored_statuses,
    tags_of,
)
from helpdesk_workflow.conditions import Field, Kind
from helpdesk_workflow.conditions.comparing import CategoryFact

HISTORY = ("subject", "description", "status", "priority", "category", "customer", "assigned_agent", "due_date", "tags")
"""Fields of a ticket whose changes its history keeps."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """What an automation may be called for.

    Attributes:
        name: unique among all there ever are, `event 17`.
        cause: `event`, `time` or `hand`.
        event_type: of the event, or the kind of time.
        at: when it happened.
        payload: of the event.
        event_id: key of the event.
        root_id: key of the event that everything began with.
        depth: how many events lie between.
        hops: how many automations led to it.
        ticket_id: key of the ticket that it is about.
        comment_id: key of the comment that it is about.
    """

    name: str
    cause: str
    event_type: str
    at: datetime
    payload: Mapping[str, Any] = field(default_factory=dict)
    event_id: int | None = None
    root_id: int | None = None
    depth: int = 0
    hops: int = 0
    ticket_id: int | None = None
    comment_id: int | None = None


class StoredFacts:
    """Facts of an occasion as they are stored, each read when it is first asked for.

    Attributes:
        session: of the organisation.
        occasion: what happened.
        now: the instant that ages are counted to.
    """

    def __init__(self, session: Session, occasion: Occasion, now: datetime, *, as_of: datetime | None = None) -> None:
        """Prepare; with `as_of`, what the history of the ticket tells of later changes is undone."""
        self.session = session
        self.occasion = occasion
        self.now = now
        self._as_of = as_of
        self._known: dict[str, Any] = {}

    def value(self, name: str) -> Any:
        """Return what a field holds."""
        if name not in self._known:
            read = _READERS.get(name)
            self._known[name] = read(self) if read else self.occasion.payload.get(name)
        return self._known[name]

    def change(self, name: str) -> tuple[Any, Any] | None:
        """Return a field's values before and after the event, if it changed."""
        payload, kind = self.occasion.payload, self.occasion.event_type
        if kind == "ticket.status_changed":
            return (payload["before"], payload["after"]) if name == "status" else None
        if kind == "ticket.assigned":
            pair = (payload["previous_agent_id"], payload["assigned_agent_id"])
            return pair if name == "assigned_agent" else None
        if kind != "ticket.updated" or name not in payload["fields"]:
            return None
        wanted = select(TicketChange.before, TicketChange.after).where(
            TicketChange.ticket_id == self.occasion.ticket_id,
            TicketChange.field == name,
            TicketChange.created_at <= self.occasion.at,
        )
        row = self.session.execute(wanted.order_by(TicketChange.id.desc()).limit(1)).first()
        return None if row is None else (self._stored(name, row.before), self._stored(name, row.after))

    @cached_property
    def ticket(self) -> SimpleNamespace | None:
        """The ticket as it is, or as it was."""
        if self.occasion.ticket_id is None:
            return None
        row = self.session.execute(select(*_COLUMNS).where(Ticket.id == self.occasion.ticket_id)).first()
        if row is None:
            return None
        ticket = SimpleNamespace(**row._mapping)  # noqa: SLF001 - public, see its documentation
        ticket.tags = None
        if self._as_of is not None:
            self._undo(ticket, self._as_of)
        return ticket

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """The names of the ticket's tags."""
        if self.ticket is None:
            return ()
        if self.ticket.tags is not None:
            return tuple(self.ticket.tags)
        return tuple(tag.name for tag in tags_of(self.session, self.ticket.id))

    @cached_property
    def customer(self) -> SimpleNamespace | None:
        """The person that the ticket is for."""
        return self._person(self.ticket.customer_id) if self.ticket else None

    @cached_property
    def comment(self) -> SimpleNamespace | None:
        """The comment, with its author's role."""
        if self.occasion.comment_id is None:
            return None
        columns = (Comment.content, Comment.is_internal, Comment.author_id, User.role)
        wanted = select(*columns).join(User, User.id == Comment.author_id).where(Comment.id == self.occasion.comment_id)
        row = self.session.execute(wanted).first()
        return SimpleNamespace(**row._mapping) if row else None  # noqa: SLF001

    def category(self, key: int | None) -> CategoryFact | None:
        """Return a category by its key."""
        if key is None:
            return None
        wanted = select(Category.id, Category.name, Category.slug).where(Category.id == key)
        row = self.session.execute(wanted).first()
        return CategoryFact(*row) if row else None

    def _person(self, key: int) -> SimpleNamespace | None:
        row = self.session.execute(select(User.id, User.email, User.role).where(User.id == key)).first()
        return SimpleNamespace(**row._mapping) if row else None  # noqa: SLF001

    def _undo(self, ticket: SimpleNamespace, moment: datetime) -> None:
        wanted = select(TicketChange.field, TicketChange.before).where(
            TicketChange.ticket_id == ticket.id, TicketChange.created_at > moment
        )
        for change in self.session.execute(wanted.order_by(TicketChange.id.desc())):
            name = _STORED_AS.get(change.field, change.field)
            setattr(ticket, name, _instant(change.before) if name == "due_date" else change.before)
        ticket.updated_at = min(ticket.updated_at, moment)

    def _stored(self, name: str, value: Any) -> Any:
        if name == "category":
            return self.category(value)
        return _instant(value) if name == "due_date" else value


_STORED_AS = {"category": "category_id", "customer": "customer_id", "assigned_agent": "assigned_agent_id"}
_COLUMNS = (
    Ticket.id,
    Ticket.number,
    Ticket.subject,
    Ticket.description,
    Ticket.status,
    Ticket.priority,
    Ticket.category_id,
    Ticket.customer_id,
    Ticket.created_by_id,
    Ticket.assigned_agent_id,
    Ticket.due_date,
    Ticket.created_at,
    Ticket.updated_at,
    Ticket.deleted_at,
)


def _instant(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _of_ticket(attribute: str) -> Callable[[StoredFacts], Any]:
    return lambda facts: None if facts.ticket is None else getattr(facts.ticket, attribute)


def _of_customer(attribute: str) -> Callable[[StoredFacts], Any]:
    return lambda facts: None if facts.customer is None else getattr(facts.customer, attribute)


def _of_comment(attribute: str) -> Callable[[StoredFacts], Any]:
    return lambda facts: None if facts.comment is None else getattr(facts.comment, attribute)


def _hours_since(attribute: str) -> Callable[[StoredFacts], Any]:
    def read(facts: StoredFacts) -> float | None:
        if facts.ticket is None:
            return None
        since: datetime = getattr(facts.ticket, attribute)
        return round((facts.now - since).total_seconds() / 3600, 2)

    return read


STATUS_WORDS = {"open": stored_statuses(["open"], Dialect.COMPREHENSIVE) or ()}

_TICKET: tuple[tuple[Field, Callable[[StoredFacts], Any]], ...] = (
    (Field("subject", Kind.TEXT, "What the ticket is about"), _of_ticket("subject")),
    (Field("description", Kind.TEXT, "What its customer wrote"), _of_ticket("description")),
    (Field("status", Kind.WORD, "Its state", STATUSES, also=STATUS_WORDS), _of_ticket("status")),
    (Field("priority", Kind.RANK, "Its priority", PRIORITIES), _of_ticket("priority")),
    (
        Field("category", Kind.CATEGORY, "Its category, by id, name or slug"),
        lambda facts: facts.category(facts.ticket.category_id) if facts.ticket else None,
    ),
    (Field("tags", Kind.LIST, "The names of its tags"), lambda facts: facts.tags),
    (Field("assigned_agent", Kind.USER, "Who works on it, by id"), _of_ticket("assigned_agent_id")),
    (Field("customer", Kind.USER, "Who it is for, by id"), _of_ticket("customer_id")),
    (Field("customer_email", Kind.TEXT, "The address of its customer"), _of_customer("email")),
    (
        Field("customer_domain", Kind.TEXT, "What follows @ in that address"),
        lambda facts: facts.customer.email.rpartition("@")[2] if facts.customer else None,
    ),
    (Field("customer_role", Kind.WORD, "The role of its customer", ROLES), _of_customer("role")),
    (Field("created_by", Kind.USER, "Who opened it, by id"), _of_ticket("created_by_id")),
    (
        Field("organization", Kind.KEY, "The organization, by id"),
        lambda facts: organization_of(facts.session),
    ),
    (Field("due_date", Kind.INSTANT, "When it is due"), _of_ticket("due_date")),
    (Field("hours_since_created", Kind.NUMBER, "Hours since it was opened"), _hours_since("created_at")),
    (Field("hours_since_updated", Kind.NUMBER, "Hours since it last changed"), _hours_since("updated_at")),
)
_COMMENT: tuple[tuple[Field, Callable[[StoredFacts], Any]], ...] = (
    (Field("content", Kind.TEXT, "What the comment says"), _of_comment("content")),
    (Field("author", Kind.USER, "Who wrote it, by id"), _of_comment("author_id")),
    (Field("author_role", Kind.WORD, "The role of its author", ROLES), _of_comment("role")),
)

_READERS: Mapping[str, Callable[[StoredFacts], Any]] = {each.name: read for each, read in (*_TICKET, *_COMMENT)}
TICKET_FIELDS: Mapping[str, Field] = {each.name: each for each, _ in _TICKET}
COMMENT_FIELDS: Mapping[str, Field] = {each.name: each for each, _ in _COMMENT}
