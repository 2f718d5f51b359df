"""Tables of tickets and what belongs to them.

Every index of `Ticket` leads with the organisation, ends with what newest-first sorts by, and leaves deleted
tickets out: each documented filter is one range of one index, already in the order of the page.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Computed,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from helpdesk_core.api import (
    BigKey,
    Organization,
    Ranked,
    TenantScoped,
    Timestamped,
    User,
    UtcDateTime,
    metadata,
    stored_file,
    tenant_key,
    tenant_reference,
)

STATUSES = ("new", "open", "in_progress", "pending", "resolved", "closed")
FINAL_STATUSES = ("resolved", "closed")
PRIORITIES = ("low", "medium", "high", "urgent")

NO_CATEGORY = 0
"""In `TicketCount`: tickets without a category."""

COUNTED_COLUMNS = ("status", "priority", "category_id", "due_date", "resolved_at", "target_at")
"""What statistics of a period need to know of a ticket: found in the index of the period, without the tickets."""
FIRST_FINAL_RANK = STATUSES.index(FINAL_STATUSES[0])

NEVER = "9999-12-31T23:59:59Z"
LONG_AGO = "0001-01-01T00:00:00Z"


class Base(DeclarativeBase):
    """Declarative base of this plugin: a registry of its own, the metadata of all."""

    metadata = metadata


def _live(name: str, *columns: str, only: str = "") -> Index:
    """Index live tickets of an organisation by `columns`, newest last among equals.

    `deleted_at` is always null there; SQLite would read each ticket to see it if it were not in the index.
    """
    rest = [column for column in ("created_at", "id", "deleted_at") if column not in columns]
    condition = text(f"deleted_at IS NULL AND {only}" if only else "deleted_at IS NULL")
    return Index(
        f"ix_tickets_ticket_{name}",
        "organization_id",
        *columns,
        *rest,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def _to_announce() -> Index:
    """Index unresolved tickets by a due date that nobody was told has passed: few, however many tickets there are."""
    condition = text(
        f"deleted_at IS NULL AND status < {FIRST_FINAL_RANK} AND due_date IS NOT NULL AND overdue_at IS NULL"
    )
    return Index(
        "ix_tickets_ticket_to_announce",
        "organization_id",
        "due_date",
        "id",
        sqlite_where=condition,
        postgresql_where=condition,
    )


def _to_one(columns: Callable[[], tuple[Any, Any]]) -> Any:
    """Relate by one column; the composite foreign key beside it keeps the organisation."""
    return relationship(
        primaryjoin=lambda: columns()[0] == columns()[1],
        foreign_keys=lambda: columns()[0],
        lazy="raise",
        viewonly=True,
    )


class Category(Base, TenantScoped, Timestamped):
    """A subject area; its slug is derived from the name and stands for it in conditions of automations."""

    __tablename__ = "tickets_category"
    __table_args__ = (
        tenant_key(),
        UniqueConstraint("organization_id", "name_key"),
        UniqueConstraint("organization_id", "slug"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(String(100))
    slug: Mapped[str] = mapped_column(String(110))
    description: Mapped[str] = mapped_column(Text, default="")
    color: Mapped[str] = mapped_column(String(7), default="#007bff")


class Ticket(Base, TenantScoped, Timestamped):
    """A request for help.

    `status` and `priority` are kept by rank, so that sorting follows their meaning. The two `due_...` columns put
    tickets without a due date last whichever way they are sorted.
    """

    __tablename__ = "tickets_ticket"
    __table_args__ = (
        tenant_key(),
        UniqueConstraint("organization_id", "sequence"),
        tenant_reference("category_id", "tickets_category.id"),
        tenant_reference("customer_id", "core_user.id"),
        tenant_reference("created_by_id", "core_user.id"),
        tenant_reference("assigned_agent_id", "core_user.id"),
        _live("newest", "created_at", "id", *COUNTED_COLUMNS),
        _live("status", "status"),
        _live("priority", "priority"),
        _live("assigned", "assigned_agent_id"),
        _live("customer", "customer_id"),
        _live("creator", "created_by_id"),
        _live("category", "category_id"),
        _live("updated", "updated_at"),
        _live("subject", "subject"),
        _live("due_order", "due_order"),
        _live("due_reverse", "due_reverse"),
        _live("overdue", "due_order", only=f"status < {FIRST_FINAL_RANK}"),
        _to_announce(),
        Index(
            "ix_tickets_ticket_deleted",
            "organization_id",
            "deleted_at",
            "id",
            sqlite_where=text("deleted_at IS NOT NULL"),
            postgresql_where=text("deleted_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    uuid: Mapped[str] = mapped_column(String(36), unique=True)
    sequence: Mapped[int]
    number: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[str] = mapped_column(Ranked(*STATUSES), default="new")
    priority: Mapped[str] = mapped_column(Ranked(*PRIORITIES), default="medium")
    customer_id: Mapped[int]
    created_by_id: Mapped[int]
    assigned_agent_id: Mapped[int | None]
    category_id: Mapped[int | None]
    resolution: Mapped[str | None] = mapped_column(Text)
    due_date: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_order: Mapped[datetime] = mapped_column(UtcDateTime, Computed(f"coalesce(due_date, '{NEVER}')", persisted=True))
    due_reverse: Mapped[datetime] = mapped_column(
        UtcDateTime, Computed(f"coalesce(due_date, '{LONG_AGO}')", persisted=True)
    )
    target_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it should be resolved: the due date, else what the SLA policy of its priority promises."""
    reminded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When people were told that the due date comes near; nothing as long as they were not, for the present one."""
    overdue_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When people were told that the due date has passed."""
    comment_count: Mapped[int] = mapped_column(default=0)
    public_comment_count: Mapped[int] = mapped_column(default=0)
    reopen_count: Mapped[int] = mapped_column(default=0)
    first_response_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    organization: Mapped[Organization] = relationship(lazy="raise", viewonly=True)
    customer: Mapped[User] = _to_one(lambda: (Ticket.customer_id, User.id))
    created_by: Mapped[User] = _to_one(lambda: (Ticket.created_by_id, User.id))
    assigned_agent: Mapped[User | None] = _to_one(lambda: (Ticket.assigned_agent_id, User.id))
    category: Mapped[Category | None] = _to_one(lambda: (Ticket.category_id, Category.id))


class TicketNumber(Base, TenantScoped):
    """The last ticket number of an organisation; taken late in the transaction, because it is a lock."""

    __tablename__ = "tickets_number"

    organization_id: Mapped[int] = mapped_column(ForeignKey("core_organization.id"), primary_key=True)
    last: Mapped[int]


class TicketCount(Base, TenantScoped):
    """How many live tickets there are for each status, priority and category (`NO_CATEGORY`: none)."""

    __tablename__ = "tickets_count"

    organization_id: Mapped[int] = mapped_column(ForeignKey("core_organization.id"), primary_key=True)
    status: Mapped[str] = mapped_column(Ranked(*STATUSES), primary_key=True)
    priority: Mapped[str] = mapped_column(Ranked(*PRIORITIES), primary_key=True)
    category_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    total: Mapped[int] = mapped_column(BigKey)


class TicketTally(Base, TenantScoped):
    """Sums over live tickets by kind and key.

    `created`, `resolved` and `due` count by day (`2024-01-31`; `due` only what is not resolved yet),
    `resolution` sums `seconds` and counts `tickets`, `target` counts `met` and `set`.
    """

    __tablename__ = "tickets_tally"

    organization_id: Mapped[int] = mapped_column(ForeignKey("core_organization.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    key: Mapped[str] = mapped_column(String(20), primary_key=True)
    total: Mapped[int] = mapped_column(BigKey)


class Comment(Base, TenantScoped, Timestamped):
    """What somebody says on a ticket; internal ones are for staff only."""

    __tablename__ = "tickets_comment"
    __table_args__ = (
        tenant_key(),
        tenant_reference("ticket_id", "tickets_ticket.id", ondelete="CASCADE"),
        tenant_reference("author_id", "core_user.id"),
        Index("ix_tickets_comment_ticket", "organization_id", "ticket_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(BigKey)
    author_id: Mapped[int]
    content: Mapped[str] = mapped_column(Text)
    is_internal: Mapped[bool] = mapped_column(default=False)

    author: Mapped[User] = _to_one(lambda: (Comment.author_id, User.id))


class Tag(Base, TenantScoped, Timestamped):
    """A word that tickets are marked with; unique without case in its organisation."""

    __tablename__ = "tickets_tag"
    __table_args__ = (
        tenant_key(),
        UniqueConstraint("organization_id", "name_key"),
        Index("ix_tickets_tag_usage", "organization_id", "usage_count", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))
    name_key: Mapped[str] = mapped_column(String(50))
    color: Mapped[str] = mapped_column(String(7), default="#6c757d")
    description: Mapped[str] = mapped_column(Text, default="")
    usage_count: Mapped[int] = mapped_column(default=0)


class TicketTag(Base, TenantScoped):
    """A tag on a ticket; `ticket_created_at` repeats the ticket's, so that one index finds and sorts."""

    __tablename__ = "tickets_ticket_tag"
    __table_args__ = (
        tenant_reference("ticket_id", "tickets_ticket.id", ondelete="CASCADE"),
        tenant_reference("tag_id", "tickets_tag.id", ondelete="CASCADE"),
        Index("ix_tickets_ticket_tag_newest", "organization_id", "tag_id", "ticket_created_at", "ticket_id"),
    )

    ticket_id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    tag_id: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(default=0)
    ticket_created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    tag: Mapped[Tag] = _to_one(lambda: (TicketTag.tag_id, Tag.id))


class Attachment(Base, TenantScoped):
    """An uploaded file; without a ticket until one refers to it."""

    __tablename__ = "tickets_attachment"
    __table_args__ = (
        tenant_key(),
        tenant_reference("ticket_id", "tickets_ticket.id", ondelete="CASCADE"),
        tenant_reference("uploaded_by_id", "core_user.id"),
        Index("ix_tickets_attachment_ticket", "organization_id", "ticket_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    ticket_id: Mapped[int | None] = mapped_column(BigKey)
    uploaded_by_id: Mapped[int]
    filename: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigKey)
    file_key: Mapped[str] = mapped_column(String(64), unique=True, info=stored_file(size="size"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    uploaded_by: Mapped[User] = _to_one(lambda: (Attachment.uploaded_by_id, User.id))


class TicketChange(Base, TenantScoped):
    """One field of a ticket that changed: the history shows who changed what, when, from what to what."""

    __tablename__ = "tickets_change"
    __table_args__ = (
        tenant_reference("ticket_id", "tickets_ticket.id", ondelete="CASCADE"),
        tenant_reference("actor_id", "core_user.id"),
        Index("ix_tickets_change_ticket", "organization_id", "ticket_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(BigKey)
    actor_id: Mapped[int | None]
    field: Mapped[str] = mapped_column(String(50))
    before: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    after: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    actor: Mapped[User | None] = _to_one(lambda: (TicketChange.actor_id, User.id))


class ResponseTemplate(Base, TenantScoped, Timestamped):
    """A prepared reply with `{placeholders}`."""

    __tablename__ = "tickets_template"
    __table_args__ = (
        tenant_reference("owner_id", "core_user.id"),
        Index("ix_tickets_template_title", "organization_id", "title", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int]
    title: Mapped[str] = mapped_column(String(255))
    content: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(String(100), default="")
    is_public: Mapped[bool] = mapped_column(default=False)
    variables: Mapped[list[str]] = mapped_column(JSON)
    usage_count: Mapped[int] = mapped_column(default=0)


class SavedFilter(Base, TenantScoped, Timestamped):
    """Parameters of a ticket list under a name, read in the dialect of their author."""

    __tablename__ = "tickets_filter"
    __table_args__ = (
        tenant_reference("owner_id", "core_user.id"),
        Index("ix_tickets_filter_name", "organization_id", "name", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int]
    name: Mapped[str] = mapped_column(String(255))
    filter_params: Mapped[dict[str, Any]] = mapped_column(JSON)
    dialect: Mapped[str] = mapped_column(String(20))
    is_public: Mapped[bool] = mapped_column(default=False)


class SlaPolicy(Base, TenantScoped, Timestamped):
    """How soon tickets of a priority are to be answered and resolved, in minutes from their creation."""

    __tablename__ = "tickets_sla_policy"
    __table_args__ = (UniqueConstraint("organization_id", "priority"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    priority: Mapped[str] = mapped_column(Ranked(*PRIORITIES))
    first_response_minutes: Mapped[int | None]
    resolution_minutes: Mapped[int]
    is_active: Mapped[bool] = mapped_column(default=True)
