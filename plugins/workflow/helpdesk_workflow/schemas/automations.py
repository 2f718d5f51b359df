"""Automations as they are sent and shown."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from helpdesk_core.api import (
    Body,
    DbInt,
    Filters,
    Instant,
    JsonObject,
    Line,
    QueryBool,
    Schema,
    Text,
    UntilDateTime,
    Username,
    Words,
)

MOST_ACTIONS = 20
TRIGGER = {"type": "ticket_created", "conditions": {"priority": "high"}}
ACTIONS = [{"type": "set_priority", "parameters": {"priority": "urgent"}}]


class TriggerWrite(Schema):
    """What sets an automation off."""

    type: Annotated[Text, Field(max_length=100)]
    """One of `/advanced-workflow/triggers/`, with underscores or dots."""
    conditions: JsonObject = Field(default_factory=dict)
    """`{"priority": "high"}`: all of them; or `{"all": [...]}`, `{"any": [...]}`, `{"not": {...}}` and comparisons
    `{"field": ..., "operator": ..., "value": ...}` in each other."""
    hours: float | None = None
    """Of `no_change`: for how long nothing has happened."""
    cron: Annotated[Text, Field(max_length=100)] | None = None
    """Of `schedule`: minute, hour, day, month and weekday, UTC."""


class ActionWrite(Schema):
    """Something to do."""

    type: Annotated[Text, Field(max_length=100)]
    """One of `/advanced-workflow/actions/`."""
    parameters: JsonObject = Field(default_factory=dict)


class AutomationRead(Schema):
    """When something happens and conditions hold, do something."""

    id: DbInt
    name: str
    description: str
    trigger: dict[str, Any]
    """As it was sent."""
    actions: list[dict[str, Any]]
    """As they were sent, in the order in which they run."""
    is_active: bool
    execution_count: Annotated[int, Field(ge=0)]
    """How often its actions ran."""
    last_executed: Instant | None
    created_at: Instant
    updated_at: Instant


class AutomationDetails(Schema):
    """What is shown of an automation on request."""

    author: Username
    """Whoever saved last what it does: it acts with their rights."""
    version: Annotated[int, Field(ge=1)]
    problem: str
    """Why it does not run although it is active, or was switched off; empty if all is well."""
    failure_count: Annotated[int, Field(ge=0)]
    """Failures since it last worked."""


READ_ONLY = frozenset({*AutomationRead.model_fields, *AutomationDetails.model_fields})

Name = Annotated[Line, AfterValidator(str.strip)]
TriggerBody = Annotated[TriggerWrite, Field(examples=[TRIGGER])]
ActionsBody = Annotated[list[ActionWrite], Field(min_length=1, max_length=MOST_ACTIONS, examples=[ACTIONS])]


def untouched() -> Any:
    """Return the default of a field that an update may leave out; nobody looks at it (see `changes`)."""
    return Field(default_factory=lambda: None)


class AutomationCreate(Schema):
    """A new automation."""

    read_only = READ_ONLY

    name: Name
    description: Body = ""
    trigger: TriggerBody
    actions: ActionsBody
    is_active: bool = True


class AutomationUpdate(Schema):
    """Changes of an automation; what is left out stays."""

    read_only = READ_ONLY

    name: Name = untouched()
    description: Body = untouched()
    trigger: TriggerBody = untouched()
    actions: ActionsBody = untouched()
    is_active: bool = untouched()


class AutomationFilters(Filters):
    """Query parameters of the list of automations."""

    is_active: QueryBool | None = None
    trigger: Words[Text] | None = None
    """Types, with underscores or dots."""
    author: DbInt | None = None
    has_problem: QueryBool | None = None


class CloneRequest(Schema):
    """What the copy is called."""

    name: Name | None = None
    """`Copy of ...` when left out."""


class RestoreRequest(Schema):
    """Which version an automation is to be again."""

    version: DbInt


class VersionRead(Schema):
    """What an automation was from one change to the next."""

    version: Annotated[int, Field(ge=1)]
    name: str
    description: str
    trigger: dict[str, Any]
    actions: list[dict[str, Any]]
    is_active: bool
    changed_by: Username
    created_at: Instant


class VersionFilters(Filters):
    """Query parameters of the list of versions."""


class AutomationSummary(Schema):
    """An automation as the log shows it."""

    id: DbInt
    name: str


class TicketSummary(Schema):
    """A ticket as the log shows it."""

    id: str
    ticket_number: str
    key: DbInt


class ExecutionRead(Schema):
    """What came of an automation at one occasion."""

    id: DbInt
    automation: AutomationSummary
    version: Annotated[int, Field(ge=1)]
    """What it was then."""
    cause: str
    """`event`, `time` or `hand`."""
    event: str
    """The type of the event, or the kind of time."""
    event_id: DbInt | None
    ticket: TicketSummary | None
    matched: bool
    status: str
    """`done`, `failed`, `waiting`, `unmatched`, `stopped` by a limit, or `skipped` because it could not run."""
    reason: str
    """Why it did not end well; empty if it did."""
    conditions: dict[str, Any]
    """Each with what was expected and what was found."""
    actions: list[dict[str, Any]]
    """Each with what it changed, from what to what."""
    hops: Annotated[int, Field(ge=0)]
    """How many automations led to it."""
    duration_ms: Annotated[int, Field(ge=0)]
    executed_by: DbInt | None
    """Who started it by hand."""
    created_at: Instant


class OwnExecutionFilters(Filters):
    """Query parameters of the log of one automation."""

    ticket: Annotated[Text, Field(max_length=36)] | None = None
    """The id or the key of a ticket."""
    matched: QueryBool | None = None
    status: Words[Text] | None = None
    cause: Words[Text] | None = None
    event_id: DbInt | None = None
    created_after: Instant | None = None
    created_before: UntilDateTime | None = None


class ExecutionFilters(OwnExecutionFilters):
    """Query parameters of the whole log."""

    automation: DbInt | None = None
