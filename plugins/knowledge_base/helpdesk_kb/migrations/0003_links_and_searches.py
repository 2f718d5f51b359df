"""Create links between articles and tickets, searches, and what was opened from their results."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from helpdesk_core.api import BigKey, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    create_links()
    create_searches()


def downgrade() -> None:
    """Undo."""
    for name in ("search_click", "search_log", "article_link"):
        op.drop_table(f"kb_{name}")


def create_links() -> None:
    """Create links between articles and tickets; the latter are another plugin's, and may not be there."""
    op.create_table(
        "kb_article_link",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", BigKey, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        *of_organization("kb_article_link"),
        sa.PrimaryKeyConstraint("id", name="pk_kb_article_link"),
        sa.UniqueConstraint(
            *("organization_id", "article_id", "kind", "ticket_id"),
            name="uq_kb_article_link_organization_id_article_id_kind_ticket_id",
        ),
        reference("kb_article_link", "article_id", "kb_article", ondelete="CASCADE"),
        reference("kb_article_link", "user_id", "core_user"),
    )
    op.create_index("ix_kb_article_link_newest", "kb_article_link", ["organization_id", "article_id", "id"])
    op.create_index("ix_kb_article_link_ticket", "kb_article_link", ["organization_id", "ticket_id", "id"])


def create_searches() -> None:
    """Create searches, and what was opened from their results."""
    op.create_table(
        "kb_search_log",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("query", sa.String(200), nullable=False),
        sa.Column("results", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        *of_organization("kb_search_log"),
        sa.PrimaryKeyConstraint("id", name="pk_kb_search_log"),
        sa.UniqueConstraint("organization_id", "id", name="uq_kb_search_log_organization_id_id"),
    )
    op.create_index("ix_kb_search_log_newest", "kb_search_log", ["organization_id", "created_at", "id"])
    op.create_table(
        "kb_search_click",
        sa.Column("search_id", BigKey, nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        *of_organization("kb_search_click"),
        sa.PrimaryKeyConstraint("search_id", "article_id", name="pk_kb_search_click"),
        reference("kb_search_click", "search_id", "kb_search_log", ondelete="CASCADE"),
        reference("kb_search_click", "article_id", "kb_article", ondelete="CASCADE"),
    )
    op.create_index("ix_kb_search_click_article", "kb_search_click", ["organization_id", "article_id"])


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
