"""Tables of what is confirmed by a link in a mail. The links are derived from the rows; no secret is stored."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk_core.database import BigKey, CoreBase, UtcDateTime
from helpdesk_core.tenancy import TenantScoped, tenant_reference


class Confirmation(CoreBase, TenantScoped):
    """A link that was mailed to a user: it works once, until it expires or a newer one of its purpose is made."""

    __tablename__ = "core_confirmation"
    __table_args__ = (
        tenant_reference("user_id", "core_user.id"),
        Index("ix_core_confirmation_user_id_purpose", "user_id", "purpose"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int]
    purpose: Mapped[str] = mapped_column(String(20))
    """`verify_email`, `reset_password` or `change_email`."""
    email: Mapped[str] = mapped_column(String(254))
    """Where it was sent; the new address, when the address changes."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Invitation(CoreBase, TenantScoped):
    """An invitation to join an organisation in a role, sent to an address."""

    __tablename__ = "core_invitation"
    __table_args__ = (
        Index("ix_core_invitation_organization_id_created_at_id", "organization_id", "created_at", "id"),
        Index("ix_core_invitation_organization_id_email_key", "organization_id", "email_key"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    role: Mapped[str] = mapped_column(String(20))
    invited_by_id: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
