"""`/knowledge-base/categories/`"""

from helpdesk_core.api import Context, Invalid, Key, Page, Router
from helpdesk_kb.permissions import MANAGE_CATEGORIES, VIEW
from helpdesk_kb.queries.categories import categories, tree
from helpdesk_kb.routes.articles import page_of_articles
from helpdesk_kb.schemas.articles import ArticleExtras, ArticleFilters, ArticleRead
from helpdesk_kb.schemas.categories import (
    CategoryCreate,
    CategoryDetails,
    CategoryFilters,
    CategoryNode,
    CategoryRead,
    CategoryRemoval,
    CategoryUpdate,
)
from helpdesk_kb.service import categories as service

router = Router("knowledge-base", tag="Knowledge base")


@router.get("/categories/", permission=VIEW, include=CategoryDetails)
def list_categories(ctx: Context, query: CategoryFilters) -> Page[CategoryRead]:
    """Categories of articles, by name; articles are counted as far as the caller may see them."""
    return ctx.page(categories, query)


@router.post("/categories/", permission=MANAGE_CATEGORIES, status=201, include=CategoryDetails)
def create_category(ctx: Context, body: CategoryCreate) -> CategoryRead:
    """Add a category; 409 if the one that it is to be in has one of this name, in any case."""
    return ctx.one(categories, service.create_category(ctx.session, body))


@router.get("/categories/tree/", permission=VIEW)
def show_category_tree(ctx: Context) -> list[CategoryNode]:
    """All categories, each with everything that is in it."""
    return tree(ctx.session, ctx.viewer)


@router.get("/categories/{category}/", permission=VIEW, include=CategoryDetails)
def retrieve_category(ctx: Context, category: Key) -> CategoryRead:
    """One category."""
    return ctx.one(categories, category)


@router.put("/categories/{category}/", permission=MANAGE_CATEGORIES, include=CategoryDetails)
def update_category(ctx: Context, category: Key, body: CategoryUpdate) -> CategoryRead:
    """Change a category, or move it with everything in it; its name in addresses stays."""
    service.update_category(ctx.session, category, body)
    return ctx.one(categories, category)


@router.delete("/categories/{category}/", permission=MANAGE_CATEGORIES)
def delete_category(ctx: Context, category: Key, query: CategoryRemoval) -> None:
    """Remove a category; what is in it goes into `move_to`, without which it must be empty."""
    service.delete_category(ctx.session, category, query.move_to)


@router.get("/categories/{category}/articles/", permission=VIEW, include=ArticleExtras)
def list_articles_of_category(ctx: Context, category: Key, query: ArticleFilters) -> Page[ArticleRead]:
    """The articles directly in a category, as many as its `article_count` says."""
    if query.category is not None:
        raise Invalid.field("category", "The path names the category already.")
    categories.find_one(ctx.session, ctx.viewer, categories.key, category)
    return page_of_articles(ctx, query, category=(category,))
