"""Remember which due dates were announced."""

import sqlalchemy as sa
from alembic import op

from helpdesk_core.api import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
accepted = {
    "index-locks": "released before this was looked at, with tables that were small",
    "fills-under-lock": "released before this was looked at, with tables that were small",
}

TO_ANNOUNCE = sa.text("deleted_at IS NULL AND status < 4 AND due_date IS NOT NULL AND overdue_at IS NULL")
NOW = {"sqlite": "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')", "postgresql": "date_trunc('second', now())"}


def upgrade() -> None:
    """Apply. What is overdue already is everybody's old news: it is not announced."""
    op.add_column("tickets_ticket", sa.Column("reminded_at", UtcDateTime(), nullable=True))
    op.add_column("tickets_ticket", sa.Column("overdue_at", UtcDateTime(), nullable=True))
    now = NOW[op.get_context().dialect.name]
    op.execute(f"UPDATE tickets_ticket SET reminded_at = due_date, overdue_at = due_date WHERE due_date < {now}")  # noqa: S608 - ours
    op.create_index(
        "ix_tickets_ticket_to_announce",
        "tickets_ticket",
        ["organization_id", "due_date", "id"],
        sqlite_where=TO_ANNOUNCE,
        postgresql_where=TO_ANNOUNCE,
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_tickets_ticket_to_announce", "tickets_ticket")
    op.drop_column("tickets_ticket", "overdue_at")
    op.drop_column("tickets_ticket", "reminded_at")
