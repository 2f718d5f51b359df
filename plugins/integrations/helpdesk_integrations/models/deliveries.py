"""What is delivered: one message for an event, one delivery for each webhook, one attempt for each try."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk_core.api import BigKey, Ranked, TenantScoped, UtcDateTime, tenant_key, tenant_reference
from helpdesk_integrations.models.base import Base

STATES = ("pending", "delivered", "dead")


class Message(Base, TenantScoped):
    """What receivers are sent of one event: its body is made once, so that every try sends the same bytes.

    Attributes:
        event_id: key of the event; none for tests.
        uid: the header `webhook-id`, by which receivers know what they have already.
        aggregate: messages of one aggregate reach a receiver in the order of their events.
    """

    __tablename__ = "integrations_message"
    __table_args__ = (
        tenant_key(),
        UniqueConstraint("organization_id", "event_id"),
        UniqueConstraint("organization_id", "uid"),
        Index("ix_integrations_message_age", "organization_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    event_id: Mapped[int | None] = mapped_column(BigInteger)
    uid: Mapped[str] = mapped_column(String(40))
    event_type: Mapped[str] = mapped_column(String(100))
    aggregate: Mapped[str] = mapped_column(String(100))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Delivery(Base, TenantScoped):
    """One message on its way to one webhook.

    Attributes:
        is_test: sent on demand; not counted, and tried once.
        tries: since it was queued, for the first time or again.
        next_try_at: when it will be tried again.
        finished_at: when it arrived or was given up.
    """

    __tablename__ = "integrations_delivery"
    __table_args__ = (
        tenant_key(),
        UniqueConstraint("organization_id", "webhook_id", "message_id"),
        tenant_reference("webhook_id", "integrations_webhook.id", ondelete="CASCADE"),
        tenant_reference("message_id", "integrations_message.id", ondelete="CASCADE"),
        Index("ix_integrations_delivery_newest", "organization_id", "webhook_id", "id"),
        Index("ix_integrations_delivery_state", "organization_id", "webhook_id", "state", "id"),
        Index("ix_integrations_delivery_age", "organization_id", "created_at"),
        Index("ix_integrations_delivery_message", "organization_id", "message_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    webhook_id: Mapped[int]
    message_id: Mapped[int] = mapped_column(BigKey)
    event_type: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(Ranked(*STATES), default="pending")
    is_test: Mapped[bool] = mapped_column(default=False)
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    response_status: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    message: Mapped[Message] = relationship(
        primaryjoin=lambda: Delivery.message_id == Message.id,
        foreign_keys=lambda: Delivery.message_id,
        lazy="raise",
        viewonly=True,
    )


class Attempt(Base, TenantScoped):
    """One try; written before anything is sent, so that what is under way is known to every process.

    Attributes:
        number: of the try, counted over the life of the delivery.
        finished: whether its outcome is known; a crash leaves it open.
        request_headers: as sent, without the signature.
        response_body: the first kilobyte.
    """

    __tablename__ = "integrations_attempt"
    __table_args__ = (
        tenant_reference("delivery_id", "integrations_delivery.id", ondelete="CASCADE"),
        Index("ix_integrations_attempt_delivery", "organization_id", "delivery_id", "id"),
        Index("ix_integrations_attempt_pace", "organization_id", "webhook_id", "started_at", "finished"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    webhook_id: Mapped[int]
    delivery_id: Mapped[int] = mapped_column(BigKey)
    number: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished: Mapped[bool] = mapped_column(default=False)
    url: Mapped[str] = mapped_column(Text)
    request_headers: Mapped[dict[str, Any]] = mapped_column(JSON)
    response_status: Mapped[int | None]
    response_body: Mapped[str | None] = mapped_column(Text)
    duration_ms: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(255))
