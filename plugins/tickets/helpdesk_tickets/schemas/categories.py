"""What goes over the wire about categories."""

from typing import Annotated

from pydantic import AfterValidator

from helpdesk_core.api import Body, Color, DbInt, Filters, Instant, Line, Schema
from helpdesk_tickets.names import cleared_to, untouched, up_to

COLOR = "#007bff"

CategoryName = Annotated[Line, AfterValidator(str.strip), up_to(100)]


class CategoryRead(Schema):
    """A category."""

    id: DbInt
    name: str
    description: str
    color: str
    created_at: Instant
    updated_at: Instant


class CategoryDetails(Schema):
    """What is shown of a category on request."""

    slug: str
    """The name in conditions of automations; it stays when the category is renamed."""


class CategoryCreate(Schema):
    """A new category."""

    read_only = frozenset({"id", "slug", "created_at", "updated_at"})

    name: CategoryName
    description: Annotated[Body, cleared_to("")] = ""
    color: Annotated[Color, cleared_to(COLOR)] = COLOR


class CategoryUpdate(CategoryCreate):
    """Changes of a category; what is left out stays."""

    name: CategoryName = untouched()


class CategoryRemoval(Schema):
    """How a category goes."""

    move_to: DbInt | None = None
    """The category that takes its tickets; without one they have none."""


class CategoryFilters(Filters):
    """Query parameters of the list of categories."""
