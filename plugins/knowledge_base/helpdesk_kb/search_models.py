"""Tables of what is searched for, and of what is opened then. Nobody can tell from them who it was."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk_core.api import BigKey, TenantScoped, UtcDateTime, tenant_key, tenant_reference
from helpdesk_kb.models import LONGEST_QUERY, Base


class Search(Base, TenantScoped):
    """A search for answers: its words, and how many articles it found."""

    __tablename__ = "kb_search_log"
    __table_args__ = (
        tenant_key(),
        Index("ix_kb_search_log_newest", "organization_id", "created_at", "id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    query: Mapped[str] = mapped_column(String(LONGEST_QUERY))
    results: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SearchClick(Base, TenantScoped):
    """That an article was opened from what a search had found."""

    __tablename__ = "kb_search_click"
    __table_args__ = (
        tenant_reference("search_id", "kb_search_log.id", ondelete="CASCADE"),
        tenant_reference("article_id", "kb_article.id", ondelete="CASCADE"),
        Index("ix_kb_search_click_article", "organization_id", "article_id"),
    )

    search_id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    article_id: Mapped[int] = mapped_column(primary_key=True)
