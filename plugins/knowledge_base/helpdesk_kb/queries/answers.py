"""Finding the articles that answer a question, the best first, with the passage that does."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import and_, bindparam, exists, select
from sqlalchemy.orm import Session

from helpdesk_core.api import Among, Prepared, Viewer
from helpdesk_kb.markdown import render
from helpdesk_kb.models import Article, ArticleTag, Category, CategoryPath
from helpdesk_kb.queries.instants import instant_of
from helpdesk_kb.queries.visibility import published_for, visible_articles
from helpdesk_kb.schemas.articles import ArticleHit
from helpdesk_kb.schemas.categories import CategorySummary
from helpdesk_kb.search import FIELDS, WEIGHTS, kb_search
from helpdesk_kb.words import MOST_WORDS, corrected, passage, plain_words, telling_words

VOCABULARY = 2_000
"""Titles whose words a misspelt one is compared with."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What was found.

    Attributes:
        hits: the best first.
        corrected: what was searched for instead of what was asked, if nothing was found for that.
    """

    hits: list[ArticleHit]
    corrected: str | None = None


@dataclass(frozen=True, slots=True)
class Where:
    """Which articles are looked at, of those that somebody may see.

    Attributes:
        published: leave out what those who edit see besides.
        category: in it and below it only.
        without: leave out this article.
    """

    published: bool = False
    category: int | None = None
    without: int = 0


EVERYWHERE = Where()


def search(session: Session, viewer: Viewer, question: str, *, limit: int, where: Where = EVERYWHERE) -> Answers:
    """Return what answers a question: articles with all of its words, else some, else with words spelt alike."""
    words = telling_words(question) or plain_words(question)
    hits = _hits(session, viewer, words, limit, where)
    if hits:
        return Answers(hits)
    instead = corrected(words, _vocabulary(session, viewer))
    if instead is None:
        return Answers([])
    return Answers(_hits(session, viewer, instead, limit, where), " ".join(instead))


def suggest(session: Session, viewer: Viewer, title: str, content: str, *, limit: int) -> list[ArticleHit]:
    """Return published articles that may answer what somebody is about to ask, the best first."""
    words = telling_words(title, content)[:MOST_WORDS]
    keys = _ranked(session, viewer, words, limit, Where(published=True), some=True)
    return _shown(session, keys, words)


def related(session: Session, viewer: Viewer, article_id: int, *, limit: int) -> list[ArticleHit]:
    """Return published articles about the same: with the same tags and the words of the title."""
    title, tags = _subject(session, article_id)
    words = telling_words(" ".join(tags), title)[:MOST_WORDS]
    keys = _ranked(session, viewer, words, limit, Where(published=True, without=article_id), some=True)
    return _shown(session, keys, words)


def _hits(session: Session, viewer: Viewer, words: Sequence[str], limit: int, where: Where) -> list[ArticleHit]:
    """Return the articles with all words first, then those with some, as far as there is room."""
    keys = _ranked(session, viewer, words, limit, where, prefix=True)
    if len(keys) < limit and len(words) > 1:
        more = _ranked(session, viewer, words, limit, where, some=True, prefix=True)
        keys = list(dict.fromkeys([*keys, *more]))[:limit]
    return _shown(session, keys, words)


def _ranked(
    session: Session,
    viewer: Viewer,
    words: Sequence[str],
    limit: int,
    where: Where,
    *,
    some: bool = False,
    prefix: bool = False,
) -> list[int]:
    """Return the keys of hits that `viewer` may see, the best first.

    Args:
        session: of the organisation.
        viewer: for whom.
        words: what is searched for.
        limit: how many at most.
        where: which articles are looked at.
        some: one of the words is enough.
        prefix: the last word may be the beginning of one: somebody is still typing.
    """
    kind = str(session.info["database"])
    query = " ".join(words[:MOST_WORDS]) + ("*" if prefix and words and len(words[-1]) > 2 else "")
    match = kb_search.expression(kind, query, FIELDS, viewer.actor.organization_id, some=some)
    if match is None:
        return []
    variant = published_for(viewer.actor) if where.published else visible_articles.variant(viewer.actor)
    parameters = {"match": match, "organization_id": viewer.actor.organization_id, "limit": limit}
    within = {} if where.category is None else {"category": where.category}
    statement = _statement(variant, within=bool(within))
    return [row[0] for row in statement.rows(session, {**parameters, **within, "without": where.without})]


@cache
def _statement(variant: str, *, within: bool) -> Prepared:
    """Return the search for a variant of the visibility."""
    conditions: list[Any] = [
        Article.organization_id == bindparam("organization_id"),
        Article.id != bindparam("without"),
    ]
    allowed = visible_articles.criterion(variant)
    if allowed is not None:
        conditions.append(allowed)
    if within:
        conditions.append(
            exists().where(
                CategoryPath.category_id == Article.category_id,
                CategoryPath.organization_id == Article.organization_id,
                CategoryPath.ancestor_id == bindparam("category"),
            )
        )

    def build(kind: str) -> Any:
        hits = kb_search.join(select(Article.id), Article.id, kind).where(*conditions)
        return hits.order_by(kb_search.best_first(kind, WEIGHTS), Article.id).limit(bindparam("limit"))

    return Prepared(build)


_SHOWN = Among(
    select(
        Article.id,
        Article.title,
        Article.slug,
        Article.content,
        Article.views,
        Article.helpful_votes,
        Article.updated_at,
        Category.id,
        Category.name,
        Category.description,
    )
    .select_from(Article)
    .outerjoin(Category, and_(Category.id == Article.category_id, Category.organization_id == Article.organization_id))
    .where(Article.organization_id == bindparam("organization_id")),
    Article.id,
)


def _shown(session: Session, keys: Sequence[int], words: Sequence[str]) -> list[ArticleHit]:
    found = {row[0]: _hit(row, words) for row in _SHOWN.rows(session, keys)}
    return [found[key] for key in keys if key in found]


def _hit(row: tuple[Any, ...], words: Sequence[str]) -> ArticleHit:
    key, title, slug, content, views, helpful, updated_at, category, name, description = row
    placed = None if category is None else CategorySummary(id=category, name=name, description=description)
    return ArticleHit.model_construct(
        id=key,
        title=title,
        slug=slug,
        category=placed,
        snippet=passage(render(content).text, words).html,
        views=views,
        helpful_votes=helpful,
        updated_at=instant_of(updated_at),
    )


def _subject(session: Session, article_id: int) -> tuple[str, list[str]]:
    title = session.scalars(select(Article.title).where(Article.id == article_id)).one()
    tagged = select(ArticleTag.name).where(ArticleTag.article_id == article_id).order_by(ArticleTag.position)
    return title, list(session.scalars(tagged))


def _vocabulary(session: Session, viewer: Viewer) -> Collection[str]:
    """Return the words of titles and tags that `viewer` may see; a correction tells of no other."""
    rows = _titles(visible_articles.variant(viewer.actor)).rows(session, {"limit": VOCABULARY})
    return {word for row in rows for word in plain_words(f"{row[0]} {row[1] or ''}")}


@cache
def _titles(variant: str) -> Prepared:
    allowed = visible_articles.criterion(variant)
    titles = (
        select(Article.title, ArticleTag.name)
        .select_from(Article)
        .outerjoin(
            ArticleTag,
            and_(ArticleTag.article_id == Article.id, ArticleTag.organization_id == Article.organization_id),
        )
        .where(Article.organization_id == bindparam("organization_id"), *(() if allowed is None else (allowed,)))
    )
    return Prepared(titles.order_by(Article.views.desc(), Article.id).limit(bindparam("limit")))
