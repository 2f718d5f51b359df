"""The addresses of all articles, for search engines."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import and_, bindparam, select

from helpdesk_core.api import Prepared, api_time
from helpdesk_kb.addresses import alternates, lasting_path, quoted
from helpdesk_kb.help_center import Center
from helpdesk_kb.models import Article, ArticleTranslation
from helpdesk_kb.queries.instants import instant_of
from helpdesk_kb.queries.languages import Edition
from helpdesk_kb.queries.visibility import published_for, visible_articles


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the site map.

    Attributes:
        path: of an article in one language.
        updated: when that changed last.
        alternates: language and path of the same article in all languages, if there are several.
    """

    path: str
    updated: str
    alternates: Sequence[tuple[str, str]]


def places(center: Center, limit: int) -> list[Place]:
    """Return the published articles in each language, what was updated last first."""
    variant = published_for(center.viewer.actor)
    translated: dict[int, list[Edition]] = {}
    for key, language, slug, updated_at in _translations(variant).rows(center.session, {"limit": limit}):
        edition = Edition(language, slug, translation=key, updated_at=instant_of(updated_at))
        translated.setdefault(key, []).append(edition)
    found: list[Place] = []
    for key, language, slug, updated_at in _articles(variant).rows(center.session, {"limit": limit}):
        original = Edition(language, slug, updated_at=instant_of(updated_at))
        found += _lines(center.home, [original, *translated.get(key, [])])
    return found[:limit]


def _lines(home: str, editions: Sequence[Edition]) -> list[Place]:
    others = alternates(home, editions)
    return [
        Place(quoted(lasting_path(home, each, editions)), api_time(each.updated_at), others)
        for each in editions
        if each.updated_at
    ]


@cache
def _articles(variant: str) -> Prepared:
    """Return the articles for a variant of the visibility: thousands, hence without what stands in them."""
    columns = (Article.id, Article.language, Article.slug, Article.updated_at)
    return _shown(select(*columns), variant)


@cache
def _translations(variant: str) -> Prepared:
    columns = (Article.id, ArticleTranslation.language, ArticleTranslation.slug, ArticleTranslation.updated_at)
    mine = and_(
        ArticleTranslation.article_id == Article.id,
        ArticleTranslation.organization_id == Article.organization_id,
        ArticleTranslation.status == "published",
    )
    return _shown(select(*columns).select_from(Article).join(ArticleTranslation, mine), variant)


def _shown(statement: Any, variant: str) -> Prepared:
    allowed = visible_articles.criterion(variant)
    conditions = [Article.organization_id == bindparam("organization_id"), *(() if allowed is None else (allowed,))]
    shown = statement.where(*conditions).order_by(Article.updated_at.desc(), Article.id.desc())
    return Prepared(shown.limit(bindparam("limit")))
