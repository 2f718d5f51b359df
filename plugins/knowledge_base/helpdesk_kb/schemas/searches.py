"""What goes over the wire about searches."""

from typing import Annotated

from pydantic import Field

from helpdesk_core.api import DbInt, Filters, Instant, Ref, Schema


class MissRead(Schema):
    """What people searched for without finding anything."""

    id: DbInt
    query: str
    times: Annotated[int, Field(ge=1)]
    last_searched_at: Instant


class MissFilters(Filters):
    """Query parameters of the list of misses."""


class ClickCreate(Schema):
    """Which of the articles that a search had found was opened."""

    article: Ref


class TermsQuery(Schema):
    """Query parameters of the terms that people search for."""

    limit: Annotated[int, Field(ge=1, le=100)] = 20
    """How many terms at most."""


class TermRead(Schema):
    """What people searched for, and what became of it."""

    query: str
    times: Annotated[int, Field(ge=1)]
    """How often it was searched for."""
    results: Annotated[int, Field(ge=0)]
    """Articles that the last of these searches found."""
    clicks: Annotated[int, Field(ge=0)]
    """Articles that were opened from results."""
    click_through_rate: Annotated[float, Field(ge=0, le=1)]
    """Share of the searches after which something was opened."""
    last_searched_at: Instant


class Terms(Schema):
    """The terms that people search for most."""

    since: Instant
    """Searches from then on are counted."""
    results: list[TermRead]
