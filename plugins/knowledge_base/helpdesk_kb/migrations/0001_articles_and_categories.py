"""Create articles, categories, what happens to articles, and their full-text index."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from helpdesk_core.api import BigKey, SearchIndex, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SEARCH = SearchIndex("kb_search", "title", "tags", "content")


def upgrade() -> None:
    """Apply."""
    create_categories()
    create_articles()
    create_names_and_tags()
    create_versions()
    create_readers()
    SEARCH.create(op)


def downgrade() -> None:
    """Undo."""
    SEARCH.drop(op)
    names = ("search_miss", "view", "vote", "version", "article_tag", "slug", "article", "category_path", "category")
    for name in names:
        op.drop_table(f"kb_{name}")


def create_categories() -> None:
    """Create categories and their tree."""
    op.create_table(
        "kb_category",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("slug", sa.String(100), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        *of_organization("kb_category"),
        *timestamps(),
        sa.PrimaryKeyConstraint("id", name="pk_kb_category"),
        unique("kb_category", "id"),
        unique("kb_category", "slug"),
        reference("kb_category", "parent_id", "kb_category"),
    )
    op.create_index("ix_kb_category_parent", "kb_category", ["organization_id", "parent_id", "name_key"])
    op.create_table(
        "kb_category_path",
        sa.Column("ancestor_id", sa.Integer(), nullable=False),
        sa.Column("category_id", sa.Integer(), nullable=False),
        sa.Column("distance", sa.Integer(), nullable=False),
        *of_organization("kb_category_path"),
        sa.PrimaryKeyConstraint("ancestor_id", "category_id", name="pk_kb_category_path"),
        reference("kb_category_path", "ancestor_id", "kb_category", ondelete="CASCADE"),
        reference("kb_category_path", "category_id", "kb_category", ondelete="CASCADE"),
    )
    op.create_index("ix_kb_category_path_up", "kb_category_path", ["organization_id", "category_id", "ancestor_id"])


def create_articles() -> None:
    """Create articles."""
    op.create_table(
        "kb_article",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("slug", sa.String(100), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("category_id", sa.Integer(), nullable=True),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("audience", sa.SmallInteger(), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("version", "views", "helpful_votes", "not_helpful_votes")
        ),
        *(sa.Column(f"{name}_at", UtcDateTime()) for name in ("published", "publish", "review", "reminded")),
        *of_organization("kb_article"),
        *timestamps(),
        sa.PrimaryKeyConstraint("id", name="pk_kb_article"),
        unique("kb_article", "id"),
        unique("kb_article", "slug"),
        reference("kb_article", "category_id", "kb_category"),
        reference("kb_article", "author_id", "core_user"),
    )
    index_articles("newest", "updated_at", "id")
    index_articles("shown", "status", "audience", "updated_at", "id")
    index_articles("category", "category_id", "status", "audience")
    index_articles("author", "author_id", "updated_at")
    index_articles("to_publish", "publish_at", where="publish_at IS NOT NULL")
    index_articles("to_review", "review_at", where="review_at IS NOT NULL")


def create_names_and_tags() -> None:
    """Create names in addresses, and tags."""
    op.create_table(
        "kb_slug",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(100), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        *of_organization("kb_slug"),
        sa.PrimaryKeyConstraint("id", name="pk_kb_slug"),
        unique("kb_slug", "slug"),
        reference("kb_slug", "article_id", "kb_article", ondelete="CASCADE"),
    )
    op.create_index("ix_kb_slug_article", "kb_slug", ["organization_id", "article_id"])
    op.create_table(
        "kb_article_tag",
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        *of_organization("kb_article_tag"),
        sa.PrimaryKeyConstraint("article_id", "key", name="pk_kb_article_tag"),
        reference("kb_article_tag", "article_id", "kb_article", ondelete="CASCADE"),
    )
    op.create_index("ix_kb_article_tag_key", "kb_article_tag", ["organization_id", "key", "article_id"])


def create_versions() -> None:
    """Create versions."""
    op.create_table(
        "kb_version",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("note", sa.String(255), nullable=False),
        sa.Column("editor_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        *of_organization("kb_version"),
        sa.PrimaryKeyConstraint("id", name="pk_kb_version"),
        sa.UniqueConstraint(
            "organization_id", "article_id", "number", name="uq_kb_version_organization_id_article_id_number"
        ),
        reference("kb_version", "article_id", "kb_article", ondelete="CASCADE"),
        reference("kb_version", "editor_id", "core_user"),
    )


def create_readers() -> None:
    """Create votes, views and searches in vain."""
    op.create_table(
        "kb_vote",
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("helpful", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        *of_organization("kb_vote"),
        *timestamps(),
        sa.PrimaryKeyConstraint("article_id", "user_id", name="pk_kb_vote"),
        reference("kb_vote", "article_id", "kb_article", ondelete="CASCADE"),
        reference("kb_vote", "user_id", "core_user"),
    )
    op.create_table(
        "kb_view",
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("visitor", sa.String(40), nullable=False),
        *of_organization("kb_view"),
        sa.PrimaryKeyConstraint("article_id", "day", "visitor", name="pk_kb_view"),
        reference("kb_view", "article_id", "kb_article", ondelete="CASCADE"),
    )
    op.create_index("ix_kb_view_day", "kb_view", ["organization_id", "day"])
    op.create_table(
        "kb_search_miss",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("query", sa.String(200), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("last_searched_at", UtcDateTime(), nullable=False),
        *of_organization("kb_search_miss"),
        sa.PrimaryKeyConstraint("id", name="pk_kb_search_miss"),
        unique("kb_search_miss", "query"),
    )
    op.create_index("ix_kb_search_miss_last", "kb_search_miss", ["organization_id", "last_searched_at", "id"])


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


def index_articles(name: str, *columns: str, where: str | None = None) -> None:
    """Index articles of an organisation."""
    condition = sa.text(where) if where else None
    op.create_index(
        f"ix_kb_article_{name}",
        "kb_article",
        ["organization_id", *columns],
        sqlite_where=condition,
        postgresql_where=condition,
    )
