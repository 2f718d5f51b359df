"""What the pages of the help centre show: articles that are published, as far as the reader may see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from helpdesk_core.api import (
    Context,
    Criteria,
    NotFound,
    Organization,
    Viewer,
    api_time,
    organization_settings,
    visit,
)
from helpdesk_kb.addresses import path_for, quoted
from helpdesk_kb.markdown import Rendered, render
from helpdesk_kb.models import ArticleVote
from helpdesk_kb.permissions import VOTE
from helpdesk_kb.queries.articles import articles
from helpdesk_kb.queries.categories import ancestors, tree
from helpdesk_kb.queries.languages import Edition, Localized, localize, wished_languages
from helpdesk_kb.schemas.categories import CategoryNode
from helpdesk_kb.schemas.settings import KbSettings
from helpdesk_kb.words import in_one_line

EXCERPT = 160
PAGE = 30
PUBLISHED = {"status": ("published",)}
MORE = frozenset({"slug", "language", "audience", "published_at"})
LANGUAGE = "en"
"""Of what the pages say themselves."""
LONG = 3
"""From so many headings on, an article has a table of contents."""


@dataclass(frozen=True, slots=True)
class Center:
    """The help centre of an organisation, for one reader.

    Attributes:
        session: of the organisation.
        viewer: the reader.
        slug: of the organisation.
        title: what the help centre is called.
        welcome: a sentence below it.
        host: scheme and host of addresses.
        wished: languages that suit the reader, the best first.
    """

    session: Session
    viewer: Viewer
    slug: str
    title: str
    welcome: str
    host: str
    wished: tuple[str, ...]

    @property
    def home(self) -> str:
        """Return the path of its first page."""
        return f"/help/{self.slug}/"

    def shown(self, path: str, **values: Any) -> dict[str, Any]:
        """Return what every page needs to know, and what this one does besides."""
        common = {
            "center": self,
            "home": self.home,
            "canonical": f"{self.host}{quoted(path)}",
            "language": LANGUAGE,
            "question": "",
        }
        return {"robots": "", "description": self.welcome, **common, **values}


def enter(ctx: Context, organization: str) -> Center:
    """Open the help centre of an organisation.

    Raises:
        NotFound: there is none, or none that members of other organisations may read.
        Unauthenticated: it is not public, and nobody is signed in.
    """
    viewer = visit(ctx, organization, "kb")
    settings = organization_settings(ctx.session, "kb", KbSettings)
    if not settings.help_center_public and not viewer.actor.user_id and ctx.actor.user_id:
        raise NotFound  # for members of others; asking who it is has sent all others to sign in
    name = ctx.session.get_one(Organization, viewer.actor.organization_id).name
    title = settings.help_center_title or f"{name} Help Center"
    welcome = settings.help_center_welcome or "Answers to the questions that people ask most."
    wished = wished_languages(ctx.session, viewer.actor, ctx.incoming.headers.get("accept-language", ""))
    return Center(ctx.session, viewer, organization, title, welcome, ctx.incoming.base_url, wished)


@dataclass(frozen=True, slots=True)
class Shelf:
    """A page of a list.

    Attributes:
        articles: as templates show them.
        count: how many there are in all.
        pages: how many pages that makes.
    """

    articles: Sequence[Mapping[str, Any]]
    count: int
    pages: int


def shelf(center: Center, ordering: str, *, page: int = 1, size: int = PAGE, **values: Any) -> Shelf:
    """Return published articles, as lists show them: each in the language that suits the reader."""
    wanted = Criteria({**PUBLISHED, **values}, None, articles.parse_ordering(ordering), size, (page - 1) * size)
    found = articles.find(center.session, center.viewer, wanted)
    if page > 1 and not found.keys:
        raise NotFound
    rows = articles.load(center.session, replace(center.viewer, include=MORE), found.keys)
    localized = localize(center.session, center.viewer, rows, center.wished, published=True)
    return Shelf([_line(center, each) for each in localized], found.count, -(-found.count // size))


def branches(center: Center) -> list[CategoryNode]:
    """Return the categories at the top in which the reader finds something."""
    return [_pruned(node) for node in tree(center.session, center.viewer, published=True) if node.total_article_count]


def find_branch(nodes: Sequence[CategoryNode], slug: str) -> CategoryNode:
    """Return the category with this name in addresses; `NotFound` when the reader finds nothing there."""
    for node in nodes:
        if node.slug == slug:
            return node
        try:
            return find_branch(node.subcategories, slug)
        except NotFound:
            continue
    raise NotFound


def trail(center: Center, category_id: int | None) -> list[dict[str, Any]]:
    """Return the categories that lead to one, with their addresses."""
    path = [] if category_id is None else ancestors(center.session, category_id)
    return [{**each, "path": f"{center.home}categories/{each['slug']}/"} for each in path]


@dataclass(frozen=True, slots=True)
class Reading:
    """An article on its page.

    Attributes:
        data: as the API shows it.
        rendered: its content.
        edition: the language that it is read in.
        category_id: key of its category.
        vote: what the reader has said; nothing if nothing.
        can_vote: whether the reader may say anything.
    """

    data: Mapping[str, Any]
    rendered: Rendered
    edition: Edition
    category_id: int | None
    vote: bool | None
    can_vote: bool

    @property
    def contents(self) -> Sequence[Any]:
        """Return its table of contents, if it is long enough for one."""
        return self.rendered.contents if len(self.rendered.contents) >= LONG else ()

    @property
    def is_public(self) -> bool:
        """Tell whether everybody may read it, search engines among them."""
        is_published = self.data["status"] == "published" and self.edition.is_published
        return bool(is_published and self.data["audience"] == "public")


def reading(center: Center, article_id: int, edition: Edition) -> Reading:
    """Return an article as its page shows it, in a language that it can be read in."""
    viewer = replace(center.viewer, include=MORE)
    original = articles.load_one(center.session, viewer, article_id).data
    (localized,) = localize(center.session, viewer, [original], [edition.language])
    data = localized.row
    if edition.updated_at:
        data["updated_at"] = api_time(edition.updated_at)
    given = center.session.get(ArticleVote, (article_id, viewer.actor.user_id))
    can_vote = bool(viewer.actor.user_id) and viewer.actor.can(VOTE) and data["status"] == "published"
    category = data["category"]["id"] if data["category"] else None
    return Reading(data, render(data["content"]), edition, category, given.helpful if given else None, can_vote)


def excerpt(content: str) -> str:
    """Return how an article begins, in some words."""
    text = in_one_line(render(content).text)
    return text if len(text) <= EXCERPT else f"{text[:EXCERPT].rpartition(' ')[0] or text[:EXCERPT]}…"


def day_of(instant: str) -> str:
    """Return the day of an instant as one says it.

    >>> day_of("2026-03-02T10:00:00Z")
    '2 March 2026'
    """
    moment = datetime.fromisoformat(instant)
    return f"{moment.day} {moment:%B %Y}"


def _line(center: Center, localized: Localized) -> dict[str, Any]:
    row = localized.row
    path = path_for(center.home, localized.edition, localized.editions, center.wished)
    return {
        "title": row["title"],
        "language": row["language"],
        "path": path,
        "address": quoted(path),
        "excerpt": excerpt(row["content"]),
        "audience": row["audience"],
        "updated_at": row["updated_at"],
        "published_at": row["published_at"],
        "author": row["author"]["full_name"],
        "id": row["id"],
    }


def _pruned(node: CategoryNode) -> CategoryNode:
    below = [_pruned(child) for child in node.subcategories if child.total_article_count]
    return node.model_copy(update={"subcategories": below})
