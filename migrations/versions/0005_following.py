"""Let events be followed: in their order, up to where they are kept, through a socket that tickets open."""

import sqlalchemy as sa
from alembic import op

from helpdesk_core.database import BigKey, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
accepted = {"index-locks": "released before this was looked at, with tables that were small"}


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_core_event_tx_id", "core_event", ["tx", "id"])
    op.create_table(
        "core_forgotten_events",
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("tx", BigKey, nullable=False),
        sa.Column("event_id", BigKey, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["core_organization.id"], name="fk_core_forgotten_events_organization_id"
        ),
        sa.PrimaryKeyConstraint("organization_id", name="pk_core_forgotten_events"),
    )
    op.create_table(
        "core_socket_ticket",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("ticket_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("login_id", BigKey, nullable=False),
        sa.Column("token_version", sa.Integer(), nullable=False),
        sa.Column("dialect", sa.String(length=20), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["core_organization.id"], name="fk_core_socket_ticket_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_core_socket_ticket"),
    )
    op.create_index("uq_core_socket_ticket_ticket_hash", "core_socket_ticket", ["ticket_hash"], unique=True)
    op.create_index("ix_core_socket_ticket_expires_at", "core_socket_ticket", ["expires_at"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("core_socket_ticket")
    op.drop_table("core_forgotten_events")
    op.drop_index("ix_core_event_tx_id", "core_event")
