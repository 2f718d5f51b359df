"""Webhooks: where events are sent, signed with which secret, and how that went lately."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk_core.api import TenantScoped, Timestamped, UtcDateTime, tenant_key, tenant_reference
from helpdesk_integrations.models.base import Base


class Webhook(Base, TenantScoped, Timestamped):
    """An address that is told of events.

    Attributes:
        events: names as they were sent, `ticket.created`, `ticket_created`, `ticket.*` or `*`.
        patterns: the same in their one form, for comparing with the type of an event.
        secret: signs what is sent; encrypted.
        secret_mask: what is shown of it.
        previous_secret: signs as well until `previous_until`; encrypted.
        delivery_count: events that were queued for it; tests are not counted, here and below.
        success_count: deliveries whose last outcome is that they arrived.
        failure_count: deliveries that were given up.
        last_delivery: when something was last sent, whatever came of it.
        consecutive_failures: tries that failed since the last one that did not.
        failing_since: when the first of them was.
        resume_at: nothing is sent before: the receiver asked for a pause, or the circuit is open.
        disabled_reason: why it was switched off by itself.
    """

    __tablename__ = "integrations_webhook"
    __table_args__ = (
        tenant_key(),
        tenant_reference("created_by_id", "core_user.id"),
        Index("ix_integrations_webhook_newest", "organization_id", "created_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    url: Mapped[str] = mapped_column(Text)
    events: Mapped[list[Any]] = mapped_column(JSON)
    patterns: Mapped[list[Any]] = mapped_column(JSON)
    secret: Mapped[str] = mapped_column(Text)
    secret_mask: Mapped[str] = mapped_column(String(20))
    previous_secret: Mapped[str | None] = mapped_column(Text)
    previous_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    is_active: Mapped[bool] = mapped_column(default=True)
    delivery_count: Mapped[int] = mapped_column(default=0)
    success_count: Mapped[int] = mapped_column(default=0)
    failure_count: Mapped[int] = mapped_column(default=0)
    last_delivery: Mapped[datetime | None] = mapped_column(UtcDateTime)
    consecutive_failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resume_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    disabled_reason: Mapped[str | None] = mapped_column(String(255))
    created_by_id: Mapped[int | None]
