"""Add notifications, their templates and what people chose of them."""

import sqlalchemy as sa
from alembic import op

from helpdesk_core.database import BigKey, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    _notifications()
    op.create_table(
        "core_notification_template",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("title", sa.String(100), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("variables", sa.JSON(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        _organization("core_notification_template"),
        sa.PrimaryKeyConstraint("id", name="pk_core_notification_template"),
    )
    op.create_index(
        "uq_core_notification_template_name", "core_notification_template", ["organization_id", "name"], unique=True
    )
    op.create_table(
        "core_notification_preferences",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("email", sa.Boolean(), nullable=False),
        sa.Column("quiet_from", sa.String(5), nullable=True),
        sa.Column("quiet_until", sa.String(5), nullable=True),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        _organization("core_notification_preferences"),
        _user("core_notification_preferences"),
        sa.PrimaryKeyConstraint("user_id", name="pk_core_notification_preferences"),
    )


def downgrade() -> None:
    """Undo."""
    for name in ("preferences", "template"):
        op.drop_table(f"core_notification_{name}")
    op.drop_table("core_notification")


def _notifications() -> None:
    op.create_table(
        "core_notification",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("address", sa.String(254), nullable=True),
        sa.Column("address_key", sa.String(254), nullable=True),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("key", sa.String(120), nullable=False),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("object", sa.String(40), nullable=True),
        sa.Column("object_id", BigKey, nullable=True),
        sa.Column("link", sa.String(255), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.Column("hidden_at", UtcDateTime(), nullable=True),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        _organization("core_notification"),
        _user("core_notification"),
        sa.PrimaryKeyConstraint("id", name="pk_core_notification"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_core_notification_user_id_kind_key", "core_notification", ["user_id", "kind", "key"], unique=True
    )
    op.create_index("ix_core_notification_created_at", "core_notification", ["created_at"])
    _partial_index(
        "uq_core_notification_address", "organization_id", "address_key", "kind", "key",
        only="address_key IS NOT NULL", unique=True,
    )  # fmt: skip
    inbox = ("organization_id", "user_id", "id", "hidden_at")
    _partial_index("ix_core_notification_inbox", *inbox, only="hidden_at IS NULL")
    _partial_index("ix_core_notification_unread", *inbox, "read_at", only="hidden_at IS NULL AND read_at IS NULL")


def _partial_index(name: str, *columns: str, only: str, unique: bool = False) -> None:
    where = {"sqlite_where": sa.text(only), "postgresql_where": sa.text(only)}
    op.create_index(name, "core_notification", list(columns), unique=unique, **where)


def _organization(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["organization_id"], ["core_organization.id"], name=f"fk_{table}_organization_id")


def _user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id", "user_id"],
        ["core_user.organization_id", "core_user.id"],
        name=f"fk_{table}_organization_id_user_id",
    )
