"""What goes over the wire about categories."""

from typing import Annotated

from pydantic import AfterValidator, Field

from helpdesk_core.api import Body, DbInt, Filters, Instant, Keys, Line, QueryBool, Ref, Schema
from helpdesk_kb.names import cleared_to, untouched, up_to

CategoryName = Annotated[Line, AfterValidator(str.strip), up_to(100)]
Number = Annotated[int, Field(ge=0)]


class CategorySummary(Schema):
    """A category as articles show it."""

    id: DbInt
    name: str
    description: str


class SubcategoryRead(Schema):
    """A category as the one that it is in shows it."""

    id: DbInt
    name: str
    article_count: Number


class CategoryRead(Schema):
    """A category. The articles that are directly in it are counted, as far as the caller may see them."""

    id: DbInt
    name: str
    description: str
    parent_category: DbInt | None
    subcategories: list[SubcategoryRead]
    article_count: Number
    created_at: Instant
    updated_at: Instant


class CategoryDetails(Schema):
    """What is shown of a category on request."""

    slug: str
    """The name in addresses of the help centre."""
    total_article_count: Number
    """Articles in the category and anywhere below it, as far as the caller may see them."""


class CategoryNode(Schema):
    """A category with everything that is in it."""

    id: DbInt
    name: str
    slug: str
    description: str
    article_count: Number
    """Directly in it."""
    total_article_count: Number
    """In it and anywhere below it."""
    subcategories: list["CategoryNode"]


class CategoryCreate(Schema):
    """A new category."""

    read_only = frozenset(
        {"id", "slug", "subcategories", "article_count", "total_article_count", "created_at", "updated_at"}
    )

    name: CategoryName
    description: Annotated[Body, cleared_to("")] = ""
    parent_category: Ref | None = None
    """The category that it is in; null at the top."""


class CategoryUpdate(CategoryCreate):
    """Changes of a category; what is left out stays."""

    name: CategoryName = untouched()


class CategoryRemoval(Schema):
    """How a category goes."""

    move_to: DbInt | None = None
    """The category that takes its articles and subcategories; without one it must be empty."""


class CategoryFilters(Filters):
    """Query parameters of the list of categories."""

    parent_category: Keys | None = None
    """Those that are directly in the category."""
    is_root: QueryBool | None = None
    """Those at the top, or all others."""
