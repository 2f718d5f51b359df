"""What this plugin tells others. Payloads hold keys and words of the stored vocabulary, no texts of people."""

from collections.abc import Mapping
from typing import ClassVar

from helpdesk_core.api import Event, Instant


class TicketEvent(Event):
    """Something happened to a ticket.

    Attributes:
        ticket_id: key of the ticket.
    """

    about: ClassVar[Mapping[str, str]] = {"ticket": "ticket_id"}

    ticket_id: int


class TicketCreated(TicketEvent):
    """A ticket was opened.

    Attributes:
        customer_id: key of the user it is for.
        created_by_id: key of the user who opened it.
        assigned_agent_id: key of the user who works on it, if any.
        category_id: key of its category, if any.
        status: its first state, as stored.
        priority: its priority.
    """

    type: ClassVar[str] = "ticket.created"

    customer_id: int
    created_by_id: int
    assigned_agent_id: int | None
    category_id: int | None
    status: str
    priority: str


class TicketUpdated(TicketEvent):
    """Fields of a ticket changed; its history has the values.

    Attributes:
        fields: names of the fields that changed, in COMPREHENSIVE's words.
    """

    type: ClassVar[str] = "ticket.updated"

    fields: tuple[str, ...]


class TicketAssigned(TicketEvent):
    """A ticket went to somebody, or to nobody; follows `ticket.updated`.

    Attributes:
        assigned_agent_id: key of the user who works on it now, if any.
        previous_agent_id: key of the user who worked on it before, if any.
    """

    type: ClassVar[str] = "ticket.assigned"

    assigned_agent_id: int | None
    previous_agent_id: int | None


class TicketStatusChanged(TicketEvent):
    """A ticket moved to another state; follows `ticket.updated`.

    Attributes:
        before: the state that it had, as stored.
        after: the state that it has.
    """

    type: ClassVar[str] = "ticket.status_changed"

    before: str
    after: str


class DueEvent(TicketEvent):
    """The due date of a ticket that is not resolved comes near, or has passed.

    Attributes:
        due_date: when it is due.
        assigned_agent_id: key of the user who works on it, if any.
        customer_id: key of the user it is for.
    """

    due_date: Instant
    assigned_agent_id: int | None
    customer_id: int


class TicketDueSoon(DueEvent):
    """The due date of a ticket comes near; once for each due date, as early as the organisation has set."""

    type: ClassVar[str] = "ticket.due_soon"


class TicketOverdue(DueEvent):
    """The due date of a ticket has passed; once for each due date, within some minutes."""

    type: ClassVar[str] = "ticket.overdue"


class TicketDeleted(TicketEvent):
    """A ticket was deleted; administrators can restore it."""

    type: ClassVar[str] = "ticket.deleted"


class TicketRestored(TicketEvent):
    """A deleted ticket came back."""

    type: ClassVar[str] = "ticket.restored"


class CommentEvent(TicketEvent):
    """Something happened to a comment.

    Attributes:
        comment_id: key of the comment.
        author_id: key of the user who wrote it.
        is_internal: whether only staff may know of it.
    """

    about: ClassVar[Mapping[str, str]] = {"comment": "comment_id", "ticket": "ticket_id"}

    comment_id: int
    author_id: int
    is_internal: bool


class CommentCreated(CommentEvent):
    """Somebody commented on a ticket."""

    type: ClassVar[str] = "comment.created"


class CommentUpdated(CommentEvent):
    """A comment was changed.

    Attributes:
        was_internal: whether only staff could know of it before.
    """

    type: ClassVar[str] = "comment.updated"

    was_internal: bool


class CommentDeleted(CommentEvent):
    """A comment was removed."""

    type: ClassVar[str] = "comment.deleted"


class CategoryEvent(Event):
    """Something happened to a category.

    Attributes:
        category_id: key of the category.
        name: what it is called.
    """

    about: ClassVar[Mapping[str, str]] = {"category": "category_id"}

    category_id: int
    name: str


class CategoryCreated(CategoryEvent):
    """A category was added.

    Attributes:
        slug: stands for it in conditions of automations.
    """

    type: ClassVar[str] = "category.created"

    slug: str


class CategoryUpdated(CategoryEvent):
    """A category was changed.

    Attributes:
        slug: stands for it in conditions of automations; never changes.
    """

    type: ClassVar[str] = "category.updated"

    slug: str


class CategoryDeleted(CategoryEvent):
    """A category was removed.

    Attributes:
        moved_to: key of the category that took its tickets; without one they have none.
    """

    type: ClassVar[str] = "category.deleted"

    moved_to: int | None


class TagEvent(Event):
    """Something happened to a tag.

    Attributes:
        tag_id: key of the tag.
        name: what it is called.
    """

    about: ClassVar[Mapping[str, str]] = {"tag": "tag_id"}

    tag_id: int
    name: str


class TagCreated(TagEvent):
    """A tag was added, by itself or with the first ticket that carries it."""

    type: ClassVar[str] = "tag.created"


class TagUpdated(TagEvent):
    """A tag was changed."""

    type: ClassVar[str] = "tag.updated"


class TagDeleted(TagEvent):
    """A tag was removed, from its tickets as well."""

    type: ClassVar[str] = "tag.deleted"


class TagMerged(TagEvent):
    """A tag gave way to another one on all its tickets.

    Attributes:
        into_id: key of the tag that stays; `name` is its name.
    """

    type: ClassVar[str] = "tag.merged"

    into_id: int


class AttachmentEvent(Event):
    """Something happened to an uploaded file.

    Attributes:
        attachment_id: key of the file.
        ticket_id: key of the ticket that has it, if any.
    """

    about: ClassVar[Mapping[str, str]] = {"attachment": "attachment_id", "ticket": "ticket_id"}

    attachment_id: int
    ticket_id: int | None


class AttachmentCreated(AttachmentEvent):
    """A file was uploaded."""

    type: ClassVar[str] = "attachment.created"


class AttachmentMoved(AttachmentEvent):
    """A file went to a ticket, or from it back to its uploader."""

    type: ClassVar[str] = "attachment.moved"


class AttachmentDeleted(AttachmentEvent):
    """A file was removed."""

    type: ClassVar[str] = "attachment.deleted"


ALL = (
    TicketCreated,
    TicketUpdated,
    TicketAssigned,
    TicketStatusChanged,
    TicketDueSoon,
    TicketOverdue,
    TicketDeleted,
    TicketRestored,
    CommentCreated,
    CommentUpdated,
    CommentDeleted,
    CategoryCreated,
    CategoryUpdated,
    CategoryDeleted,
    TagCreated,
    TagUpdated,
    TagDeleted,
    TagMerged,
    AttachmentCreated,
    AttachmentMoved,
    AttachmentDeleted,
)
