"""Keep the monthly requests of organisations, and on PostgreSQL the counters of limits."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "core_usage",
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("warned", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["core_organization.id"], name="fk_core_usage_organization_id"),
        sa.PrimaryKeyConstraint("organization_id", "month", name="pk_core_usage"),
    )
    if op.get_context().dialect.name == "postgresql":
        # Outside the write-ahead log: a crash empties it. Rows change all the time, so pages keep room for that.
        op.create_table(
            "helpdesk_limit_counter",
            sa.Column("key", sa.Text(), nullable=False),
            sa.Column("used", sa.BigInteger(), nullable=False),
            sa.Column("reset_at", sa.BigInteger(), nullable=False),
            sa.Column("most", sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint("key", name="pk_helpdesk_limit_counter"),
            prefixes=["UNLOGGED"],
            postgresql_with={"fillfactor": 70},
        )


def downgrade() -> None:
    """Undo."""
    if op.get_context().dialect.name == "postgresql":
        op.drop_table("helpdesk_limit_counter")
    op.drop_table("core_usage")
