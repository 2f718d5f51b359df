"""Add jobs and schedules; let events tell their place, what they are about and what caused them."""

import sqlalchemy as sa
from alembic import op

from helpdesk_core.database import BigKey, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
accepted = {
    "takes-away": "released before this was looked at, with tables that were small",
    "index-locks": "released before this was looked at, with tables that were small",
}

DUE = sa.text("due_at IS NOT NULL")
ORDERED = sa.text("order_key <> ''")


def upgrade() -> None:
    """Apply."""
    _events()
    _jobs()


def _events() -> None:
    # The transaction that adds a row; what PostgreSQL shows may be read in the order of these, see the change feed.
    on_server = op.get_context().dialect.name == "postgresql"
    number = sa.text("(pg_current_xact_id()::text::bigint)") if on_server else sa.text("0")
    with op.batch_alter_table("core_event") as table:
        table.drop_index("ix_core_event_organization_id_id")
        table.drop_column("attempts")
        table.drop_column("last_error")
        table.add_column(sa.Column("tx", BigKey, server_default=number, nullable=False))
        table.add_column(sa.Column("subject", sa.String(length=80), server_default="", nullable=False))
        table.add_column(sa.Column("aggregate", sa.String(length=80), server_default="", nullable=False))
        table.add_column(sa.Column("concerns", sa.Text(), server_default="", nullable=False))
        table.add_column(sa.Column("cause_id", BigKey, nullable=True))
        table.add_column(sa.Column("root_id", BigKey, nullable=True))
        table.add_column(sa.Column("depth", sa.Integer(), server_default="0", nullable=False))
        table.create_index("ix_core_event_organization_id_tx_id", ["organization_id", "tx", "id"])


def _jobs() -> None:
    op.create_table(
        "core_job",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("event_id", BigKey, nullable=True),
        sa.Column("arguments", sa.Text(), nullable=True),
        sa.Column("order_key", sa.String(length=255), nullable=False),
        sa.Column("once_key", sa.String(length=255), nullable=True),
        sa.Column("slow", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("held_by", sa.String(length=100), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("begun", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_core_job"),
    )
    due = {"sqlite_where": DUE, "postgresql_where": DUE}
    ordered = {"sqlite_where": ORDERED, "postgresql_where": ORDERED}
    op.create_index("ix_core_job_slow_due_at_id", "core_job", ["slow", "due_at", "id"], **due)
    op.create_index("ix_core_job_order_key_id", "core_job", ["order_key", "id"], **ordered)
    op.create_index("uq_core_job_once_key", "core_job", ["once_key"], unique=True)
    op.create_index("ix_core_job_organization_id", "core_job", ["organization_id"])
    op.create_index("ix_core_job_event_id", "core_job", ["event_id"])
    op.create_table(
        "core_schedule",
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("slot", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_core_schedule"),
    )


def downgrade() -> None:
    """Revert; jobs that wait are lost, as are failures of deliveries."""
    op.drop_table("core_schedule")
    op.drop_table("core_job")
    with op.batch_alter_table("core_event") as table:
        table.drop_index("ix_core_event_organization_id_tx_id")
        for name in ("depth", "root_id", "cause_id", "concerns", "aggregate", "subject", "tx"):
            table.drop_column(name)
        table.add_column(sa.Column("attempts", sa.Integer(), server_default="0", nullable=False))
        table.add_column(sa.Column("last_error", sa.Text(), nullable=True))
        table.create_index("ix_core_event_organization_id_id", ["organization_id", "id"])
