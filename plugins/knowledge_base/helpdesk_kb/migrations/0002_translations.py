"""Give articles a language, and let them be translated."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from helpdesk_core.api import BigKey, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
accepted = {
    "builds-key": "released before this was looked at, with tables that were small",
    "fills-under-lock": "released before this was looked at, with tables that were small",
}

CHOSEN = {
    "sqlite": "json_extract(core_organization.settings, '$.language')",
    "postgresql": "core_organization.settings ->> 'language'",
}
"""What an organisation has set as its language; settings were free once, and anything may stand there."""
KEY = {"sqlite": "rowid", "postgresql": "key"}
UNIQUE = "uq_kb_version_organization_id_article_id"


def upgrade() -> None:
    """Apply. Articles that there are are in the language of their organisation."""
    op.add_column("kb_article", sa.Column("language", sa.String(10), nullable=False, server_default="en"))
    chosen = CHOSEN[op.get_context().dialect.name]
    op.execute(
        f"UPDATE kb_article SET language = (SELECT {chosen} FROM core_organization"  # noqa: S608 - ours
        " WHERE core_organization.id = kb_article.organization_id) WHERE organization_id IN"
        f" (SELECT id FROM core_organization WHERE {chosen} LIKE '__' OR {chosen} LIKE '__-__')"
    )
    op.add_column("kb_slug", sa.Column("language", sa.String(10), nullable=False, server_default=""))
    with op.batch_alter_table("kb_version", copy_from=versions()) as table:
        table.add_column(sa.Column("language", sa.String(10), nullable=False, server_default=""))
        table.drop_constraint(f"{UNIQUE}_number", type_="unique")
        columns = ["organization_id", "article_id", "language", "number"]
        table.create_unique_constraint(f"{UNIQUE}_language_number", columns)
    create_translations()


def downgrade() -> None:
    """Undo. Translations are lost, with their versions and addresses."""
    op.execute(f"DELETE FROM kb_search WHERE {KEY[op.get_context().dialect.name]} < 0")  # noqa: S608 - ours
    op.execute("DELETE FROM kb_version WHERE language <> ''")
    op.execute("DELETE FROM kb_slug WHERE language <> ''")
    op.drop_table("kb_translation")
    with op.batch_alter_table("kb_version", copy_from=versions("language")) as table:
        table.drop_constraint(f"{UNIQUE}_language_number", type_="unique")
        table.drop_column("language")
        table.create_unique_constraint(f"{UNIQUE}_number", ["organization_id", "article_id", "number"])
    op.drop_column("kb_slug", "language")
    op.drop_column("kb_article", "language")


def create_translations() -> None:
    """Create translations."""
    op.create_table(
        "kb_translation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(10), nullable=False),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("slug", sa.String(100), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source_version", sa.Integer(), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=True),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_kb_translation"),
        sa.UniqueConstraint(
            "organization_id",
            "article_id",
            "language",
            name="uq_kb_translation_organization_id_article_id_language",
        ),
        *references("kb_translation", "author_id"),
    )


def versions(*languages: str) -> sa.Table:
    """Return the table of versions as it is before; with `language` as it is afterwards.

    SQLite rebuilds a table to change what is unique in it, and cannot be asked what it looks like while SQL is printed.
    """
    return sa.Table(
        "kb_version",
        sa.MetaData(),
        sa.Column("id", BigKey, nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("note", sa.String(255), nullable=False),
        sa.Column("editor_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.String(10), nullable=False, server_default="") for name in languages),
        sa.PrimaryKeyConstraint("id", name="pk_kb_version"),
        sa.UniqueConstraint(
            "organization_id",
            "article_id",
            *languages,
            "number",
            name="_".join([UNIQUE, *languages, "number"]),
        ),
        *references("kb_version", "editor_id"),
    )


def references(table: str, person: str) -> tuple[Any, ...]:
    """Return the foreign keys of what belongs to an article and was written by somebody."""
    return (
        sa.ForeignKeyConstraint(["organization_id"], ["core_organization.id"], name=f"fk_{table}_organization_id"),
        sa.ForeignKeyConstraint(
            ["organization_id", "article_id"],
            ["kb_article.organization_id", "kb_article.id"],
            name=f"fk_{table}_organization_id_article_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", person],
            ["core_user.organization_id", "core_user.id"],
            name=f"fk_{table}_organization_id_{person}",
        ),
    )
