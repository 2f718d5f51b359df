"""Tables of what people were told, of what they want to be told, and of the words."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk_core.database import BigKey, CoreBase, Timestamped, UtcDateTime
from helpdesk_core.tenancy import TenantScoped, tenant_reference


def _partial(name: str, *columns: str, only: str, unique: bool = False) -> Index:
    """Index the rows that satisfy `only`."""
    return Index(name, *columns, unique=unique, sqlite_where=text(only), postgresql_where=text(only))


class Notification(CoreBase, TenantScoped):
    """What one person was told once: the record by which nobody is told twice, and a row of their inbox.

    The words are kept as they were written, in the recipient's language: what a mail repeats is what was said, however
    the templates changed meanwhile. Rows that are in no inbox have `hidden_at`: those that are only mailed, and those
    that their user removed.
    """

    __tablename__ = "core_notification"
    __table_args__ = (
        tenant_reference("user_id", "core_user.id"),
        Index("uq_core_notification_user_id_kind_key", "user_id", "kind", "key", unique=True),
        _partial(
            "uq_core_notification_address", *("organization_id", "address_key", "kind", "key"),
            only="address_key IS NOT NULL", unique=True,
        ),
        # Where rows must be null they are in the index all the same: SQLite would read each row to see that it is.
        _partial(
            "ix_core_notification_inbox", *("organization_id", "user_id", "id", "hidden_at"), only="hidden_at IS NULL"
        ),
        _partial(
            "ix_core_notification_unread", *("organization_id", "user_id", "id", "hidden_at", "read_at"),
            only="hidden_at IS NULL AND read_at IS NULL",
        ),
        Index("ix_core_notification_created_at", "created_at"),
        {"sqlite_autoincrement": True},  # a mail that waits must not find another row under its key
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int | None]
    """Who is told; nothing for somebody without an account."""
    address: Mapped[str | None] = mapped_column(String(254))
    """Of somebody without an account."""
    address_key: Mapped[str | None] = mapped_column(String(254))
    kind: Mapped[str] = mapped_column(String(60))
    key: Mapped[str] = mapped_column(String(120))
    """Of what it tells; one person is told of it once by this kind."""
    title: Mapped[str] = mapped_column(String(255))
    body: Mapped[str] = mapped_column(Text)
    object: Mapped[str | None] = mapped_column(String(40))
    object_id: Mapped[int | None] = mapped_column(BigKey)
    link: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    hidden_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class NotificationTemplate(CoreBase, TenantScoped, Timestamped):
    """Words of an organisation: instead of a built-in kind's, or of a kind that it made for itself."""

    __tablename__ = "core_notification_template"
    __table_args__ = (Index("uq_core_notification_template_name", "organization_id", "name", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(100))
    subject: Mapped[str] = mapped_column(String(255))
    text: Mapped[str] = mapped_column(Text)
    variables: Mapped[list[str]] = mapped_column(JSON)
    """Of a kind that the organisation made; those of built-in ones are their plugin's."""


class NotificationPreferences(CoreBase, TenantScoped):
    """What a user chose; who chose nothing has no row."""

    __tablename__ = "core_notification_preferences"
    __table_args__ = (tenant_reference("user_id", "core_user.id"),)

    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    email: Mapped[bool] = mapped_column(default=True)
    """Whether anything is mailed at all."""
    quiet_from: Mapped[str | None] = mapped_column(String(5))
    quiet_until: Mapped[str | None] = mapped_column(String(5))
    channels: Mapped[dict[str, dict[str, Any]]] = mapped_column(JSON)
    """What was chosen by kind: `{"ticket_assigned": {"email": false}}`; all else is as the kind says."""
