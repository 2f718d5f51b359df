"""What goes over the wire about tags."""

from typing import Annotated

from pydantic import AfterValidator, Field

from helpdesk_core.api import Body, Color, DbInt, Filters, Instant, Line, Ref, Schema
from helpdesk_tickets.names import cleared_to, untouched, up_to

COLOR = "#6c757d"

TagName = Annotated[Line, AfterValidator(str.strip), up_to(50)]


class TagRead(Schema):
    """A tag."""

    id: DbInt
    name: str
    description: str
    color: str
    created_at: Instant
    updated_at: Instant


class PopularTag(TagRead):
    """A tag with the number of its uses."""

    usage_count: Annotated[int, Field(ge=0)]


class TagDetails(Schema):
    """What is shown of a tag on request."""

    usage_count: Annotated[int, Field(ge=0)]


class TagCreate(Schema):
    """A new tag."""

    read_only = frozenset({"id", "usage_count", "created_at", "updated_at"})

    name: TagName
    description: Annotated[Body, cleared_to("")] = ""
    color: Annotated[Color, cleared_to(COLOR)] = COLOR


class TagUpdate(TagCreate):
    """Changes of a tag; what is left out stays."""

    name: TagName = untouched()


class TagMerge(Schema):
    """Where a tag goes that is merged."""

    into: Ref
    """The tag that stays, on the tickets of both."""


class TagFilters(Filters):
    """Query parameters of the list of tags."""


class PopularFilters(Filters):
    """Query parameters of the list of popular tags."""

    limit: Annotated[int, Field(ge=1, le=100)] = 10
    """How many tags are popular."""
