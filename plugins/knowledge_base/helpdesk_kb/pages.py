"""The help centre: pages for people who look for an answer, and what search engines and feed readers want to know."""

import re
from typing import Annotated, Any

from pydantic import Field, PlainValidator
from sqlalchemy import select

from helpdesk_core.api import (
    Context,
    Document,
    Html,
    Language,
    NotFound,
    Organization,
    PathPattern,
    Redirect,
    Router,
    Schema,
    Text,
)
from helpdesk_kb.addresses import alternates, lasting_path
from helpdesk_kb.help_center import (
    branches,
    day_of,
    enter,
    excerpt,
    find_branch,
    reading,
    shelf,
    trail,
)
from helpdesk_kb.languages import direction
from helpdesk_kb.opening import lines, open_article, paths_to, switches
from helpdesk_kb.queries import answers
from helpdesk_kb.service.searches import note_search, note_visit
from helpdesk_kb.service.views import count_view
from helpdesk_kb.site_map import places

router = Router("help", tag="Pages")

Slug = Annotated[str, PathPattern(r"[^/\x00]{1,110}")]
NEWEST = 5
POPULAR = 6
RELATED = 4
LISTED = 20_000
"""Addresses in the site map; search engines take at most fifty thousand."""
IN_FEED = 30


def _key(value: Any) -> int | None:
    """Return the key that a link carries; a broken one is none, because links get broken on their way."""
    return int(value) if re.fullmatch(r"[0-9]{1,15}", str(value)) else None


class PageQuery(Schema):
    """Which page of a list."""

    page: Annotated[int, Field(ge=1, le=10_000)] = 1


class ArticleQuery(Schema):
    """In which language an article is asked for, and where the reader comes from; that is in no canonical address."""

    language: Language | None = None
    search: Annotated[int | None, PlainValidator(_key)] = None
    """Key of the search that found the article."""


class Question(Schema):
    """What is searched for."""

    q: Annotated[Text, Field(max_length=500)] = ""


@router.get("/", public=True)
def choose_help_center(ctx: Context) -> Redirect:
    """Go to the help centre of one's own organisation, or of the one that this installation is for."""
    default = ctx.services.settings.default_organization
    if ctx.principal is not None:
        own = select(Organization.slug).where(Organization.id == ctx.principal.actor.organization_id)
        default = ctx.session.scalars(own).one()
    if not default:
        raise NotFound("Which help center? Its address ends with the name of the organization.")
    return Redirect(f"/help/{default}/")


@router.get("/{organization}/", public=True, slow=True)
def show_home(ctx: Context, organization: Slug) -> Html:
    """What there is, what is read most and what is new."""
    center = enter(ctx, organization)
    values = center.shown(
        center.home,
        categories=branches(center),
        popular=shelf(center, "-views", size=POPULAR).articles,
        newest=shelf(center, "-updated_at", size=NEWEST).articles,
    )
    return Html("kb/home.html", values, forms=True)


@router.get("/{organization}/categories/{category}/", public=True, slow=True)
def show_category(ctx: Context, organization: Slug, category: Slug, query: PageQuery) -> Html:
    """The articles of a category, and the categories in it."""
    center = enter(ctx, organization)
    branch = find_branch(branches(center), category)
    path = f"{center.home}categories/{branch.slug}/"
    values = center.shown(
        path if query.page == 1 else f"{path}?page={query.page}",
        category=branch,
        path_to_it=path,
        trail=trail(center, branch.id)[:-1],
        found=shelf(center, "title", page=query.page, category=(branch.id,)),
        number=query.page,
        description=branch.description or f"{branch.name}: {center.title}",
    )
    return Html("kb/category.html", values, forms=True)


@router.get("/{organization}/articles/{article}/", public=True, slow=True)
def show_article(ctx: Context, organization: Slug, article: Slug, query: ArticleQuery) -> Html | Redirect:
    """An article, in the language that suits the reader; old addresses lead to the present one."""
    center = enter(ctx, organization)
    opened = open_article(center, article, query.language)
    if isinstance(opened, Redirect):
        return opened
    key, language = opened.article_id, opened.edition.language
    note_visit(ctx, center.viewer, query.search, key)
    count_view(ctx, center.viewer, key)
    found = reading(center, key, opened.edition)
    hits = answers.related(center.session, center.viewer, key, limit=RELATED)
    values = center.shown(
        lasting_path(center.home, opened.edition, opened.published),
        language=language,
        direction=direction(language),
        alternates=alternates(center.home, opened.published),
        switches=switches(center, opened),
        article=found.data,
        reading=found,
        trail=trail(center, found.category_id),
        updated=day_of(found.data["updated_at"]),
        related=lines(center, hits, language),
        description=excerpt(found.data["content"]),
        robots="" if found.is_public else "noindex",
    )
    return Html("kb/article.html", values, forms=True)


@router.get("/{organization}/search/", public=True, slow=True)
def show_results(ctx: Context, organization: Slug, query: Question) -> Html:
    """What answers a question."""
    center = enter(ctx, organization)
    question = " ".join(query.q.split())
    found = answers.search(center.session, center.viewer, question, limit=30, where=answers.Where(published=True))
    noted = note_search(ctx, center.viewer, question, found)
    popular = () if found.hits else shelf(center, "-views", size=POPULAR).articles
    values = center.shown(
        f"{center.home}search/",
        question=question,
        found=found,
        paths=paths_to(center, found.hits, noted),
        popular=popular,
        robots="noindex",
    )
    return Html("kb/results.html", values, forms=True)


@router.get("/{organization}/sitemap.xml", public=True, slow=True)
def show_site_map(ctx: Context, organization: Slug) -> Document:
    """The addresses of all articles, for search engines."""
    center = enter(ctx, organization)
    values = {"host": center.host, "home": center.home, "found": places(center, LISTED)}
    return Document("kb/sitemap.xml", values)


@router.get("/{organization}/feed.atom", public=True, slow=True)
def show_feed(ctx: Context, organization: Slug) -> Document:
    """The newest articles, for feed readers."""
    center = enter(ctx, organization)
    found = shelf(center, "-published_at", size=IN_FEED).articles
    updated = max((each["updated_at"] for each in found), default="2000-01-01T00:00:00Z")
    values = {"center": center, "home": center.home, "articles": found, "updated": updated}
    return Document("kb/feed.atom", values, "application/atom+xml; charset=utf-8")
