"""What goes over the wire about saved filters."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from helpdesk_core.api import DbInt, Dialect, Filters, Instant, JsonObject, Line, QueryBool, Schema
from helpdesk_tickets.names import untouched


class SavedFilterRead(Schema):
    """Parameters of the list of tickets, under a name."""

    id: DbInt
    name: str
    filter_params: dict[str, Any]
    """As they were sent."""
    is_public: bool
    created_at: Instant
    updated_at: Instant


class SavedFilterDetails(Schema):
    """What is shown of a saved filter on request."""

    owner: DbInt
    """The user whose filter it is."""
    dialect: Dialect
    """The document in whose words the parameters are written."""


class SavedFilterCreate(Schema):
    """A new saved filter."""

    read_only = frozenset({"id", "owner", "dialect", "created_at", "updated_at"})

    name: Annotated[Line, AfterValidator(str.strip)]
    filter_params: JsonObject
    """Parameters of the list of tickets; several values as a list, or separated by commas."""
    is_public: bool = False
    """Whether colleagues see it."""


class SavedFilterUpdate(SavedFilterCreate):
    """Changes of a saved filter; what is left out stays."""

    name: Annotated[Line, AfterValidator(str.strip)] = untouched()
    filter_params: JsonObject = untouched()
    is_public: bool = untouched()


class SavedFilterFilters(Filters):
    """Query parameters of the list of saved filters."""

    is_public: QueryBool | None = None


class TicketCount(Schema):
    """How many tickets a saved filter finds."""

    count: Annotated[int, Field(ge=0)]
