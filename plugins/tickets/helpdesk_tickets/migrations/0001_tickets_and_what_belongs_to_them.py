"""Create tickets, what belongs to them, their counters and their full-text index."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from helpdesk_core.api import BigKey, SearchIndex, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

LIVE = "deleted_at IS NULL"
SEARCH = SearchIndex("tickets_search", "text", "number", "comments", "internal")


def upgrade() -> None:
    """Apply."""
    create_catalogue()
    create_tickets()
    create_ticket_indexes()
    create_conversation()
    create_attachments_and_tags()
    create_counters()
    create_prepared_work()
    SEARCH.create(op)


def downgrade() -> None:
    """Undo."""
    SEARCH.drop(op)
    names = ("filter", "template", "sla_policy", "tally", "count", "number", "ticket_tag", "attachment", "change")
    for name in (*names, "comment", "ticket", "tag", "category"):
        op.drop_table(f"tickets_{name}")


def create_catalogue() -> None:
    """Create categories and tags."""
    op.create_table(
        "tickets_category",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("name_key", sa.String(100), nullable=False),
        sa.Column("slug", sa.String(110), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("color", sa.String(7), nullable=False),
        *of_organization("tickets_category"),
        *timestamps(),
        sa.PrimaryKeyConstraint("id", name="pk_tickets_category"),
        unique("tickets_category", "id"),
        unique("tickets_category", "name_key"),
        unique("tickets_category", "slug"),
    )
    op.create_table(
        "tickets_tag",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("name_key", sa.String(50), nullable=False),
        sa.Column("color", sa.String(7), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("usage_count", sa.Integer(), nullable=False),
        *of_organization("tickets_tag"),
        *timestamps(),
        sa.PrimaryKeyConstraint("id", name="pk_tickets_tag"),
        unique("tickets_tag", "id"),
        unique("tickets_tag", "name_key"),
    )
    op.create_index("ix_tickets_tag_usage", "tickets_tag", ["organization_id", "usage_count", "id"])


def create_tickets() -> None:
    """Create tickets."""
    op.create_table(
        "tickets_ticket",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("assigned_agent_id", sa.Integer(), nullable=True),
        sa.Column("category_id", sa.Integer(), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("due_date", UtcDateTime(), nullable=True),
        due_column("due_order", "9999-12-31T23:59:59Z"),
        due_column("due_reverse", "0001-01-01T00:00:00Z"),
        sa.Column("target_at", UtcDateTime(), nullable=True),
        sa.Column("comment_count", sa.Integer(), nullable=False),
        sa.Column("public_comment_count", sa.Integer(), nullable=False),
        sa.Column("reopen_count", sa.Integer(), nullable=False),
        *(sa.Column(f"{name}_at", UtcDateTime()) for name in ("first_response", "resolved", "closed", "deleted")),
        *of_organization("tickets_ticket"),
        *timestamps(),
        sa.PrimaryKeyConstraint("id", name="pk_tickets_ticket"),
        sa.UniqueConstraint("uuid", name="uq_tickets_ticket_uuid"),
        unique("tickets_ticket", "id"),
        unique("tickets_ticket", "sequence"),
        reference("tickets_ticket", "category_id", "tickets_category"),
        reference("tickets_ticket", "customer_id", "core_user"),
        reference("tickets_ticket", "created_by_id", "core_user"),
        reference("tickets_ticket", "assigned_agent_id", "core_user"),
    )


def create_ticket_indexes() -> None:
    """Create one index for each order and filter of live tickets."""
    newest = ("created_at", "id", "deleted_at")
    facts = ("status", "priority", "category_id", "due_date", "resolved_at", "target_at")
    index_tickets("newest", "created_at", "id", *facts, "deleted_at")
    index_tickets("status", "status", *newest)
    index_tickets("priority", "priority", *newest)
    index_tickets("assigned", "assigned_agent_id", *newest)
    index_tickets("customer", "customer_id", *newest)
    index_tickets("creator", "created_by_id", *newest)
    index_tickets("category", "category_id", *newest)
    index_tickets("updated", "updated_at", *newest)
    index_tickets("subject", "subject", *newest)
    index_tickets("due_order", "due_order", *newest)
    index_tickets("due_reverse", "due_reverse", *newest)
    index_tickets("overdue", "due_order", *newest, where=f"{LIVE} AND status < 4")
    index_tickets("deleted", "deleted_at", "id", where="deleted_at IS NOT NULL")


def create_conversation() -> None:
    """Create comments and the history."""
    op.create_table(
        "tickets_comment",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("ticket_id", BigKey, nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("is_internal", sa.Boolean(), nullable=False),
        *of_organization("tickets_comment"),
        *timestamps(),
        sa.PrimaryKeyConstraint("id", name="pk_tickets_comment"),
        unique("tickets_comment", "id"),
        reference("tickets_comment", "ticket_id", "tickets_ticket", ondelete="CASCADE"),
        reference("tickets_comment", "author_id", "core_user"),
    )
    op.create_index("ix_tickets_comment_ticket", "tickets_comment", ["organization_id", "ticket_id", "id"])
    op.create_table(
        "tickets_change",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("ticket_id", BigKey, nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("field", sa.String(50), nullable=False),
        sa.Column("before", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("after", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        *of_organization("tickets_change"),
        sa.PrimaryKeyConstraint("id", name="pk_tickets_change"),
        reference("tickets_change", "ticket_id", "tickets_ticket", ondelete="CASCADE"),
        reference("tickets_change", "actor_id", "core_user"),
    )
    op.create_index("ix_tickets_change_ticket", "tickets_change", ["organization_id", "ticket_id", "id"])


def create_attachments_and_tags() -> None:
    """Create files, and the tags that are on tickets."""
    op.create_table(
        "tickets_attachment",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("ticket_id", BigKey, nullable=True),
        sa.Column("uploaded_by_id", sa.Integer(), nullable=False),
        sa.Column("filename", sa.String(255), nullable=False),
        sa.Column("content_type", sa.String(100), nullable=False),
        sa.Column("size", BigKey, nullable=False),
        sa.Column("file_key", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        *of_organization("tickets_attachment"),
        sa.PrimaryKeyConstraint("id", name="pk_tickets_attachment"),
        sa.UniqueConstraint("file_key", name="uq_tickets_attachment_file_key"),
        unique("tickets_attachment", "id"),
        reference("tickets_attachment", "ticket_id", "tickets_ticket", ondelete="CASCADE"),
        reference("tickets_attachment", "uploaded_by_id", "core_user"),
    )
    op.create_index("ix_tickets_attachment_ticket", "tickets_attachment", ["organization_id", "ticket_id", "id"])
    op.create_table(
        "tickets_ticket_tag",
        sa.Column("ticket_id", BigKey, nullable=False),
        sa.Column("tag_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("ticket_created_at", UtcDateTime(), nullable=False),
        *of_organization("tickets_ticket_tag"),
        sa.PrimaryKeyConstraint("ticket_id", "tag_id", name="pk_tickets_ticket_tag"),
        reference("tickets_ticket_tag", "ticket_id", "tickets_ticket", ondelete="CASCADE"),
        reference("tickets_ticket_tag", "tag_id", "tickets_tag", ondelete="CASCADE"),
    )
    newest = ["organization_id", "tag_id", "ticket_created_at", "ticket_id"]
    op.create_index("ix_tickets_ticket_tag_newest", "tickets_ticket_tag", newest)


def create_counters() -> None:
    """Create the last ticket number and what is counted."""
    op.create_table(
        "tickets_number",
        *of_organization("tickets_number"),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", name="pk_tickets_number"),
    )
    op.create_table(
        "tickets_count",
        *of_organization("tickets_count"),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("category_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("total", BigKey, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "status", "priority", "category_id", name="pk_tickets_count"),
    )
    op.create_table(
        "tickets_tally",
        *of_organization("tickets_tally"),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("key", sa.String(20), nullable=False),
        sa.Column("total", BigKey, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "kind", "key", name="pk_tickets_tally"),
    )


def create_prepared_work() -> None:
    """Create SLA policies, response templates and saved filters."""
    op.create_table(
        "tickets_sla_policy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("first_response_minutes", sa.Integer(), nullable=True),
        sa.Column("resolution_minutes", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        *of_organization("tickets_sla_policy"),
        *timestamps(),
        sa.PrimaryKeyConstraint("id", name="pk_tickets_sla_policy"),
        unique("tickets_sla_policy", "priority"),
    )
    op.create_table(
        "tickets_template",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("category", sa.String(100), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("variables", sa.JSON(), nullable=False),
        sa.Column("usage_count", sa.Integer(), nullable=False),
        *of_organization("tickets_template"),
        *timestamps(),
        sa.PrimaryKeyConstraint("id", name="pk_tickets_template"),
        reference("tickets_template", "owner_id", "core_user"),
    )
    op.create_index("ix_tickets_template_title", "tickets_template", ["organization_id", "title", "id"])
    op.create_table(
        "tickets_filter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("filter_params", sa.JSON(), nullable=False),
        sa.Column("dialect", sa.String(20), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        *of_organization("tickets_filter"),
        *timestamps(),
        sa.PrimaryKeyConstraint("id", name="pk_tickets_filter"),
        reference("tickets_filter", "owner_id", "core_user"),
    )
    op.create_index("ix_tickets_filter_name", "tickets_filter", ["organization_id", "name", "id"])


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


def due_column(name: str, otherwise: str) -> Any:
    """Return a column that sorts tickets without a due date as if it were `otherwise`."""
    return sa.Column(
        name, UtcDateTime(), sa.Computed(f"coalesce(due_date, '{otherwise}')", persisted=True), nullable=False
    )


def unique(table: str, column: str) -> Any:
    """Return what makes a column unique within an organisation."""
    return sa.UniqueConstraint("organization_id", column, name=f"uq_{table}_organization_id_{column}")


def reference(table: str, column: str, target: str, *, ondelete: str | None = None) -> Any:
    """Return a foreign key that stays within an organisation."""
    return sa.ForeignKeyConstraint(
        ["organization_id", column],
        [f"{target}.organization_id", f"{target}.id"],
        name=f"fk_{table}_organization_id_{column}",
        ondelete=ondelete,
    )


def index_tickets(name: str, *columns: str, where: str = LIVE) -> None:
    """Index some tickets of an organisation."""
    op.create_index(
        f"ix_tickets_ticket_{name}",
        "tickets_ticket",
        ["organization_id", *columns],
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
