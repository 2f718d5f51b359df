"""`/categories/`"""

from helpdesk_core.api import Context, Dialect, Invalid, Key, Page, Router
from helpdesk_tickets.permissions import MANAGE_CATALOGUE, VIEW, VIEW_CATALOGUE
from helpdesk_tickets.queries.categories import categories
from helpdesk_tickets.routes.filters import page_of_tickets
from helpdesk_tickets.schemas.categories import (
    CategoryCreate,
    CategoryDetails,
    CategoryFilters,
    CategoryRead,
    CategoryRemoval,
    CategoryUpdate,
)
from helpdesk_tickets.schemas.tickets import ClassicTicketRow, TicketExtras, TicketFilters, TicketRead
from helpdesk_tickets.service import categories as service

router = Router("categories", tag="Categories", document=Dialect.CLASSIC)


@router.get("/", permission=VIEW_CATALOGUE, include=CategoryDetails)
def list_categories(ctx: Context, query: CategoryFilters) -> Page[CategoryRead]:
    """Categories of tickets, by name."""
    return ctx.page(categories, query)


@router.post("/", permission=MANAGE_CATALOGUE, status=201, include=CategoryDetails)
def create_category(ctx: Context, body: CategoryCreate) -> CategoryRead:
    """Add a category; 409 if its name is taken, in any case."""
    return ctx.one(categories, service.create_category(ctx.session, body).id)


@router.get("/{category}/", permission=VIEW_CATALOGUE, include=CategoryDetails)
def retrieve_category(ctx: Context, category: Key) -> CategoryRead:
    """One category."""
    return ctx.one(categories, category)


@router.put("/{category}/", permission=MANAGE_CATALOGUE, include=CategoryDetails)
def update_category(ctx: Context, category: Key, body: CategoryUpdate) -> CategoryRead:
    """Change a category; its slug stays."""
    return ctx.one(categories, service.update_category(ctx.session, category, body).id)


@router.delete("/{category}/", permission=MANAGE_CATALOGUE)
def delete_category(ctx: Context, category: Key, query: CategoryRemoval) -> None:
    """Remove a category; its tickets get the category `move_to`, or none."""
    service.delete_category(ctx.session, ctx.actor, category, query.move_to)


@router.get("/{category}/tickets/", permission=VIEW, include=TicketExtras)
def list_tickets_of_category(
    ctx: Context, category: Key, query: TicketFilters
) -> Page[TicketRead] | Page[ClassicTicketRow]:
    """The tickets of a category, newest first."""
    if query.category is not None:
        raise Invalid.field("category", "The path names the category already.")
    categories.find_one(ctx.session, ctx.viewer, categories.key, category)
    return page_of_tickets(ctx, query, category=(category,))
