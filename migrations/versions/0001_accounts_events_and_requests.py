"""Create organisations, users, logins, events and idempotent requests."""

import sqlalchemy as sa
from alembic import op

from helpdesk_core.database import BigKey, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "core_organization",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("slug", sa.String(length=63), nullable=False),
        sa.Column("domain", sa.String(length=255), nullable=True),
        sa.Column("subscription_tier", sa.String(length=20), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("registration", sa.String(length=20), nullable=False),
        sa.Column("disabled_plugins", sa.JSON(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_core_organization"),
        sa.UniqueConstraint("domain", name="uq_core_organization_domain"),
        sa.UniqueConstraint("slug", name="uq_core_organization_slug"),
    )
    op.create_index("ix_core_organization_created_at_id", "core_organization", ["created_at", "id"])

    op.create_table(
        "core_user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=150), nullable=False),
        sa.Column("username_key", sa.String(length=150), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("first_name", sa.String(length=150), nullable=False),
        sa.Column("last_name", sa.String(length=150), nullable=False),
        sa.Column("full_name", sa.String(length=301), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column("avatar", sa.String(length=255), nullable=True),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("is_platform_admin", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_verified", sa.Boolean(), nullable=False),
        sa.Column("token_version", sa.Integer(), nullable=False),
        sa.Column("last_active_at", UtcDateTime(), nullable=True),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["core_organization.id"], name="fk_core_user_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_core_user"),
        sa.UniqueConstraint("organization_id", "id", name="uq_core_user_organization_id_id"),
    )
    op.create_index("ix_core_user_organization_id_created_at_id", "core_user", ["organization_id", "created_at", "id"])
    op.create_index(
        "ix_core_user_organization_id_role_created_at_id", "core_user", ["organization_id", "role", "created_at", "id"]
    )
    op.create_index("uq_core_user_email_key", "core_user", ["email_key"], unique=True)
    op.create_index("uq_core_user_username_key", "core_user", ["username_key"], unique=True)

    op.create_table(
        "core_event",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["core_user.id"], name="fk_core_event_actor_id"),
        sa.ForeignKeyConstraint(["organization_id"], ["core_organization.id"], name="fk_core_event_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_core_event"),
    )
    op.create_index(
        "ix_core_event_due_at",
        "core_event",
        ["due_at"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_core_event_organization_id_id", "core_event", ["organization_id", "id"])

    op.create_table(
        "core_idempotent_request",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["core_organization.id"], name="fk_core_idempotent_request_organization_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["core_user.id"], name="fk_core_idempotent_request_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_core_idempotent_request"),
        sa.UniqueConstraint("user_id", "key", name="uq_core_idempotent_request_user_id_key"),
    )
    op.create_index("ix_core_idempotent_request_created_at", "core_idempotent_request", ["created_at"])

    op.create_table(
        "core_login",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=255), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["core_organization.id"], name="fk_core_login_organization_id"),
        sa.ForeignKeyConstraint(["user_id"], ["core_user.id"], name="fk_core_login_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_core_login"),
    )
    op.create_index("ix_core_login_user_id_id", "core_login", ["user_id", "id"])

    op.create_table(
        "core_login_attempt",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=254), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=255), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["core_organization.id"], name="fk_core_login_attempt_organization_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["core_user.id"], name="fk_core_login_attempt_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_core_login_attempt"),
    )
    op.create_index("ix_core_login_attempt_address_created_at", "core_login_attempt", ["address", "created_at"])
    op.create_index(
        "ix_core_login_attempt_organization_id_created_at_id",
        "core_login_attempt",
        ["organization_id", "created_at", "id"],
    )
    op.create_index(
        "ix_core_login_attempt_user_id_created_at_id", "core_login_attempt", ["user_id", "created_at", "id"]
    )

    op.create_table(
        "core_tier_change",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("before", sa.String(length=20), nullable=False),
        sa.Column("after", sa.String(length=20), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["changed_by_id"], ["core_user.id"], name="fk_core_tier_change_changed_by_id"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["core_organization.id"], name="fk_core_tier_change_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_core_tier_change"),
    )
    op.create_index("ix_core_tier_change_organization_id_id", "core_tier_change", ["organization_id", "id"])

    op.create_table(
        "core_refresh_token",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("login_id", BigKey, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["login_id"], ["core_login.id"], name="fk_core_refresh_token_login_id"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["core_organization.id"], name="fk_core_refresh_token_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_core_refresh_token"),
        sa.UniqueConstraint("token_hash", name="uq_core_refresh_token_token_hash"),
    )
    op.create_index("ix_core_refresh_token_login_id", "core_refresh_token", ["login_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("core_refresh_token")
    op.drop_table("core_tier_change")
    op.drop_table("core_login_attempt")
    op.drop_table("core_login")
    op.drop_table("core_idempotent_request")
    op.drop_table("core_event")
    op.drop_table("core_user")
    op.drop_table("core_organization")
