"""Articles and tickets: `/knowledge-base/articles/{article}/tickets/`, `/knowledge-base/tickets/`"""

from typing import Annotated, Any

from pydantic import Field

from helpdesk_core.api import Context, Contributions, Key, Page, PathPattern, Router
from helpdesk_kb.desk import TicketDesk, desk_of, named_ticket
from helpdesk_kb.permissions import LINK, VIEW, VOTE, WRITE
from helpdesk_kb.queries.articles import articles, find_article
from helpdesk_kb.queries.links import find_link, link_shown, links_at, with_tickets
from helpdesk_kb.schemas.articles import ArticleExtras, ArticleRead
from helpdesk_kb.schemas.links import (
    ArticleFromTicket,
    LinkFilters,
    LinkRead,
    SendArticle,
    SentArticle,
    TicketNamed,
)
from helpdesk_kb.service import links as service
from helpdesk_kb.service.from_tickets import article_from_ticket

router = Router("knowledge-base", tag="Knowledge base")

TicketKey = Annotated[
    int | str,
    Field(union_mode="left_to_right"),
    PathPattern(r"[0-9]{1,19}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
]
"""A ticket in a path: its integer key or its UUID."""


@router.get("/articles/{article}/tickets/", permission=VIEW)
def list_tickets_of_article(ctx: Context, article: Key, query: LinkFilters) -> Page[LinkRead]:
    """The tickets that an article is linked to, as far as the caller may see them, the newest link first."""
    return _page(ctx, _desk(ctx), query, article=(find_article(ctx.session, ctx.viewer, article),))


@router.post("/articles/{article}/tickets/", permission=LINK, status=201)
def link_article(ctx: Context, article: Key, body: TicketNamed) -> LinkRead:
    """Suggest an article for a ticket; 409 if it was suggested already."""
    key, desk = find_article(ctx.session, ctx.viewer, article), _desk(ctx)
    ticket = named_ticket(desk, ctx.session, ctx.viewer, body.ticket)
    return _shown(ctx, desk, service.link_article(ctx.session, ctx.actor, key, ticket))


@router.delete("/articles/{article}/tickets/{link}/", permission=VIEW)
def unlink_article(ctx: Context, article: Key, link: Key) -> None:
    """Remove a link; requesters remove their own."""
    key = find_article(ctx.session, ctx.viewer, article)
    service.unlink_article(ctx.session, ctx.actor, find_link(_desk(ctx), ctx.session, ctx.viewer, key, link))


@router.post("/articles/{article}/send/", permission=LINK)
def send_article(ctx: Context, article: Key, body: SendArticle) -> SentArticle:
    """Reply to the requester of a ticket with an article: `message`, then its title and address as a link.

    422 if the requester cannot open the article: it is internal, or not published.
    """
    key, desk = find_article(ctx.session, ctx.viewer, article), _desk(ctx)
    ticket = named_ticket(desk, ctx.session, ctx.viewer, body.ticket)
    letter = service.Letter(key, ticket, body.message, ctx.incoming.base_url)
    sent = service.send_article(ctx.session, ctx.actor, desk, letter)
    link = _shown(ctx, desk, sent.link_id)
    return SentArticle(content=sent.content, url=sent.url, comment=sent.comment_id, link=link)


@router.post("/articles/{article}/solve/", permission=VOTE)
def solve_ticket(ctx: Context, article: Key, body: TicketNamed) -> LinkRead:
    """Say that an article solved a ticket, as its requester or as who works on it; it counts once."""
    key, desk = find_article(ctx.session, ctx.viewer, article), _desk(ctx)
    ticket = named_ticket(desk, ctx.session, ctx.viewer, body.ticket)
    return _shown(ctx, desk, service.solve_ticket(ctx.session, ctx.actor, desk, key, ticket))


@router.post("/articles/from-ticket/", permission=WRITE, status=201, include=ArticleExtras)
def create_article_from_ticket(ctx: Context, body: ArticleFromTicket) -> ArticleRead:
    """Write a draft from a ticket: its title, its description, and what colleagues answered in public."""
    desk = _desk(ctx)
    ticket = named_ticket(desk, ctx.session, ctx.viewer, body.ticket)
    return ctx.one(articles, article_from_ticket(ctx.session, ctx.actor, desk, ticket, body))


@router.get("/tickets/{ticket}/articles/", permission=VIEW)
def list_articles_of_ticket(ctx: Context, ticket: TicketKey, query: LinkFilters) -> Page[LinkRead]:
    """The articles that a ticket is linked to, as far as the caller may see them, the newest link first."""
    desk = _desk(ctx)
    return _page(ctx, desk, query, ticket=(desk.find(ctx.session, ctx.viewer, ticket),))


def _desk(ctx: Context) -> TicketDesk:
    return desk_of(ctx.services.get(Contributions), ctx.session)


def _shown(ctx: Context, desk: TicketDesk, link: int) -> LinkRead:
    return link_shown(desk, ctx.session, ctx.viewer, link)


def _page(ctx: Context, desk: TicketDesk, query: LinkFilters, **values: Any) -> Page[LinkRead]:
    found = ctx.page(links_at(desk), query, **values)
    return found.model_copy(update={"results": with_tickets(desk, ctx.session, ctx.viewer, found.results)})
