"""The statements behind searches: articles and their translations in one ranking, each article once."""

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, literal_column, select, union_all

from helpdesk_core.api import Prepared
from helpdesk_kb.models import Article, ArticleTag, ArticleTranslation, CategoryPath
from helpdesk_kb.queries.visibility import visible_articles
from helpdesk_kb.search import WEIGHTS, kb_search

RANKED_TRANSLATIONS = 1_000
"""Hits in translations that are ranked, the best; an article may be among them once for each language."""

Conditions = list[ColumnElement[bool]]


@cache
def ranking(variant: str, *, within: bool, drafts: bool) -> Prepared:
    """Return the search for a variant of the visibility.

    Its rows are the keys of an article and of the translation that was found, 0 if that is the article itself.

    Args:
        variant: of the visibility of articles.
        within: only in `:category` and below it.
        drafts: also translations that are not published.
    """
    conditions = [*_visible(variant), Article.id != bindparam("without")]
    if within:
        conditions.append(
            exists().where(
                CategoryPath.category_id == Article.category_id,
                CategoryPath.organization_id == Article.organization_id,
                CategoryPath.ancestor_id == bindparam("category"),
            )
        )

    def build(kind: str) -> Any:
        found = union_all(_originals(kind, conditions), _translations(kind, conditions, drafts=drafts)).subquery()
        order = found.c.score.asc() if kind == "sqlite" else found.c.score.desc()
        place = func.row_number().over(partition_by=found.c.article, order_by=(order, found.c.translation))
        placed = select(found, place.label("place")).subquery()
        best = placed.c.score.asc() if kind == "sqlite" else placed.c.score.desc()
        once = select(placed.c.article, placed.c.translation).where(placed.c.place == 1)
        return once.order_by(best, placed.c.article).limit(bindparam("limit"))

    return Prepared(build)


@cache
def titles(variant: str) -> Prepared:
    """Return the titles and tags of the `:limit` articles that are read most, for a variant of the visibility."""
    tags = and_(ArticleTag.article_id == Article.id, ArticleTag.organization_id == Article.organization_id)
    found = select(Article.title, ArticleTag.name).select_from(Article).outerjoin(ArticleTag, tags)
    return Prepared(_most_read(found.where(*_visible(variant))))


@cache
def translated_titles(variant: str, *, drafts: bool) -> Prepared:
    """Return the titles of the translations of articles, of those that are read most first."""
    found = select(ArticleTranslation.title).select_from(ArticleTranslation).join(Article, _translated())
    return Prepared(_most_read(found.where(*_visible(variant), *_ready(drafts=drafts))))


def _originals(kind: str, conditions: Conditions) -> Any:
    best = _score(kind)
    columns: Any = (Article.id.label("article"), literal_column("0").label("translation"), best.element.label("score"))
    hits = kb_search.join(select(*columns), Article.id, kind).where(*conditions)
    return select(hits.order_by(best, Article.id).limit(bindparam("limit")).subquery())


def _translations(kind: str, conditions: Conditions, *, drafts: bool) -> Any:
    """Return the hits in translations, whose keys in the index are below zero."""
    best, key = _score(kind), ArticleTranslation.id
    columns: Any = (Article.id.label("article"), key.label("translation"), best.element.label("score"))
    translated = select(*columns).select_from(ArticleTranslation).join(Article, _translated())
    # Twice the same, the second time so that a hit leads to its translation by the key of that.
    hits = kb_search.join(translated, -key, kind).where(key == -kb_search.key(kind), *conditions)
    ranked = hits.where(*_ready(drafts=drafts)).order_by(best, key).limit(RANKED_TRANSLATIONS)
    return select(ranked.subquery())


def _score(kind: str) -> Any:
    return kb_search.best_first(kind, WEIGHTS)


def _visible(variant: str) -> Conditions:
    allowed = visible_articles.criterion(variant)
    mine = Article.organization_id == bindparam("organization_id")
    return [mine] if allowed is None else [mine, allowed]


def _translated() -> ColumnElement[bool]:
    return and_(
        ArticleTranslation.article_id == Article.id,
        ArticleTranslation.organization_id == Article.organization_id,
    )


def _ready(*, drafts: bool) -> Conditions:
    return [] if drafts else [ArticleTranslation.status == "published"]


def _most_read(statement: Any) -> Any:
    return statement.order_by(Article.views.desc(), Article.id).limit(bindparam("limit"))
