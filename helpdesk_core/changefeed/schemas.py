"""What goes over the wire about changes."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from helpdesk_core.schemas import Schema, UtcDateTime

LARGEST_PAGE = 100
NOW = "now"


def _split(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value


class ChangeQuery(Schema):
    """Query parameters of the change feed."""

    cursor: Annotated[str, Field(max_length=64, examples=["0-4711"])] | None = None
    """`next_cursor` of the answer before; nothing begins with the oldest event that is kept, `now` skips them all."""
    page_size: Annotated[int, Field(ge=1, le=2**31)] = LARGEST_PAGE
    """Events that are looked at; more than 100 are served as 100. Each gives one item for each resource that it
    touched and the caller can see."""
    types: (
        Annotated[
            tuple[str, ...], Field(min_length=1, max_length=50), BeforeValidator(_split, json_schema_input_type=str)
        ]
        | None
    ) = None
    """Only these, separated by commas: types of events, `ticket.created`, or resources, `ticket`."""


class ChangeRead(Schema):
    """One resource that an event touched."""

    id: str
    """The position of the event; items of one event share it."""
    type: str
    """What happened. Who may not know of it, because it is about an internal comment for instance, is told that the
    resource around it was updated."""
    timestamp: UtcDateTime
    object: str
    """The kind of resource, `ticket`."""
    key: int
    """The key of the resource, also where its `id` is something else."""
    about: dict[str, int]
    """Keys of everything that the event touched and the caller can know of: of a comment, its ticket as well."""
    data: dict[str, Any] | None
    """The resource as it is now, as its own endpoint shows it; null when it is gone, or out of the caller's sight."""


class ChangePage(Schema):
    """What happened after a cursor, in order."""

    results: list[ChangeRead]
    next_cursor: str
    """Ask with this next time, also if `results` is empty."""
    has_more: bool
    """Whether more has happened already."""


class EventRead(Schema):
    """A kind of event."""

    type: str
    version: int
    """Goes up when a field changes its meaning or goes away."""
    plugin: str
    description: str
    about: list[str]
    """The kinds of resources that it changes, the most specific first."""
    payload: dict[str, Any]
    """JSON Schema of the payload."""
    sample: dict[str, Any]
    """A payload as it may be."""
