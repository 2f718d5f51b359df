"""API integrations: other systems that are called, with what, and how that went."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk_core.api import BigKey, TenantScoped, Timestamped, User, UtcDateTime, tenant_key, tenant_reference
from helpdesk_integrations.models.base import Base


class ApiIntegration(Base, TenantScoped, Timestamped):
    """Another system's API.

    Attributes:
        swagger_url: where its OpenAPI document is.
        operations: what that document listed when it was last fetched.
        total_duration_ms: of all calls that were answered, for the average.
        answered_requests: how many these are.
        minute: the minute that `minute_count` counts the calls of; `day` likewise.
        consecutive_failures: calls in a row that the other side did not answer, or with an error of its own.
        open_until: no call before: the circuit is open.
    """

    __tablename__ = "integrations_api"
    __table_args__ = (
        tenant_key(),
        tenant_reference("created_by_id", "core_user.id"),
        Index("ix_integrations_api_newest", "organization_id", "created_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    api_type: Mapped[str] = mapped_column(String(20))
    base_url: Mapped[str] = mapped_column(Text)
    version: Mapped[str] = mapped_column(String(50))
    authentication_methods: Mapped[list[Any]] = mapped_column(JSON)
    requests_per_minute: Mapped[int]
    requests_per_day: Mapped[int]
    swagger_url: Mapped[str | None] = mapped_column(Text)
    documentation_version: Mapped[str] = mapped_column(String(50))
    operations: Mapped[list[Any]] = mapped_column(JSON, default=list)
    operations_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    total_requests: Mapped[int] = mapped_column(default=0)
    successful_requests: Mapped[int] = mapped_column(default=0)
    failed_requests: Mapped[int] = mapped_column(default=0)
    answered_requests: Mapped[int] = mapped_column(default=0)
    total_duration_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    minute: Mapped[datetime | None] = mapped_column(UtcDateTime)
    minute_count: Mapped[int] = mapped_column(default=0)
    day: Mapped[datetime | None] = mapped_column(UtcDateTime)
    day_count: Mapped[int] = mapped_column(default=0)
    consecutive_failures: Mapped[int] = mapped_column(default=0)
    open_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    is_active: Mapped[bool] = mapped_column(default=True)
    created_by_id: Mapped[int | None]


class Credential(Base, TenantScoped):
    """What an integration shows to the other system; everything secret is encrypted, and never shown again.

    Attributes:
        grant: of OAuth 2: `client_credentials` or `authorization_code`; empty for other kinds.
        settings: what is no secret: the name of a header, addresses of OAuth 2.
        secret: JSON of what is one, encrypted.
        token: the access token of OAuth 2 with what belongs to it, encrypted.
        token_expires_at: when it runs out; none if it never does.
        renewing_until: somebody renews the token; nobody else does until then.
    """

    __tablename__ = "integrations_credential"
    __table_args__ = (
        UniqueConstraint("organization_id", "api_id"),
        tenant_reference("api_id", "integrations_api.id", ondelete="CASCADE"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    api_id: Mapped[int]
    kind: Mapped[str] = mapped_column(String(20))
    grant: Mapped[str] = mapped_column(String(30), default="")
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    secret: Mapped[str] = mapped_column(Text)
    token: Mapped[str | None] = mapped_column(Text)
    token_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    renewing_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Consent(Base, TenantScoped):
    """A consent that somebody was sent to give at the other system; used once, by its state."""

    __tablename__ = "integrations_consent"
    __table_args__ = (
        UniqueConstraint("organization_id", "state_hash"),
        tenant_reference("api_id", "integrations_api.id", ondelete="CASCADE"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    api_id: Mapped[int]
    state_hash: Mapped[str] = mapped_column(String(64))
    verifier: Mapped[str] = mapped_column(Text)
    redirect_uri: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Call(Base, TenantScoped):
    """One call, as the log shows it: without credentials, and without what was sent."""

    __tablename__ = "integrations_call"
    __table_args__ = (
        tenant_reference("api_id", "integrations_api.id", ondelete="CASCADE"),
        tenant_reference("actor_id", "core_user.id"),
        Index("ix_integrations_call_newest", "organization_id", "api_id", "id"),
        Index("ix_integrations_call_age", "organization_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    api_id: Mapped[int]
    actor_id: Mapped[int | None]
    method: Mapped[str] = mapped_column(String(10))
    url: Mapped[str] = mapped_column(Text)
    request_headers: Mapped[dict[str, Any]] = mapped_column(JSON)
    response_status: Mapped[int | None]
    response_body: Mapped[str | None] = mapped_column(Text)
    duration_ms: Mapped[int]
    error: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    actor: Mapped[User | None] = relationship(
        primaryjoin=lambda: Call.actor_id == User.id,
        foreign_keys=lambda: Call.actor_id,
        lazy="raise",
        viewonly=True,
    )
