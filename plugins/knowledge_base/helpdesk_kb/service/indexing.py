"""Keeping the full-text index as the articles are.

Translations are in the index of the articles, so that the same words count as much in both; their keys are below zero.
"""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from helpdesk_kb.markdown import render
from helpdesk_kb.models import Article, ArticleTranslation
from helpdesk_kb.search import kb_search


def index_article(session: Session, article: Article, tags: Sequence[str], *, is_new: bool = False) -> None:
    """Index an article as it is now."""
    texts = {"title": article.title, "tags": " ".join(tags), "content": render(article.content).text}
    kb_search.put(session, article.id, texts, is_new=is_new)


def index_translation(session: Session, translation: ArticleTranslation, *, is_new: bool = False) -> None:
    """Index a translation as it is now; by tags the article itself is found."""
    texts = {"title": translation.title, "content": render(translation.content).text}
    kb_search.put(session, -translation.id, texts, is_new=is_new)


def forget_translation(session: Session, translation_id: int) -> None:
    """Take a translation out of the index."""
    kb_search.remove(session, -translation_id)
