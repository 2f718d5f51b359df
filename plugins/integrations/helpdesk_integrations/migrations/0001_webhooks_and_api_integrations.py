"""Create webhooks with what is delivered to them, and API integrations with the log of their calls."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from helpdesk_core.api import BigKey, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    create_webhooks()
    create_deliveries()
    create_attempts()
    create_apis()
    create_credentials()
    create_calls()


def downgrade() -> None:
    """Undo."""
    for name in ("call", "consent", "credential", "api", "attempt", "delivery", "message", "webhook"):
        op.drop_table(f"integrations_{name}")


def create_webhooks() -> None:
    """Create webhooks."""
    op.create_table(
        "integrations_webhook",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("patterns", sa.JSON(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("secret_mask", sa.String(20), nullable=False),
        sa.Column("previous_secret", sa.Text(), nullable=True),
        sa.Column("previous_until", UtcDateTime(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        *counts("delivery_count", "success_count", "failure_count"),
        sa.Column("last_delivery", UtcDateTime(), nullable=True),
        *counts("consecutive_failures"),
        sa.Column("failing_since", UtcDateTime(), nullable=True),
        sa.Column("resume_at", UtcDateTime(), nullable=True),
        sa.Column("disabled_reason", sa.String(255), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        *of_organization("integrations_webhook"),
        *timestamps(),
        sa.PrimaryKeyConstraint("id", name="pk_integrations_webhook"),
        unique("integrations_webhook", "id"),
        reference("integrations_webhook", "created_by_id", "core_user"),
    )
    index("integrations_webhook", "newest", "created_at", "id")


def create_deliveries() -> None:
    """Create messages and their deliveries."""
    op.create_table(
        "integrations_message",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.Column("uid", sa.String(40), nullable=False),
        sa.Column("event_type", sa.String(100), nullable=False),
        sa.Column("aggregate", sa.String(100), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        *of_organization("integrations_message"),
        sa.PrimaryKeyConstraint("id", name="pk_integrations_message"),
        unique("integrations_message", "id"),
        unique("integrations_message", "event_id"),
        unique("integrations_message", "uid"),
    )
    index("integrations_message", "age", "created_at")
    op.create_table(
        "integrations_delivery",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("webhook_id", sa.Integer(), nullable=False),
        sa.Column("message_id", BigKey, nullable=False),
        sa.Column("event_type", sa.String(100), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        *counts("tries"),
        sa.Column("next_try_at", UtcDateTime(), nullable=True),
        sa.Column("response_status", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(255), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        *of_organization("integrations_delivery"),
        sa.PrimaryKeyConstraint("id", name="pk_integrations_delivery"),
        unique("integrations_delivery", "id"),
        unique("integrations_delivery", "webhook_id", "message_id"),
        reference("integrations_delivery", "webhook_id", "integrations_webhook", ondelete="CASCADE"),
        reference("integrations_delivery", "message_id", "integrations_message", ondelete="CASCADE"),
    )
    index("integrations_delivery", "newest", "webhook_id", "id")
    index("integrations_delivery", "state", "webhook_id", "state", "id")
    index("integrations_delivery", "age", "created_at")
    index("integrations_delivery", "message", "message_id")


def create_attempts() -> None:
    """Create the tries of deliveries."""
    op.create_table(
        "integrations_attempt",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("webhook_id", sa.Integer(), nullable=False),
        sa.Column("delivery_id", BigKey, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("finished", sa.Boolean(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("request_headers", sa.JSON(), nullable=False),
        sa.Column("response_status", sa.Integer(), nullable=True),
        sa.Column("response_body", sa.Text(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(255), nullable=True),
        *of_organization("integrations_attempt"),
        sa.PrimaryKeyConstraint("id", name="pk_integrations_attempt"),
        reference("integrations_attempt", "delivery_id", "integrations_delivery", ondelete="CASCADE"),
    )
    index("integrations_attempt", "delivery", "delivery_id", "id")
    index("integrations_attempt", "pace", "webhook_id", "started_at", "finished")


def create_apis() -> None:
    """Create API integrations."""
    op.create_table(
        "integrations_api",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("api_type", sa.String(20), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("version", sa.String(50), nullable=False),
        sa.Column("authentication_methods", sa.JSON(), nullable=False),
        *counts("requests_per_minute", "requests_per_day"),
        sa.Column("swagger_url", sa.Text(), nullable=True),
        sa.Column("documentation_version", sa.String(50), nullable=False),
        sa.Column("operations", sa.JSON(), nullable=False),
        sa.Column("operations_at", UtcDateTime(), nullable=True),
        *counts("total_requests", "successful_requests", "failed_requests", "answered_requests"),
        sa.Column("total_duration_ms", sa.BigInteger(), nullable=False),
        sa.Column("minute", UtcDateTime(), nullable=True),
        *counts("minute_count"),
        sa.Column("day", UtcDateTime(), nullable=True),
        *counts("day_count", "consecutive_failures"),
        sa.Column("open_until", UtcDateTime(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        *of_organization("integrations_api"),
        *timestamps(),
        sa.PrimaryKeyConstraint("id", name="pk_integrations_api"),
        unique("integrations_api", "id"),
        reference("integrations_api", "created_by_id", "core_user"),
    )
    index("integrations_api", "newest", "created_at", "id")


def create_credentials() -> None:
    """Create what integrations show to other systems."""
    op.create_table(
        "integrations_credential",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("api_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("grant", sa.String(30), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("token_expires_at", UtcDateTime(), nullable=True),
        sa.Column("renewing_until", UtcDateTime(), nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        *of_organization("integrations_credential"),
        sa.PrimaryKeyConstraint("id", name="pk_integrations_credential"),
        unique("integrations_credential", "api_id"),
        reference("integrations_credential", "api_id", "integrations_api", ondelete="CASCADE"),
    )
    op.create_table(
        "integrations_consent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("api_id", sa.Integer(), nullable=False),
        sa.Column("state_hash", sa.String(64), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        *of_organization("integrations_consent"),
        sa.PrimaryKeyConstraint("id", name="pk_integrations_consent"),
        unique("integrations_consent", "state_hash"),
        reference("integrations_consent", "api_id", "integrations_api", ondelete="CASCADE"),
    )


def create_calls() -> None:
    """Create the log of calls."""
    op.create_table(
        "integrations_call",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("api_id", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("method", sa.String(10), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("request_headers", sa.JSON(), nullable=False),
        sa.Column("response_status", sa.Integer(), nullable=True),
        sa.Column("response_body", sa.Text(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(255), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        *of_organization("integrations_call"),
        sa.PrimaryKeyConstraint("id", name="pk_integrations_call"),
        reference("integrations_call", "api_id", "integrations_api", ondelete="CASCADE"),
        reference("integrations_call", "actor_id", "core_user"),
    )
    index("integrations_call", "newest", "api_id", "id")
    index("integrations_call", "age", "created_at")


def of_organization(table: str) -> tuple[Any, Any]:
    """Return the column and the constraint that give a table's rows to an organisation."""
    name = f"fk_{table}_organization_id"
    return (
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["core_organization.id"], name=name),
    )


def timestamps() -> tuple[Any, Any]:
    """Return the two columns that most tables have."""
    return (
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
    )


def counts(*names: str) -> list[Any]:
    """Return columns that count something."""
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def unique(table: str, *columns: str) -> Any:
    """Return what makes columns unique within an organisation."""
    return sa.UniqueConstraint("organization_id", *columns, name=f"uq_{table}_organization_id_{'_'.join(columns)}")


def reference(table: str, column: str, target: str, *, ondelete: str | None = None) -> Any:
    """Return a foreign key that stays within an organisation."""
    return sa.ForeignKeyConstraint(
        ["organization_id", column],
        [f"{target}.organization_id", f"{target}.id"],
        name=f"fk_{table}_organization_id_{column}",
        ondelete=ondelete,
    )


def index(table: str, name: str, *columns: str) -> None:
    """Index rows of an organisation."""
    op.create_index(f"ix_{table}_{name}", table, ["organization_id", *columns])
