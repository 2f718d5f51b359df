"""What can set automations off: every event of every plugin, and time."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from functools import cached_property
from typing import Any

from helpdesk_core.api import EventCatalogue, Invalid, check_schedule
from helpdesk_workflow.conditions import Field, Kind
from helpdesk_workflow.facts import COMMENT_FIELDS, HISTORY, TICKET_FIELDS

SCHEDULE = "schedule"
NO_CHANGE = "no_change"
TIME = (SCHEDULE, NO_CHANGE)
FEWEST_HOURS = 0.25
MOST_HOURS = 8760

_CHANGING = {"ticket.updated": HISTORY, "ticket.status_changed": ("status",), "ticket.assigned": ("assigned_agent",)}


@dataclass(frozen=True, slots=True)
class Trigger:
    """Something that can set automations off.

    Attributes:
        type: as events spell it; `schedule` and `no_change` for time.
        title: when it happens, in a sentence.
        plugin: whose event it is.
        fields: what conditions can be about.
        has_ticket: whether it is about a ticket.
        sample: a payload as it may be.
        parameters: JSON Schema of what the trigger has beside `type` and `conditions`.
    """

    type: str
    title: str
    plugin: str
    fields: Mapping[str, Field]
    has_ticket: bool
    sample: Mapping[str, Any] = attribute(default_factory=dict)
    parameters: Mapping[str, Any] = attribute(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the type as automations spell it."""
        return self.type.replace(".", "_")


class Triggers:
    """All there are, by type."""

    def __init__(self, catalogue: EventCatalogue) -> None:
        """Keep the catalogue of events."""
        self._catalogue = catalogue

    @cached_property
    def by_type(self) -> Mapping[str, Trigger]:
        """Every trigger by its type, those of events first."""
        events = {each.type: _of_event(each) for each in self._catalogue.all}
        return {**events, SCHEDULE: _SCHEDULE, NO_CHANGE: _NO_CHANGE}

    def spelled(self, name: str) -> Trigger | None:
        """Return the trigger that `name` means, with underscores or dots."""
        if name in TIME:
            return self.by_type[name]
        kind = self._catalogue.spelled(name)
        return self.by_type.get(kind) if kind else None


def check_time(trigger: Mapping[str, Any], kind: str) -> None:
    """Raise `Invalid` unless a trigger has what its kind of time takes, and nothing else."""
    takes = {SCHEDULE: "cron", NO_CHANGE: "hours"}.get(kind)
    for name in ("cron", "hours"):
        if name == takes and trigger.get(name) is None:
            raise Invalid.field(f"trigger.{name}", "This field is required.")
        if name != takes and trigger.get(name) is not None:
            raise Invalid.field(f"trigger.{name}", f"A trigger of this type has no {name}.")
    if kind == SCHEDULE:
        try:
            check_schedule(trigger["cron"])
        except ValueError as error:
            raise Invalid.field("trigger.cron", f"{error}.") from None
    if kind == NO_CHANGE and not FEWEST_HOURS <= trigger["hours"] <= MOST_HOURS:
        raise Invalid.field("trigger.hours", f"Enter {FEWEST_HOURS} to {MOST_HOURS} hours.")


def _of_event(described: Any) -> Trigger:
    properties = described.schema.get("properties", {})
    has_ticket = "ticket_id" in properties
    fields = {name: _of_payload(name, part) for name, part in properties.items()}
    known = {name: each for name, each in fields.items() if each is not None}
    if "comment_id" in properties:
        known |= COMMENT_FIELDS
    if has_ticket:
        changing = _CHANGING.get(described.type, ())
        known |= {name: _with_changes(each, name in changing) for name, each in TICKET_FIELDS.items()}
    title = described.description.partition("\n")[0]
    return Trigger(described.type, title, described.plugin, known, has_ticket, described.sample)


def _with_changes(about: Field, changes: bool) -> Field:  # noqa: FBT001 - called here alone
    return Field(about.name, about.kind, about.title, about.words, changes, about.also) if changes else about


_KINDS = {"string": Kind.TEXT, "integer": Kind.NUMBER, "number": Kind.NUMBER, "boolean": Kind.BOOLEAN}


def _of_payload(name: str, part: Mapping[str, Any]) -> Field | None:
    """Return the field for a part of a payload; nothing for what is no plain value or list of them."""
    options = [each for each in part.get("anyOf", [part]) if each.get("type") != "null"]
    option = options[0] if len(options) == 1 else {}
    title = str(part.get("description", "")).strip()
    if option.get("type") == "array":
        return Field(name, Kind.LIST, title)
    if "enum" in option:
        return Field(name, Kind.WORD, title, tuple(option["enum"]))
    kind = _KINDS.get(option.get("type", ""))
    if kind is Kind.NUMBER and name.endswith("_id"):
        kind = Kind.KEY
    if kind is Kind.TEXT and option.get("format") == "date-time":
        kind = Kind.INSTANT
    return Field(name, kind, title) if kind else None


_SCHEDULE = Trigger(
    SCHEDULE,
    "At fixed times: once, or for every open ticket when conditions or actions are about tickets.",
    "workflow",
    TICKET_FIELDS,
    has_ticket=True,
    parameters={
        "cron": {"type": "string", "description": "Minute, hour, day, month and weekday, UTC.", "example": "0 9 * * 1"}
    },
)
_NO_CHANGE = Trigger(
    NO_CHANGE,
    "A ticket that is not closed has not changed for some hours; once until it changes again.",
    "workflow",
    TICKET_FIELDS,
    has_ticket=True,
    parameters={"hours": {"type": "number", "minimum": FEWEST_HOURS, "maximum": MOST_HOURS}},
)
