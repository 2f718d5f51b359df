"""Tables of logins and of the attempts at them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk_core.database import BigKey, CoreBase, UtcDateTime
from helpdesk_core.tenancy import TenantScoped


class Login(CoreBase, TenantScoped):
    """One login of a user, from the password to the logout: a browser's session, or the family of refresh tokens.

    Every token names its login, and a login that has ended ends them all at once. A session is found by the hash of
    the secret in its cookie.
    """

    __tablename__ = "core_login"
    __table_args__ = (
        Index("ix_core_login_user_id_id", "user_id", "id"),
        Index("uq_core_login_secret_hash", "secret_hash", unique=True),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("core_user.id"))
    address: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    kind: Mapped[str] = mapped_column(String(10), default="token", server_default="token")
    """`token` or `session`."""
    secret_hash: Mapped[str | None] = mapped_column(String(64))
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    must_enroll: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether this login can do nothing but set up a second factor, which the organisation asks of the role."""


class RefreshToken(CoreBase, TenantScoped):
    """One refresh token, stored hashed. Using it makes the next of its login; using it again ends the login."""

    __tablename__ = "core_refresh_token"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    login_id: Mapped[int] = mapped_column(ForeignKey("core_login.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SocketTicket(CoreBase, TenantScoped):
    """Opens one socket, once and within half a minute, for the login that asked for it; stored hashed."""

    __tablename__ = "core_socket_ticket"
    __table_args__ = (
        Index("uq_core_socket_ticket_ticket_hash", "ticket_hash", unique=True),
        Index("ix_core_socket_ticket_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    ticket_hash: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[int]
    login_id: Mapped[int] = mapped_column(BigKey)
    token_version: Mapped[int]
    dialect: Mapped[str] = mapped_column(String(20))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LoginAttempt(CoreBase):
    """One attempt to log in, good or bad. Names that nobody has belong to no organisation."""

    __tablename__ = "core_login_attempt"
    __table_args__ = (
        Index("ix_core_login_attempt_organization_id_created_at_id", "organization_id", "created_at", "id"),
        Index("ix_core_login_attempt_user_id_created_at_id", "user_id", "created_at", "id"),
        Index("ix_core_login_attempt_address_created_at", "address", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("core_organization.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    name: Mapped[str] = mapped_column(String(254))
    succeeded: Mapped[bool]
    address: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LoginDelay(CoreBase):
    """How often a proof failed in a row, and until when the next try has to wait.

    The subject says what is counted together: tries at an account, or at a name that no account has, from one address
    or from anywhere; or an account's codes. See `accounts.service.delays`.
    """

    __tablename__ = "core_login_delay"

    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    """A hash, so that the key has a fixed length and names nobody."""
    user_id: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"), index=True)
    failures: Mapped[int]
    last_failure_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
