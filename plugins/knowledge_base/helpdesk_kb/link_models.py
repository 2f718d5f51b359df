"""The table of links between articles and tickets."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk_core.api import BigKey, Ranked, TenantScoped, User, UtcDateTime, tenant_reference
from helpdesk_kb.models import Article, Base

KINDS = ("suggested", "sent", "solved", "source")
"""Why an article is linked to a ticket: it may help, was sent to the requester, solved it, was written from it."""


class ArticleLink(Base, TenantScoped):
    """That an article and a ticket belong together, one for each kind.

    The ticket has no foreign key, because it is another plugin's, which may not be installed: links to tickets that
    are gone for good are removed every night.
    """

    __tablename__ = "kb_article_link"
    __table_args__ = (
        tenant_reference("article_id", "kb_article.id", ondelete="CASCADE"),
        tenant_reference("user_id", "core_user.id"),
        UniqueConstraint("organization_id", "article_id", "kind", "ticket_id"),
        Index("ix_kb_article_link_newest", "organization_id", "article_id", "id"),
        Index("ix_kb_article_link_ticket", "organization_id", "ticket_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    article_id: Mapped[int]
    ticket_id: Mapped[int] = mapped_column(BigKey)
    kind: Mapped[str] = mapped_column(Ranked(*KINDS))
    user_id: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    article: Mapped[Article] = relationship(
        primaryjoin=lambda: ArticleLink.article_id == Article.id,
        foreign_keys=lambda: ArticleLink.article_id,
        lazy="raise",
        viewonly=True,
    )
    user: Mapped[User] = relationship(
        primaryjoin=lambda: ArticleLink.user_id == User.id,
        foreign_keys=lambda: ArticleLink.user_id,
        lazy="raise",
        viewonly=True,
    )
