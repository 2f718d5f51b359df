"""Add what is counted."""

import sqlalchemy as sa
from alembic import op

from helpdesk_core.api import BigKey

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "chaos_effect",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("thing", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=20), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["core_organization.id"], name="fk_chaos_effect_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_chaos_effect"),
    )


def downgrade() -> None:
    op.drop_table("chaos_effect")
