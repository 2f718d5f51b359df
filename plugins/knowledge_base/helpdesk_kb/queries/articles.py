"""What can be read of articles."""

from typing import Any

from sqlalchemy.orm import Session

from helpdesk_core.api import (
    Column,
    Computed,
    FullText,
    Invalid,
    Many,
    NotFound,
    One,
    Person,
    ReadModel,
    Viewer,
    equals,
    through,
)
from helpdesk_kb.markdown import render
from helpdesk_kb.models import Article, ArticleTag, ArticleTranslation, CategoryPath
from helpdesk_kb.queries.solved import solved_tickets
from helpdesk_kb.queries.translations import visible_translations
from helpdesk_kb.queries.visibility import visible_articles
from helpdesk_kb.schemas.articles import ArticleExtras, ArticleRead
from helpdesk_kb.schemas.categories import CategorySummary
from helpdesk_kb.search import FIELDS, kb_search


def _html(_: Viewer, content: str) -> str:
    return render(content).html


# Reading and voting change no article: who edits one need not read it again because somebody else has read it.
VOLATILE = {
    name: Column(getattr(Article, name), volatile=True) for name in ("views", "helpful_votes", "not_helpful_votes")
}

articles = ReadModel(
    Article,
    schema=ArticleRead,
    optional=ArticleExtras,
    fields={
        "category": One(Article.category, CategorySummary),
        "author": One(Article.author, Person),
        "tags": Many(ArticleTag.article_id, ArticleTag.name, order=(ArticleTag.position,)),
        "html": Computed(_html, Article.content),
        "languages": Many(
            ArticleTranslation.article_id,
            ArticleTranslation.language,
            order=(ArticleTranslation.language,),
            visibility=visible_translations,
        ),
        **VOLATILE,
        "solved_tickets": solved_tickets(),
    },
    filters={
        "category": equals(Article.category_id),
        "category_tree": through(CategoryPath.ancestor_id, key=CategoryPath.category_id, target=Article.category_id),
        "tag": through(ArticleTag.key, key=ArticleTag.article_id, target=Article.id),
        "status": equals(Article.status),
        "audience": equals(Article.audience),
        "author": equals(Article.author_id),
    },
    ordering={
        "updated_at": Article.updated_at,
        "created_at": Article.created_at,
        "published_at": Article.published_at,
        "title": Article.title,
        "views": Article.views,
        "helpful_votes": Article.helpful_votes,
        "status": Article.status,
    },
    default_order="-updated_at",
    search=FullText(kb_search, lambda _: FIELDS),
    visible=visible_articles,
)


def find_article(session: Session, viewer: Viewer, article_id: int) -> int:
    """Return the key of an article that `viewer` may see; else raise `NotFound`."""
    return articles.find_one(session, viewer, Article.id, article_id)


def article_shown(session: Session, viewer: Viewer, article_id: int) -> dict[str, Any]:
    """Return an article that `viewer` may see as the API shows it; else raise `NotFound`."""
    return articles.load_one(session, viewer, find_article(session, viewer, article_id)).data


def named_article(session: Session, viewer: Viewer, article_id: int) -> int:
    """Return the key of the article that a body names.

    Raises:
        Invalid: there is none that `viewer` may see.
    """
    try:
        return find_article(session, viewer, article_id)
    except NotFound:
        raise Invalid.field("article", "There is no such article.") from None
