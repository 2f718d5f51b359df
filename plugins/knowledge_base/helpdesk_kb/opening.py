"""Opening an article of the help centre: in which language, and at which address that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from helpdesk_core.api import NotFound, Prepared, Redirect
from helpdesk_kb.addresses import lasting_path, path_for, path_of, quoted
from helpdesk_kb.help_center import Center
from helpdesk_kb.languages import own_name
from helpdesk_kb.models import Article, ArticleSlug
from helpdesk_kb.queries.articles import articles
from helpdesk_kb.queries.languages import Edition, choose, translated_texts, translations_of
from helpdesk_kb.queries.translations import visible_translations
from helpdesk_kb.schemas.articles import ArticleHit

UNKNOWN = "There is no such article, or it is not for you to read."


@dataclass(frozen=True, slots=True)
class Opened:
    """An article that somebody opens.

    Attributes:
        article_id: its key.
        edition: the language that it is read in.
        editions: all that the reader may see, the article itself first.
    """

    article_id: int
    edition: Edition
    editions: Sequence[Edition]

    @property
    def published(self) -> list[Edition]:
        """Return what everybody may read who may read the article."""
        return [each for each in self.editions if each.is_published]


def open_article(center: Center, slug: str, asked: str | None) -> Opened | Redirect:
    """Return the article that is or was called `slug`, or where it is found in the language that suits the reader.

    Args:
        center: for one reader.
        slug: in the address; that of a translation asks for its language.
        asked: the language that is asked for besides, and counts more.

    Raises:
        NotFound: there is none, or none that the reader may see.
    """
    rows = _NAMED.rows(center.session, {"slug": slug})
    if not rows:
        raise NotFound(UNKNOWN)
    key, language = rows[0]
    opened = _named(center, articles.find_one(center.session, center.viewer, Article.id, key), language)
    named = opened.edition
    chosen = named
    if asked:
        chosen = choose(opened.editions, (asked, *center.wished))
    elif not named.translation:
        chosen = choose(opened.published, center.wished)
    if chosen is named and slug == named.slug:
        return opened
    to = lasting_path(center.home, chosen, opened.editions) if asked else path_of(center.home, chosen)
    is_renamed = chosen is named and bool(named.translation) == bool(language)
    return Redirect(quoted(to), permanently=is_renamed)


def switches(center: Center, opened: Opened) -> list[dict[str, Any]]:
    """Return the languages to choose from, if there are several; the present one has no path."""
    if len(opened.editions) == 1:
        return []
    return [
        {
            "language": each.language,
            "name": own_name(each.language),
            "path": None if each is opened.edition else path_for(center.home, each, opened.editions, center.wished),
        }
        for each in opened.editions
    ]


def paths_to(center: Center, hits: Sequence[ArticleHit], search_id: int | None) -> Mapping[int, str]:
    """Return the paths of hits of a search by the keys of articles, each in the language in which it was found."""
    translated = translations_of(center.session, [hit.id for hit in hits], drafts=False)
    found = {}
    for hit in hits:
        others = translated.get(hit.id, [])
        edition = next((each for each in others if each.slug == hit.slug), Edition(hit.language, hit.slug))
        editions = others if edition.translation else [edition, *others]
        path = path_for(center.home, edition, editions, center.wished)
        found[hit.id] = path if search_id is None else f"{path}{'&' if '?' in path else '?'}search={search_id}"
    return found


def lines(center: Center, hits: Sequence[ArticleHit], language: str) -> list[dict[str, Any]]:
    """Return title and path of articles in a language, or else in the one that suits the reader best."""
    translated = translations_of(center.session, [hit.id for hit in hits], drafts=False)
    found = []
    for hit in hits:
        editions = [Edition(hit.language, hit.slug), *translated.get(hit.id, [])]
        found.append((hit, choose(editions, (language, *center.wished)), editions))
    texts = translated_texts(center.session, [edition.translation for _, edition, _ in found if edition.translation])
    return [
        {
            "title": texts[edition.translation][0] if edition.translation else hit.title,
            "language": edition.language,
            "path": path_for(center.home, edition, editions, center.wished),
        }
        for hit, edition, editions in found
    ]


_NAMED = Prepared(
    select(ArticleSlug.article_id, ArticleSlug.language).where(
        ArticleSlug.organization_id == bindparam("organization_id"),
        ArticleSlug.slug == bindparam("slug", type_=ArticleSlug.slug.type),
    )
)


def _named(center: Center, article_id: int, language: str) -> Opened:
    """Return an article, in the language of the translation that is asked for by a name of it.

    A translation that was published and is not any more leads to the article; of one that never was nobody knows.
    """
    own_language, slug = center.session.execute(
        select(Article.language, Article.slug).where(Article.id == article_id)
    ).one()
    there = translations_of(center.session, [article_id], drafts=True).get(article_id, [])
    drafts = visible_translations.variant(center.viewer.actor) == "all"
    editions = [Edition(own_language, slug), *(each for each in there if each.is_published or drafts)]
    named = next((each for each in there if each.language == language), editions[0])
    if named in editions:
        return Opened(article_id, named, editions)
    if not named.was_published:
        raise NotFound(UNKNOWN)
    return Opened(article_id, editions[0], editions)
