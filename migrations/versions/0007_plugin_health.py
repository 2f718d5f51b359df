"""Add what processes tell each other about plugins that fail."""

import sqlalchemy as sa
from alembic import op

from helpdesk_core.database import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "core_plugin_fault",
        sa.Column("plugin", sa.String(20), nullable=False),
        sa.Column("phase", sa.String(20), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("first_at", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("plugin", "phase", name="pk_core_plugin_fault"),
    )
    op.create_table(
        "core_plugin_suspension",
        sa.Column("plugin", sa.String(20), nullable=False),
        sa.Column("phase", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("plugin", name="pk_core_plugin_suspension"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("core_plugin_suspension")
    op.drop_table("core_plugin_fault")
