"""`/tags/`"""

from helpdesk_core.api import Context, Dialect, Key, NotFound, Page, Router
from helpdesk_tickets.permissions import CREATE_TAGS, MANAGE_CATALOGUE, VIEW_CATALOGUE
from helpdesk_tickets.queries.tags import popular_tags, tags
from helpdesk_tickets.schemas.tags import (
    PopularFilters,
    PopularTag,
    TagCreate,
    TagDetails,
    TagFilters,
    TagMerge,
    TagRead,
    TagUpdate,
)
from helpdesk_tickets.service import tags as service

router = Router("tags", tag="Tags", document=Dialect.CLASSIC)


@router.get("/", permission=VIEW_CATALOGUE, include=TagDetails)
def list_tags(ctx: Context, query: TagFilters) -> Page[TagRead]:
    """Tags, by name."""
    return ctx.page(tags, query)


@router.get("/popular/", permission=VIEW_CATALOGUE)
def list_popular_tags(ctx: Context, query: PopularFilters) -> Page[PopularTag]:
    """The tags that are used most; `limit` says how many count as popular."""
    page = ctx.page(popular_tags, query)
    before = (query.page - 1) * query.page_size
    if before and before >= query.limit:
        raise NotFound("Invalid page.")
    shown = page.results[: query.limit - before]
    more = page.next if before + len(shown) < min(page.count, query.limit) else None
    return page.model_copy(update={"count": min(page.count, query.limit), "next": more, "results": shown})


@router.post("/", permission=CREATE_TAGS, status=201, include=TagDetails)
def create_tag(ctx: Context, body: TagCreate) -> TagRead:
    """Add a tag; 409 if its name is taken, in any case."""
    return ctx.one(tags, service.create_tag(ctx.session, body).id)


@router.get("/{tag}/", permission=VIEW_CATALOGUE, include=TagDetails)
def retrieve_tag(ctx: Context, tag: Key) -> TagRead:
    """One tag."""
    return ctx.one(tags, tag)


@router.put("/{tag}/", permission=MANAGE_CATALOGUE, include=TagDetails)
def update_tag(ctx: Context, tag: Key, body: TagUpdate) -> TagRead:
    """Change a tag on all its tickets."""
    return ctx.one(tags, service.update_tag(ctx.session, tag, body).id)


@router.delete("/{tag}/", permission=MANAGE_CATALOGUE)
def delete_tag(ctx: Context, tag: Key) -> None:
    """Remove a tag, from its tickets as well."""
    service.delete_tag(ctx.session, tag)


@router.post("/{tag}/merge/", permission=MANAGE_CATALOGUE)
def merge_tags(ctx: Context, tag: Key, body: TagMerge) -> TagRead:
    """Replace a tag by another one on all its tickets, and answer with the other one."""
    return ctx.one(tags, service.merge_tags(ctx.session, tag, body.into).id)
