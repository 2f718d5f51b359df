"""Keeping the full-text index as the articles are."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from helpdesk_kb.markdown import render
from helpdesk_kb.models import Article
from helpdesk_kb.search import kb_search


def index_article(session: Session, article: Article, tags: Sequence[str], *, is_new: bool = False) -> None:
    """Index an article as it is now."""
    texts = {"title": article.title, "tags": " ".join(tags), "content": render(article.content).text}
    kb_search.put(session, article.id, texts, is_new=is_new)
