"""Trying automations out, and what there is to build them of."""

from typing import Annotated, Any

from pydantic import Field

from helpdesk_core.api import DbInt, Instant, JsonObject, Schema, Text

TicketRef = Annotated[DbInt | Annotated[Text, Field(max_length=36)], Field(union_mode="left_to_right")]
MOST_EVENTS = 1_000


class DryRunRequest(Schema):
    """What an automation is tried on: a ticket as if the event happened to it now, or an event of the past."""

    ticket_id: TicketRef | None = None
    """The id or the key of a ticket."""
    event: JsonObject | None = None
    """Parts of the payload that the event would have."""
    event_id: DbInt | None = None
    """An event that did happen; its conditions are asked of the ticket as it was then."""
    ignore_conditions: bool = False
    """Try the actions also where the conditions do not hold."""


class DryRun(Schema):
    """What would happen; nothing has."""

    matched: bool
    status: str
    """What the log would say."""
    reason: str
    conditions: dict[str, Any]
    actions: list[dict[str, Any]]


class ExecuteRequest(Schema):
    """What an automation is run on now, whatever its conditions say."""

    ticket_id: TicketRef | None = None
    """The id or the key of a ticket."""


class BacktestRequest(Schema):
    """Which events of the past an automation is held against."""

    since: Instant
    until: Instant | None = None
    """Now, when left out."""
    limit: Annotated[int, Field(ge=1, le=MOST_EVENTS)] = MOST_EVENTS
    """Most events to look at, the newest first."""


class Match(Schema):
    """An event of the past that would have set an automation off."""

    event_id: DbInt
    ticket_id: DbInt | None
    """The key of its ticket."""
    at: Instant


class Backtest(Schema):
    """How often an automation would have run."""

    events: Annotated[int, Field(ge=0)]
    """How many events there were, as far as they were looked at."""
    matched: Annotated[int, Field(ge=0)]
    """How many of them would have set it off."""
    truncated: bool
    """Whether there were more events than were looked at."""
    matches: list[Match]
    """Which, the newest first; up to 100."""


class FieldRead(Schema):
    """Something that conditions can be about."""

    name: str
    type: str
    description: str
    operators: list[str]
    values: list[str]
    """The vocabulary, where there is one."""


class TriggerRead(Schema):
    """Something that can set automations off."""

    type: str
    event: str
    """As events, webhooks and the change feed spell it."""
    plugin: str
    description: str
    has_ticket: bool
    """Whether actions that are about a ticket make sense."""
    fields: list[FieldRead]
    parameters: dict[str, Any]
    """JSON Schema of what the trigger takes beside `conditions`."""
    sample: dict[str, Any]
    """A payload as it may be."""


class ActionRead(Schema):
    """Something that automations can do."""

    type: str
    plugin: str
    description: str
    needs_ticket: bool
    parameters: dict[str, Any]
    """JSON Schema."""
