"""What goes over the wire about tickets, in the words of both documents."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from helpdesk_core.api import (
    Body,
    DbInt,
    Filters,
    Instant,
    Keys,
    Line,
    OrganizationSummary,
    Person,
    Ref,
    Schema,
    UntilDateTime,
    Username,
    UserRef,
    Words,
)
from helpdesk_tickets.names import cleared_to, untouched
from helpdesk_tickets.schemas.attachments import AttachmentRead, AttachmentRefs
from helpdesk_tickets.schemas.comments import CommentRead
from helpdesk_tickets.schemas.tags import TagName
from helpdesk_tickets.vocabulary import Priority, Status

MOST_TAGS = 50


class CategorySummary(Schema):
    """A category as tickets show it."""

    id: DbInt
    name: str
    color: str


class TagSummary(Schema):
    """A tag as CLASSIC's tickets show it."""

    id: DbInt
    name: str
    color: str


class TicketRead(Schema):
    """A ticket in COMPREHENSIVE."""

    id: Annotated[str, Field(json_schema_extra={"format": "uuid"})]
    ticket_number: Annotated[str, Field(examples=["TKT-001"])]
    subject: str
    description: str
    status: Literal["new", "open", "pending", "resolved", "closed"]
    priority: Priority
    customer: Person
    assigned_agent: Person | None
    organization: OrganizationSummary
    tags: list[str]
    attachments: list[AttachmentRead]
    comments: list[CommentRead]
    """The newest that the caller may read, oldest first: up to 10 in lists, up to 100 in the detail."""
    created_at: Instant
    updated_at: Instant


class ClassicTicketRow(Schema):
    """A ticket in CLASSIC's lists."""

    id: DbInt
    title: str
    status: Literal["open", "in_progress", "resolved", "closed"]
    status_display: str
    priority: Priority
    priority_display: str
    assigned_to: Username | None
    category: CategorySummary | None
    tags: list[TagSummary]
    created_at: Instant
    updated_at: Instant
    due_date: Instant | None
    time_since_created: Annotated[str, Field(examples=["2 hours ago"])]
    comment_count: Annotated[int, Field(ge=0)]
    """Of the comments that the caller may read."""


class ClassicTicketRead(ClassicTicketRow):
    """A ticket in CLASSIC."""

    description: str
    created_by: Username
    resolution: str | None


class TicketExtras(Schema):
    """What `?include=` adds: names that the caller's document does not show by itself."""

    uuid: str
    key: DbInt
    """The integer that CLASSIC shows as `id`."""
    ticket_number: str
    title: str
    subject: str
    description: str
    status_display: str
    priority_display: str
    customer: Person
    created_by: Username
    assigned_to: Username | None
    assigned_agent: Person | None
    organization: OrganizationSummary
    category: CategorySummary | None
    attachments: list[AttachmentRead]
    comments: list[CommentRead]
    comment_count: int
    resolution: str | None
    due_date: Instant | None
    first_response_at: Instant | None
    resolved_at: Instant | None
    closed_at: Instant | None
    reopen_count: int
    time_since_created: str


def _reference(value: Any) -> Any:
    return value["id"] if isinstance(value, Mapping) and "id" in value else value


TagRefs = Annotated[
    list[Annotated[DbInt | TagName, BeforeValidator(_reference)]],
    Field(max_length=MOST_TAGS),
    cleared_to([]),
]
"""Tags in the body of a ticket: ids, names, or the objects that were read, also mixed."""

CustomerRef = Annotated[DbInt | Line, BeforeValidator(_reference)]
"""A customer: the id, the e-mail address, or the object that was read."""

SHOWN_ONLY = frozenset(
    {
        *TicketRead.model_fields,
        *ClassicTicketRead.model_fields,
        *TicketExtras.model_fields,
    }
)
"""Read-only names of a ticket: clients that save what they read send them back (a writable one is a field)."""

ASSIGNEE = dict.fromkeys(("assigned_to", "user_id", "agent_id", "assigned_agent_id"), "assigned_agent")
SPELLINGS = {"title": "subject", "category_id": "category", "customer_id": "customer", **ASSIGNEE}
TAG_SPELLINGS = {"tag": "tags", "name": "tags"}
FILTER_SPELLINGS = {"assigned_to": "assigned_agent"}
ASSIGNMENT_NAMES = {"assigned_agent": "user_id"}
CLASSIC_NAMES = {"subject": "title", "assigned_agent": "assigned_to"}


class TicketCreate(Schema):
    """A new ticket."""

    read_only = SHOWN_ONLY
    spellings = SPELLINGS
    classic_names = CLASSIC_NAMES

    subject: Line
    description: Annotated[Body, cleared_to("")] = ""
    priority: Priority = "medium"
    category: Ref | None = None
    customer: CustomerRef | None = None
    """The person it is for; the caller, unless an agent names somebody else."""
    assigned_agent: UserRef | None = None
    due_date: Instant | None = None
    tags: TagRefs = Field(default_factory=list)
    attachments: Annotated[AttachmentRefs, cleared_to([])] = Field(default_factory=list)
    """Files that were uploaded before, by their ids."""


class TicketUpdate(Schema):
    """Changes of a ticket; what is left out stays, null clears."""

    read_only = SHOWN_ONLY
    spellings = SPELLINGS
    classic_names = CLASSIC_NAMES

    subject: Line = untouched()
    description: Annotated[Body, cleared_to("")] = untouched()
    status: Status = untouched()
    priority: Priority = untouched()
    category: Ref | None = None
    customer: CustomerRef = untouched()
    assigned_agent: UserRef | None = None
    due_date: Instant | None = None
    resolution: Body | None = None
    """Kept with a final status only."""
    tags: TagRefs = untouched()
    attachments: Annotated[AttachmentRefs, cleared_to([])] = untouched()


class Assignment(Schema):
    """Who is to work on a ticket."""

    spellings = ASSIGNEE
    classic_names = ASSIGNMENT_NAMES

    assigned_agent: UserRef | None
    """An agent, technician or administrator; null for nobody."""


class StatusChange(Schema):
    """The status that a ticket is to have."""

    status: Status
    resolution: Body | None = None
    """What was done; kept with a final status only."""


class Closing(Schema):
    """How a ticket is closed."""

    resolution: Body | None = None


class PriorityChange(Schema):
    """The priority that a ticket is to have."""

    priority: Priority


class TagAddition(Schema):
    """Tags that a ticket is to have besides those it has."""

    spellings = TAG_SPELLINGS

    tags: Annotated[TagRefs, BeforeValidator(lambda value: value if isinstance(value, list) else [value])]


class TicketFilters(Filters):
    """Query parameters of lists of tickets."""

    spellings = FILTER_SPELLINGS
    slow = frozenset({"search", "filter"})  # which may search in turn

    status: Words[Status] | None = None
    """In the vocabulary of the caller's document."""
    priority: Words[Priority] | None = None
    category: Keys | None = None
    assigned_agent: Keys | None = None
    """Keys of users; CLASSIC calls it `assigned_to`."""
    created_by: Keys | None = None
    customer: Keys | None = None
    tags: Keys | None = None
    created_after: Instant | None = None
    """Inclusive."""
    created_before: UntilDateTime | None = None
    """Inclusive; a bare date means the end of that day, UTC."""
    filter: DbInt | None = None
    """The key of a saved filter; other parameters narrow what it finds."""


class MyTicketFilters(TicketFilters):
    """Query parameters of the list of one's own tickets."""

    role: Literal["assigned", "created"] | None = None
    """Only those that the caller works on, or made."""


class OverdueFilters(TicketFilters):
    """Query parameters of the list of overdue tickets, the longest overdue first unless sorted otherwise."""

    ordering: Annotated[str, Field(max_length=200)] | None = "due_date"


class DeletedTicketFilters(Filters):
    """Query parameters of the list of deleted tickets."""
