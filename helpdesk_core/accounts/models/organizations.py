"""Tables of organisations."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk_core.database import BigKey, CoreBase, Timestamped, UtcDateTime
from helpdesk_core.tenancy import TenantScoped


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
    domain_verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class TierChange(CoreBase, TenantScoped):
    """A change of an organisation's subscription tier, kept as history."""

    __tablename__ = "core_tier_change"
    __table_args__ = (Index("ix_core_tier_change_organization_id_id", "organization_id", "id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    before: Mapped[str] = mapped_column(String(20))
    after: Mapped[str] = mapped_column(String(20))
    changed_by_id: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
