"""Tables of organisations, users, their logins and the attempts at them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk_core.database import BigKey, CoreBase, Timestamped, UtcDateTime
from helpdesk_core.tenancy import TenantScoped, tenant_key


class Organization(CoreBase, Timestamped):
    """A customer of the installation: everything else belongs to one."""

    __tablename__ = "core_organization"
    __table_args__ = (Index("ix_core_organization_created_at_id", "created_at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    slug: Mapped[str] = mapped_column(String(63), unique=True)
    domain: Mapped[str | None] = mapped_column(String(255), unique=True)
    subscription_tier: Mapped[str] = mapped_column(String(20))
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    registration: Mapped[str] = mapped_column(String(20))
    disabled_plugins: Mapped[list[str]] = mapped_column(JSON)
    is_active: Mapped[bool] = mapped_column(default=True)


class User(CoreBase, TenantScoped, Timestamped):
    """A person with an account; user names and e-mail addresses are unique without case in the installation."""

    __tablename__ = "core_user"
    __table_args__ = (
        tenant_key(),
        Index("uq_core_user_username_key", "username_key", unique=True),
        Index("uq_core_user_email_key", "email_key", unique=True),
        Index("ix_core_user_organization_id_created_at_id", "organization_id", "created_at", "id"),
        Index("ix_core_user_organization_id_role_created_at_id", "organization_id", "role", "created_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(150))
    username_key: Mapped[str] = mapped_column(String(150))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    password_hash: Mapped[str] = mapped_column(String(255))
    first_name: Mapped[str] = mapped_column(String(150), default="")
    last_name: Mapped[str] = mapped_column(String(150), default="")
    full_name: Mapped[str] = mapped_column(String(301), default="")
    phone: Mapped[str | None] = mapped_column(String(20))
    avatar: Mapped[str | None] = mapped_column(String(255))
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    language: Mapped[str] = mapped_column(String(10), default="en")
    role: Mapped[str] = mapped_column(String(20))
    is_platform_admin: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)
    is_verified: Mapped[bool] = mapped_column(default=False)
    token_version: Mapped[int] = mapped_column(default=0)
    last_active_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    organization: Mapped[Organization] = relationship(lazy="raise")


class Login(CoreBase, TenantScoped):
    """One login of a user, from the password to the logout: the family of its refresh tokens.

    Every token names its login, and a login that has ended ends them all at once.
    """

    __tablename__ = "core_login"
    __table_args__ = (Index("ix_core_login_user_id_id", "user_id", "id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("core_user.id"))
    address: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RefreshToken(CoreBase, TenantScoped):
    """One refresh token, stored hashed. Using it makes the next of its login; using it again ends the login."""

    __tablename__ = "core_refresh_token"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    login_id: Mapped[int] = mapped_column(ForeignKey("core_login.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


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


class TierChange(CoreBase, TenantScoped):
    """A change of an organisation's subscription tier, kept as history."""

    __tablename__ = "core_tier_change"
    __table_args__ = (Index("ix_core_tier_change_organization_id_id", "organization_id", "id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    before: Mapped[str] = mapped_column(String(20))
    after: Mapped[str] = mapped_column(String(20))
    changed_by_id: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
