"""What goes over the wire about SLA policies."""

from typing import Annotated

from pydantic import AfterValidator, Field

from helpdesk_core.api import DbInt, Filters, Instant, Line, QueryBool, Schema, Words
from helpdesk_tickets.names import untouched, up_to
from helpdesk_tickets.vocabulary import Priority

TEN_YEARS = 10 * 366 * 24 * 60

PolicyName = Annotated[Line, AfterValidator(str.strip), up_to(100)]

Minutes = Annotated[int, Field(ge=1, le=TEN_YEARS)]


class SlaPolicyRead(Schema):
    """How soon tickets of a priority are to be answered and resolved."""

    id: DbInt
    name: str
    priority: Priority
    first_response_minutes: int | None
    resolution_minutes: int
    is_active: bool
    created_at: Instant
    updated_at: Instant


class SlaPolicyCreate(Schema):
    """A new policy."""

    read_only = frozenset({"id", "created_at", "updated_at"})

    name: PolicyName
    priority: Priority
    first_response_minutes: Minutes | None = None
    """Minutes from the creation of a ticket to its first answer by staff."""
    resolution_minutes: Minutes
    """Minutes from the creation of a ticket to its resolution."""
    is_active: bool = True


class SlaPolicyUpdate(SlaPolicyCreate):
    """Changes of a policy; what is left out stays."""

    name: PolicyName = untouched()
    priority: Priority = untouched()
    resolution_minutes: Minutes = untouched()
    is_active: bool = untouched()


class SlaPolicyFilters(Filters):
    """Query parameters of the list of policies."""

    priority: Words[Priority] | None = None
    is_active: QueryBool | None = None
