"""What goes over the wire about searches."""

from typing import Annotated

from pydantic import Field

from helpdesk_core.api import DbInt, Filters, Instant, Schema


class MissRead(Schema):
    """What people searched for without finding anything."""

    id: DbInt
    query: str
    times: Annotated[int, Field(ge=1)]
    last_searched_at: Instant


class MissFilters(Filters):
    """Query parameters of the list of misses."""
