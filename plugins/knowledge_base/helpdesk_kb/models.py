"""Tables of articles, of what happens to them, and of categories."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from helpdesk_core.api import (
    BigKey,
    Ranked,
    TenantScoped,
    Timestamped,
    User,
    UtcDateTime,
    metadata,
    tenant_key,
    tenant_reference,
)

STATUSES = ("draft", "published", "archived")
TRANSLATION_STATUSES = ("draft", "published")
AUDIENCES = ("public", "customers", "internal")
"""Who an article is for, the widest circle first."""

LONGEST_QUERY = 200
"""Characters that are kept of what somebody searched for."""


class Base(DeclarativeBase):
    """Declarative base of this plugin: a registry of its own, the metadata of all."""

    metadata = metadata


def _to_one(columns: Callable[[], tuple[Any, Any]]) -> Any:
    """Relate by one column; the composite foreign key beside it keeps the organisation."""
    return relationship(
        primaryjoin=lambda: columns()[0] == columns()[1],
        foreign_keys=lambda: columns()[0],
        lazy="raise",
        viewonly=True,
    )


class Category(Base, TenantScoped, Timestamped):
    """A place for articles, inside another one or at the top."""

    __tablename__ = "kb_category"
    __table_args__ = (
        tenant_key(),
        tenant_reference("parent_id", "kb_category.id"),
        UniqueConstraint("organization_id", "slug"),
        Index("ix_kb_category_parent", "organization_id", "parent_id", "name_key"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None]
    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(Text)
    slug: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(Text, default="")


class CategoryPath(Base, TenantScoped):
    """That a category is inside another one, at whatever distance; each is inside itself, at 0."""

    __tablename__ = "kb_category_path"
    __table_args__ = (
        tenant_reference("ancestor_id", "kb_category.id", ondelete="CASCADE"),
        tenant_reference("category_id", "kb_category.id", ondelete="CASCADE"),
        Index("ix_kb_category_path_up", "organization_id", "category_id", "ancestor_id"),
    )

    ancestor_id: Mapped[int] = mapped_column(primary_key=True)
    category_id: Mapped[int] = mapped_column(primary_key=True)
    distance: Mapped[int]


class Article(Base, TenantScoped, Timestamped):
    """What somebody has written down for others.

    `views` and the two counts of votes are sums of what is in their tables, moved in the same transaction.
    """

    __tablename__ = "kb_article"
    __table_args__ = (
        tenant_key(),
        tenant_reference("category_id", "kb_category.id"),
        tenant_reference("author_id", "core_user.id"),
        UniqueConstraint("organization_id", "slug"),
        Index("ix_kb_article_newest", "organization_id", "updated_at", "id"),
        Index("ix_kb_article_shown", "organization_id", "status", "audience", "updated_at", "id"),
        Index("ix_kb_article_category", "organization_id", "category_id", "status", "audience"),
        Index("ix_kb_article_author", "organization_id", "author_id", "updated_at"),
        Index(
            "ix_kb_article_to_publish",
            "organization_id",
            "publish_at",
            sqlite_where=text("publish_at IS NOT NULL"),
            postgresql_where=text("publish_at IS NOT NULL"),
        ),
        Index(
            "ix_kb_article_to_review",
            "organization_id",
            "review_at",
            sqlite_where=text("review_at IS NOT NULL"),
            postgresql_where=text("review_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(255))
    slug: Mapped[str] = mapped_column(String(100))
    language: Mapped[str] = mapped_column(String(10), server_default="en")
    """That title and content are written in; what stands in others is in `ArticleTranslation`."""
    content: Mapped[str] = mapped_column(Text, default="")
    category_id: Mapped[int | None]
    author_id: Mapped[int]
    status: Mapped[str] = mapped_column(Ranked(*STATUSES), default="draft")
    audience: Mapped[str] = mapped_column(Ranked(*AUDIENCES))
    version: Mapped[int] = mapped_column(default=1)
    """Number of its newest version."""
    views: Mapped[int] = mapped_column(default=0)
    helpful_votes: Mapped[int] = mapped_column(default=0)
    not_helpful_votes: Mapped[int] = mapped_column(default=0)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was published first; it stays when the article is taken back."""
    publish_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    review_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reminded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When its author was told that it is to be looked at again; nothing as long as they were not."""

    category: Mapped[Category | None] = _to_one(lambda: (Article.category_id, Category.id))
    author: Mapped[User] = _to_one(lambda: (Article.author_id, User.id))


class ArticleTranslation(Base, TenantScoped, Timestamped):
    """Title and content of an article in another language than its own.

    The article says who may read it; a translation only whether it is ready to be read.
    """

    __tablename__ = "kb_translation"
    __table_args__ = (
        tenant_reference("article_id", "kb_article.id", ondelete="CASCADE"),
        tenant_reference("author_id", "core_user.id"),
        UniqueConstraint("organization_id", "article_id", "language"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    article_id: Mapped[int]
    language: Mapped[str] = mapped_column(String(10))
    title: Mapped[str] = mapped_column(String(255))
    slug: Mapped[str] = mapped_column(String(100))
    content: Mapped[str] = mapped_column(Text, default="")
    author_id: Mapped[int]
    status: Mapped[str] = mapped_column(Ranked(*TRANSLATION_STATUSES), default="draft")
    version: Mapped[int] = mapped_column(default=1)
    """Number of its own newest version."""
    source_version: Mapped[int]
    """Number of the version of the article that it says the same as."""
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was published first; it stays when it is taken back."""

    author: Mapped[User] = _to_one(lambda: (ArticleTranslation.author_id, User.id))


class ArticleSlug(Base, TenantScoped):
    """A name in addresses that an article has or had: links to old ones lead to the present one."""

    __tablename__ = "kb_slug"
    __table_args__ = (
        UniqueConstraint("organization_id", "slug"),
        tenant_reference("article_id", "kb_article.id", ondelete="CASCADE"),
        Index("ix_kb_slug_article", "organization_id", "article_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(100))
    article_id: Mapped[int]
    language: Mapped[str] = mapped_column(String(10), default="", server_default="")
    """Of the translation that is or was called so; empty for the article itself."""


class ArticleTag(Base, TenantScoped):
    """A word that an article is marked with; the same without case."""

    __tablename__ = "kb_article_tag"
    __table_args__ = (
        tenant_reference("article_id", "kb_article.id", ondelete="CASCADE"),
        Index("ix_kb_article_tag_key", "organization_id", "key", "article_id"),
    )

    article_id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(String(50))
    position: Mapped[int]


class ArticleVersion(Base, TenantScoped):
    """Title and content of an article, or of a translation of it, as somebody saved them."""

    __tablename__ = "kb_version"
    __table_args__ = (
        tenant_reference("article_id", "kb_article.id", ondelete="CASCADE"),
        tenant_reference("editor_id", "core_user.id"),
        UniqueConstraint("organization_id", "article_id", "language", "number"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    article_id: Mapped[int]
    language: Mapped[str] = mapped_column(String(10), default="", server_default="")
    """Of the translation; empty for the article itself, whose language can be corrected."""
    number: Mapped[int]
    title: Mapped[str] = mapped_column(String(255))
    content: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(String(255), default="")
    editor_id: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    editor: Mapped[User] = _to_one(lambda: (ArticleVersion.editor_id, User.id))


class ArticleVote(Base, TenantScoped, Timestamped):
    """Whether an article has helped somebody."""

    __tablename__ = "kb_vote"
    __table_args__ = (
        tenant_reference("article_id", "kb_article.id", ondelete="CASCADE"),
        tenant_reference("user_id", "core_user.id"),
    )

    article_id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(primary_key=True)
    helpful: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text, default="")


class ArticleView(Base, TenantScoped):
    """That somebody has read an article on a day; kept for as long as it takes to count them once."""

    __tablename__ = "kb_view"
    __table_args__ = (
        tenant_reference("article_id", "kb_article.id", ondelete="CASCADE"),
        Index("ix_kb_view_day", "organization_id", "day"),
    )

    article_id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    visitor: Mapped[str] = mapped_column(String(40), primary_key=True)


class SearchMiss(Base, TenantScoped):
    """What people searched for without finding anything, and how often."""

    __tablename__ = "kb_search_miss"
    __table_args__ = (
        UniqueConstraint("organization_id", "query"),
        Index("ix_kb_search_miss_last", "organization_id", "last_searched_at", "id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    query: Mapped[str] = mapped_column(String(LONGEST_QUERY))
    times: Mapped[int]
    last_searched_at: Mapped[datetime] = mapped_column(UtcDateTime)
