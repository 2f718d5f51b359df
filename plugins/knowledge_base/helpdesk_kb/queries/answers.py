"""Finding the articles that answer a question, the best first, with the passage that does."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import Session

from helpdesk_core.api import Among, Viewer
from helpdesk_kb.markdown import render
from helpdesk_kb.models import Article, ArticleTag, Category
from helpdesk_kb.queries.instants import instant_of
from helpdesk_kb.queries.languages import translated_texts
from helpdesk_kb.queries.ranking import ranking, titles, translated_titles
from helpdesk_kb.queries.visibility import published_for, visible_articles
from helpdesk_kb.schemas.articles import ArticleHit
from helpdesk_kb.schemas.categories import CategorySummary
from helpdesk_kb.search import FIELDS, kb_search
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

Hit = tuple[int, int]
"""The keys of an article and of the translation in which it was found; 0 if that is the article itself."""


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
    hits = _ranked(session, viewer, words, limit, Where(published=True), some=True)
    return _shown(session, hits, words)


def related(session: Session, viewer: Viewer, article_id: int, *, limit: int) -> list[ArticleHit]:
    """Return published articles about the same, in their own language: with its tags and the words of its title."""
    title, tags = _subject(session, article_id)
    words = telling_words(" ".join(tags), title)[:MOST_WORDS]
    hits = _ranked(session, viewer, words, limit, Where(published=True, without=article_id), some=True)
    return _shown(session, [(article, 0) for article, _ in hits], words)


def _hits(session: Session, viewer: Viewer, words: Sequence[str], limit: int, where: Where) -> list[ArticleHit]:
    """Return the articles with all words first, then those with some, as far as there is room."""
    hits = _ranked(session, viewer, words, limit, where, prefix=True)
    if len(hits) < limit and len(words) > 1:
        more = _ranked(session, viewer, words, limit, where, some=True, prefix=True)
        known = {article for article, _ in hits}
        hits += [hit for hit in more if hit[0] not in known][: limit - len(hits)]
    return _shown(session, hits, words)


def _ranked(
    session: Session,
    viewer: Viewer,
    words: Sequence[str],
    limit: int,
    where: Where,
    *,
    some: bool = False,
    prefix: bool = False,
) -> list[Hit]:
    """Return the hits that `viewer` may see, the best first, each article once: in the language that fits best.

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
    statement = ranking(variant, within=bool(within), drafts=variant == "all")
    rows = statement.rows(session, {**parameters, **within, "without": where.without})
    return [(article, translation) for article, translation in rows]


_SHOWN = Among(
    select(
        Article.id,
        Article.title,
        Article.slug,
        Article.language,
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


def _shown(session: Session, hits: Sequence[Hit], words: Sequence[str]) -> list[ArticleHit]:
    rows = {row[0]: row for row in _SHOWN.rows(session, [article for article, _ in hits])}
    texts = translated_texts(session, [translation for _, translation in hits if translation])
    found = [(rows[article], texts.get(translation)) for article, translation in hits if article in rows]
    return [_hit(row, text or row[1:5], words) for row, text in found]


def _hit(row: tuple[Any, ...], text: tuple[Any, ...], words: Sequence[str]) -> ArticleHit:
    key, views, helpful, updated_at, category, name, description = row[0], *row[5:]
    title, slug, language, content = text
    placed = None if category is None else CategorySummary(id=category, name=name, description=description)
    return ArticleHit.model_construct(
        id=key,
        title=title,
        slug=slug,
        language=language,
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
    variant = visible_articles.variant(viewer.actor)
    rows = titles(variant).rows(session, {"limit": VOCABULARY})
    rows += translated_titles(variant, drafts=variant == "all").rows(session, {"limit": VOCABULARY})
    return {word for row in rows for text in row for word in plain_words(text or "")}
