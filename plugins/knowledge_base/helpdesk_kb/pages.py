"""The help centre: pages for people who look for an answer, and what search engines and feed readers want to know."""

import re
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import Field, PlainValidator
from sqlalchemy import select

from helpdesk_core.api import (
    Context,
    Document,
    Html,
    NotFound,
    Organization,
    PathPattern,
    Redirect,
    Router,
    Schema,
    Text,
    api_time,
)
from helpdesk_kb.help_center import (
    addresses,
    branches,
    day_of,
    enter,
    excerpt,
    find_branch,
    find_by_slug,
    reading,
    shelf,
    trail,
)
from helpdesk_kb.queries import answers
from helpdesk_kb.service.searches import note_search, note_visit
from helpdesk_kb.service.views import count_view

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


class Question(Schema):
    """What is searched for."""

    q: Annotated[Text, Field(max_length=500)] = ""


class Origin(Schema):
    """Where a reader comes from."""

    search: Annotated[int | None, PlainValidator(_key)] = None
    """Key of the search that found the article."""


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
def show_article(ctx: Context, organization: Slug, article: Slug, query: Origin) -> Html | Redirect:
    """An article; old addresses lead to the present one. `search` is noted, and is no part of the canonical address."""
    center = enter(ctx, organization)
    key, slug = find_by_slug(center, article)
    path = f"{center.home}articles/{slug}/"
    if slug != article:
        return Redirect(quote(path), permanently=True)
    note_visit(ctx, center.viewer, query.search, key)
    count_view(ctx, center.viewer, key)
    found = reading(center, key)
    values = center.shown(
        path,
        article=found.data,
        reading=found,
        trail=trail(center, found.category_id),
        updated=day_of(found.data["updated_at"]),
        related=answers.related(center.session, center.viewer, key, limit=RELATED),
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
    shown = {"question": question, "found": found, "popular": popular, "opened": f"?search={noted}" if noted else ""}
    values = center.shown(f"{center.home}search/", **shown, robots="noindex")
    return Html("kb/results.html", values, forms=True)


@router.get("/{organization}/sitemap.xml", public=True, slow=True)
def show_site_map(ctx: Context, organization: Slug) -> Document:
    """The addresses of all articles, for search engines."""
    center = enter(ctx, organization)
    found = [(quote(path), api_time(updated)) for path, updated in addresses(center, LISTED)]
    return Document("kb/sitemap.xml", {"host": center.host, "home": center.home, "found": found})


@router.get("/{organization}/feed.atom", public=True, slow=True)
def show_feed(ctx: Context, organization: Slug) -> Document:
    """The newest articles, for feed readers."""
    center = enter(ctx, organization)
    found = shelf(center, "-published_at", size=IN_FEED).articles
    updated = max((each["updated_at"] for each in found), default="2000-01-01T00:00:00Z")
    values = {"center": center, "home": center.home, "articles": found, "updated": updated}
    return Document("kb/feed.atom", values, "application/atom+xml; charset=utf-8")
