"""Create automations, their versions and the log of what they did."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from helpdesk_core.api import BigKey, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PRESENT = "deleted_at IS NULL"


def upgrade() -> None:
    """Apply."""
    create_automations()
    create_versions()
    create_runs()
    op.create_table(
        "workflow_edition",
        sa.Column("last", sa.Integer(), nullable=False),
        *of_organization("workflow_edition"),
        sa.PrimaryKeyConstraint("organization_id", name="pk_workflow_edition"),
    )


def downgrade() -> None:
    """Undo."""
    for name in ("edition", "run", "version", "automation"):
        op.drop_table(f"workflow_{name}")


def create_automations() -> None:
    """Create what automations are."""
    op.create_table(
        "workflow_automation",
        sa.Column("id", sa.Integer(), nullable=False),
        *content(),
        sa.Column("event_type", sa.String(100), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(500), nullable=False),
        sa.Column("execution_count", BigKey, nullable=False),
        sa.Column("failure_count", sa.Integer(), nullable=False),
        sa.Column("last_executed", UtcDateTime(), nullable=True),
        sa.Column("last_agent_id", sa.Integer(), nullable=True),
        sa.Column("slot_at", UtcDateTime(), nullable=True),
        sa.Column("seen_until", UtcDateTime(), nullable=True),
        sa.Column("seen_id", BigKey, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        *of_organization("workflow_automation"),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workflow_automation"),
        sa.UniqueConstraint("organization_id", "id", name="uq_workflow_automation_organization_id_id"),
        reference("workflow_automation", "author_id", "core_user"),
    )
    op.create_index("ix_workflow_automation_newest", "workflow_automation", ["organization_id", "created_at", "id"])
    op.create_index(
        "ix_workflow_automation_active",
        "workflow_automation",
        ["organization_id", "event_type", "is_active", "id"],
        sqlite_where=sa.text(PRESENT),
        postgresql_where=sa.text(PRESENT),
    )


def create_versions() -> None:
    """Create what automations were."""
    op.create_table(
        "workflow_version",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("automation_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        *content(),
        sa.Column("changed_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        *of_organization("workflow_version"),
        sa.PrimaryKeyConstraint("id", name="pk_workflow_version"),
        sa.UniqueConstraint(
            "organization_id",
            "automation_id",
            "number",
            name="uq_workflow_version_organization_id_automation_id_number",
        ),
        reference("workflow_version", "automation_id", "workflow_automation", ondelete="CASCADE"),
        reference("workflow_version", "changed_by_id", "core_user"),
    )


def create_runs() -> None:
    """Create the log."""
    op.create_table(
        "workflow_run",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("automation_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("occasion", sa.String(100), nullable=False),
        sa.Column("cause", sa.String(20), nullable=False),
        sa.Column("event_id", BigKey, nullable=True),
        sa.Column("event_type", sa.String(100), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("root_id", BigKey, nullable=True),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("hops", sa.Integer(), nullable=False),
        sa.Column("ticket_id", BigKey, nullable=True),
        sa.Column("matched", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("conditions", sa.JSON(), nullable=False),
        sa.Column("actions", sa.JSON(), nullable=False),
        sa.Column("action_count", sa.Integer(), nullable=False),
        sa.Column("executed_by_id", sa.Integer(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        *of_organization("workflow_run"),
        sa.PrimaryKeyConstraint("id", name="pk_workflow_run"),
        sa.UniqueConstraint(
            "organization_id",
            "automation_id",
            "occasion",
            name="uq_workflow_run_organization_id_automation_id_occasion",
        ),
        reference("workflow_run", "automation_id", "workflow_automation", ondelete="CASCADE"),
    )
    for name, *columns in (
        ("newest", "id"),
        ("automation", "automation_id", "id"),
        ("ticket", "ticket_id", "id"),
        ("event", "event_id"),
        ("root", "root_id", "depth"),
        ("matched", "matched", "created_at"),
    ):
        op.create_index(f"ix_workflow_run_{name}", "workflow_run", ["organization_id", *columns])


def content() -> tuple[Any, ...]:
    """Return the columns that an automation shares with its versions."""
    return (
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("trigger", sa.JSON(), nullable=False),
        sa.Column("actions", sa.JSON(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
    )


def of_organization(table: str) -> tuple[Any, Any]:
    """Return the column and the constraint that give a table's rows to an organisation."""
    name = f"fk_{table}_organization_id"
    return (
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["core_organization.id"], name=name),
    )


def reference(table: str, column: str, target: str, *, ondelete: str | None = None) -> Any:
    """Return a foreign key that stays within an organisation."""
    return sa.ForeignKeyConstraint(
        ["organization_id", column],
        [f"{target}.organization_id", f"{target}.id"],
        name=f"fk_{table}_organization_id_{column}",
        ondelete=ondelete,
    )
