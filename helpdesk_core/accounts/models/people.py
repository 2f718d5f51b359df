"""Tables of people and of what they may do."""

from datetime import datetime

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk_core.accounts.models.organizations import Organization
from helpdesk_core.database import CoreBase, Timestamped, UtcDateTime
from helpdesk_core.files import stored_file
from helpdesk_core.tenancy import TenantScoped, tenant_key, tenant_reference


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
    avatar: Mapped[str | None] = mapped_column(String(255), info=stored_file())
    """Key of the stored file."""
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    language: Mapped[str] = mapped_column(String(10), default="en")
    role: Mapped[str] = mapped_column(String(20))
    is_platform_admin: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)
    is_verified: Mapped[bool] = mapped_column(default=False)
    token_version: Mapped[int] = mapped_column(default=0)
    last_active_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    organization: Mapped[Organization] = relationship(lazy="raise")
    custom_role: Mapped["CustomRole | None"] = relationship(
        secondary="core_role_assignment", viewonly=True, uselist=False, lazy="raise"
    )


class CustomRole(CoreBase, TenantScoped, Timestamped):
    """A role that an organisation made for itself: what it may do, and the built-in role that it shows as."""

    __tablename__ = "core_role"
    __table_args__ = (
        tenant_key(),
        Index("uq_core_role_organization_id_name_key", "organization_id", "name_key", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(String(255), default="")
    base: Mapped[str] = mapped_column(String(20))
    permissions: Mapped[list[str]] = mapped_column(JSON)


class RoleAssignment(CoreBase, TenantScoped):
    """That a user has a custom role; their `User.role` is its base, and its permissions replace those of the base."""

    __tablename__ = "core_role_assignment"
    __table_args__ = (
        tenant_reference("user_id", "core_user.id"),
        tenant_reference("role_id", "core_role.id"),
        Index("ix_core_role_assignment_role_id", "role_id"),
    )

    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    role_id: Mapped[int]
