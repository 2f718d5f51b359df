"""Tables of automations: what they are, what they were, and what they did."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from helpdesk_core.api import (
    BigKey,
    TenantScoped,
    Timestamped,
    User,
    UtcDateTime,
    metadata,
    tenant_key,
    tenant_reference,
)
from helpdesk_tickets.api import Ticket


class Base(DeclarativeBase):
    """Declarative base of this plugin: a registry of its own, the metadata of all."""

    metadata = metadata


def _to_one(columns: Callable[[], tuple[Any, Any]]) -> Any:
    """Relate by one column; the organisation is the same, because both rows are of the session's."""
    return relationship(
        primaryjoin=lambda: columns()[0] == columns()[1],
        foreign_keys=lambda: columns()[0],
        lazy="raise",
        viewonly=True,
    )


class Automation(Base, TenantScoped, Timestamped):
    """When something happens and conditions hold, do something.

    `author_id` is whoever changed last what it does: it acts with their rights. `problem` says why it does not run
    although it is active, or was switched off. Deleted ones stay for the log of what they did.
    """

    __tablename__ = "workflow_automation"
    __table_args__ = (
        tenant_key(),
        tenant_reference("author_id", "core_user.id"),
        Index("ix_workflow_automation_newest", "organization_id", "created_at", "id"),
        Index(
            "ix_workflow_automation_active",
            "organization_id",
            "event_type",
            "is_active",
            "id",
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(Text, default="")
    trigger: Mapped[dict[str, Any]] = mapped_column(JSON)
    actions: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    is_active: Mapped[bool] = mapped_column(default=True)
    event_type: Mapped[str] = mapped_column(String(100))
    """The trigger's type as events spell it."""
    author_id: Mapped[int]
    version: Mapped[int] = mapped_column(default=1)
    problem: Mapped[str] = mapped_column(String(500), default="")
    execution_count: Mapped[int] = mapped_column(BigKey, default=0)
    failure_count: Mapped[int] = mapped_column(default=0)
    """Failures since it last worked."""
    last_executed: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_agent_id: Mapped[int | None]
    """Whose turn it was, for assigning in turn."""
    slot_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Of `schedule`: until when it has been followed."""
    seen_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Of `no_change`: tickets that last changed until then, and `seen_id` among them, have been looked at."""
    seen_id: Mapped[int] = mapped_column(BigKey, default=0)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    author: Mapped[User] = _to_one(lambda: (Automation.author_id, User.id))


class AutomationVersion(Base, TenantScoped):
    """What an automation was from one change to the next."""

    __tablename__ = "workflow_version"
    __table_args__ = (
        tenant_reference("automation_id", "workflow_automation.id", ondelete="CASCADE"),
        tenant_reference("changed_by_id", "core_user.id"),
        UniqueConstraint("organization_id", "automation_id", "number"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    automation_id: Mapped[int]
    number: Mapped[int]
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(Text, default="")
    trigger: Mapped[dict[str, Any]] = mapped_column(JSON)
    actions: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    is_active: Mapped[bool]
    changed_by_id: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    changed_by: Mapped[User] = _to_one(lambda: (AutomationVersion.changed_by_id, User.id))


class Run(Base, TenantScoped):
    """What came of an automation at one occasion; in one transaction with what it did.

    `occasion` names what it was about (`event 17`), and is unique for an automation: whoever comes a second time,
    after a crash for instance, finds that it has been done.
    """

    __tablename__ = "workflow_run"
    __table_args__ = (
        tenant_reference("automation_id", "workflow_automation.id", ondelete="CASCADE"),
        UniqueConstraint("organization_id", "automation_id", "occasion"),
        Index("ix_workflow_run_newest", "organization_id", "id"),
        Index("ix_workflow_run_automation", "organization_id", "automation_id", "id"),
        Index("ix_workflow_run_ticket", "organization_id", "ticket_id", "id"),
        Index("ix_workflow_run_event", "organization_id", "event_id"),
        Index("ix_workflow_run_root", "organization_id", "root_id", "depth"),
        Index("ix_workflow_run_matched", "organization_id", "matched", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    automation_id: Mapped[int]
    version: Mapped[int]
    occasion: Mapped[str] = mapped_column(String(100))
    cause: Mapped[str] = mapped_column(String(20))
    """`event`, `time` or `hand`."""
    event_id: Mapped[int | None] = mapped_column(BigKey)
    event_type: Mapped[str] = mapped_column(String(100))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    root_id: Mapped[int | None] = mapped_column(BigKey)
    """The event that everything began with."""
    depth: Mapped[int] = mapped_column(default=0)
    """How many events lie between it and the first one."""
    hops: Mapped[int] = mapped_column(default=0)
    """How many automations led to it."""
    ticket_id: Mapped[int | None] = mapped_column(BigKey)
    matched: Mapped[bool]
    status: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(500), default="")
    conditions: Mapped[dict[str, Any]] = mapped_column(JSON)
    actions: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    action_count: Mapped[int] = mapped_column(default=0)
    executed_by_id: Mapped[int | None]
    """Who started it by hand."""
    duration_ms: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    automation: Mapped[Automation] = _to_one(lambda: (Run.automation_id, Automation.id))
    ticket: Mapped[Ticket | None] = _to_one(lambda: (Run.ticket_id, Ticket.id))


class Edition(Base, TenantScoped):
    """How often the automations of an organisation were changed: what was compiled for another number is stale."""

    __tablename__ = "workflow_edition"

    organization_id: Mapped[int] = mapped_column(ForeignKey("core_organization.id"), primary_key=True)
    last: Mapped[int]
