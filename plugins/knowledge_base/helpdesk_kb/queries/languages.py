"""Which languages somebody wishes to read, and articles in the best of those that they can be read in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from helpdesk_core.api import Actor, Among, Organization, User, Viewer, core_settings, organization_of
from helpdesk_kb.languages import accepted, best
from helpdesk_kb.markdown import render
from helpdesk_kb.models import TRANSLATION_STATUSES, Article, ArticleTranslation
from helpdesk_kb.queries.articles import articles
from helpdesk_kb.queries.instants import instant_of
from helpdesk_kb.queries.translations import visible_translations

PUBLISHED = TRANSLATION_STATUSES.index("published")
TOLD = frozenset({"language", "languages"})
"""What is shown of an article beside the rest when it is asked for in a language."""


@dataclass(frozen=True, slots=True)
class Edition:
    """An article in one language.

    Attributes:
        language: that title and content are in.
        slug: its name in addresses.
        translation: key of the translation; 0 for the article itself.
        version: number of the translation's newest version.
        is_published: whether the translation is; of the article itself its own state says so.
        was_published: whether it is or was once.
        updated_at: when the translation changed last.
    """

    language: str
    slug: str
    translation: int = 0
    version: int = 0
    is_published: bool = True
    was_published: bool = True
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Localized:
    """An article as the API shows it, in one of its languages.

    Attributes:
        row: with title, content, `slug` and `html` in that language.
        edition: which one that is.
        editions: all that there are, the article itself first.
    """

    row: dict[str, Any]
    edition: Edition
    editions: Sequence[Edition]


def organization_language(session: Session) -> str:
    """Return the language of the session's organisation."""
    return core_settings(session.get_one(Organization, organization_of(session))).language


def wished_languages(session: Session, reader: Actor, header: str = "") -> tuple[str, ...]:
    """Return the languages that suit a reader, the best first.

    Args:
        session: of the organisation.
        reader: those with an account have chosen a language.
        header: `Accept-Language` of the others.
    """
    chosen = select(User.language).where(User.id == reader.user_id)
    own = tuple(session.scalars(chosen)) if reader.user_id else accepted(header)
    return (*own, organization_language(session))


def article_in(session: Session, viewer: Viewer, article_id: int, language: str) -> Any:
    """Return an article, with its tag, in a language or else in the one that suits the viewer best."""
    found = articles.load_one(session, replace(viewer, include=viewer.include | TOLD), article_id)
    (shown,) = localize(session, viewer, [found.data], (language, *wished_languages(session, viewer.actor)))
    if not shown.edition.translation:
        return found
    tag = f'"{found.etag[1:-1]}-{shown.edition.translation}-{shown.edition.version}"'
    return replace(found, data=shown.row, etag=tag)


def articles_in(
    session: Session, viewer: Viewer, rows: Sequence[dict[str, Any]], language: str
) -> list[dict[str, Any]]:
    """Return articles, each in a language or else in the one that suits the viewer best; `language` must be shown."""
    wished = (language, *wished_languages(session, viewer.actor))
    return [each.row for each in localize(session, viewer, rows, wished)]


def localize(
    session: Session, viewer: Viewer, rows: Sequence[dict[str, Any]], wished: Sequence[str], *, published: bool = False
) -> list[Localized]:
    """Return articles in the languages that suit best, by two statements for all of them.

    Args:
        session: of the organisation.
        viewer: for whom; those who edit see drafts of translations.
        rows: the articles as the API shows them, with `language`.
        wished: languages, the best first.
        published: leave drafts out for those as well.
    """
    drafts = not published and visible_translations.variant(viewer.actor) == "all"
    translated = translations_of(session, [row["id"] for row in rows], drafts=drafts)
    found = []
    for row in rows:
        editions = [Edition(row["language"], row.get("slug", "")), *translated.get(row["id"], [])]
        found.append((row, choose(editions, wished), editions))
    keys = [edition.translation for _, edition, _ in found if edition.translation]
    texts = {row[0]: row[1:] for row in _TEXTS.rows(session, keys)}
    return [
        Localized(_in_edition(row, edition, editions, texts), edition, editions) for row, edition, editions in found
    ]


def translations_of(session: Session, keys: Sequence[int], *, drafts: bool) -> dict[int, list[Edition]]:
    """Return the translations of articles by the article's key, each in the order of languages."""
    found: dict[int, list[Edition]] = {}
    for article, key, language, slug, version, rank, published_at, updated_at in sorted(
        _TRANSLATED.rows(session, keys), key=lambda row: row[2]
    ):
        if rank != PUBLISHED and not drafts:
            continue
        edition = Edition(
            language, slug, key, version, rank == PUBLISHED, published_at is not None, instant_of(updated_at)
        )
        found.setdefault(article, []).append(edition)
    return found


def choose(editions: Sequence[Edition], wished: Sequence[str]) -> Edition:
    """Return the edition that suits best; the article itself if none does."""
    tag = best(wished, [each.language for each in editions])
    return next((each for each in editions if each.language == tag), editions[0])


def title_for(session: Session, reader: Actor, article: Article) -> str:
    """Return the title of an article in the published language that suits a reader best."""
    others = translations_of(session, [article.id], drafts=False).get(article.id, [])
    editions = [Edition(article.language, article.slug), *others]
    chosen = choose(editions, wished_languages(session, reader))
    return (
        translated_texts(session, [chosen.translation])[chosen.translation][0] if chosen.translation else article.title
    )


def translated_texts(session: Session, keys: Sequence[int]) -> Mapping[int, tuple[str, str, str, str]]:
    """Return title, slug, language and content of translations, by their keys."""
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in _TEXTS.rows(session, keys)}


_TRANSLATED = Among(
    select(
        ArticleTranslation.article_id,
        ArticleTranslation.id,
        ArticleTranslation.language,
        ArticleTranslation.slug,
        ArticleTranslation.version,
        ArticleTranslation.status,
        ArticleTranslation.published_at,
        ArticleTranslation.updated_at,
    ).where(ArticleTranslation.organization_id == bindparam("organization_id")),
    ArticleTranslation.article_id,
)
_TEXTS = Among(
    select(
        ArticleTranslation.id,
        ArticleTranslation.title,
        ArticleTranslation.slug,
        ArticleTranslation.language,
        ArticleTranslation.content,
    ).where(ArticleTranslation.organization_id == bindparam("organization_id")),
    ArticleTranslation.id,
)


def _in_edition(
    row: dict[str, Any], edition: Edition, editions: Sequence[Edition], texts: Mapping[int, Sequence[str]]
) -> dict[str, Any]:
    if not edition.translation:
        return row
    title, slug, language, content = texts[edition.translation]
    others = [each.language for each in editions if each is not edition]
    written = {"title": title, "content": content, "slug": slug, "language": language, "languages": others}
    if "html" in row:
        written["html"] = render(content).html
    return {**row, **{name: value for name, value in written.items() if name in row}}
