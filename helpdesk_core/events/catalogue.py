"""The catalogue of events: every type that an active plugin declares, with its schema and an example."""

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from helpdesk_core.docstrings import field_docstrings
from helpdesk_core.events.event import Event
from helpdesk_core.events.outbox import Happened

_SAMPLES: Mapping[str, Any] = {
    "integer": 1,
    "number": 1.5,
    "boolean": False,
    "string": "text",
    "object": {},
    "null": None,
}


@dataclass(frozen=True, slots=True)
class EventDescription:
    """What is published of an event type.

    Attributes:
        type: what happened, `ticket.created`.
        version: of the payload.
        plugin: whose event it is.
        description: in a sentence.
        schema: JSON Schema of the payload.
        sample: a payload that fits the schema.
        about: the kinds of resources that it changes, the most specific one first.
    """

    type: str
    version: int
    plugin: str
    description: str
    schema: Mapping[str, Any]
    sample: Mapping[str, Any]
    about: tuple[str, ...]


class EventCatalogue:
    """Every event type of the active plugins."""

    def __init__(self, declared: Iterable[tuple[str, type[Event]]]) -> None:
        """Keep what was declared, as pairs of plugin and event."""
        self._declared = {event.type: (plugin, event) for plugin, event in declared}

    @cached_property
    def all(self) -> tuple[EventDescription, ...]:
        """Every type, in order of its name."""
        return tuple(_described(*self._declared[name]) for name in sorted(self._declared))

    @cached_property
    def _by_type(self) -> dict[str, EventDescription]:
        return {each.type: each for each in self.all}

    @cached_property
    def _spellings(self) -> dict[str, str]:
        return {name.replace(".", "_"): name for name in self._declared} | {name: name for name in self._declared}

    def get(self, event_type: str) -> EventDescription | None:
        """Return the description of a type, if it is known."""
        return self._by_type.get(event_type)

    def spelled(self, name: str) -> str | None:
        """Return the type that is meant by `ticket_created` or `ticket.created`; nothing when there is none."""
        return self._spellings.get(name)

    def about(self, event_type: str) -> Mapping[str, str]:
        """Return what an event type is about, and the fields with the keys; nothing of one that is unknown here."""
        found = self._declared.get(event_type)
        return found[1].about if found else {}

    def read(self, happened: Happened) -> Event | None:
        """Return the event that a row records; nothing when its type is unknown in this process."""
        found = self._declared.get(happened.type)
        return found[1].read(happened.payload, happened.version) if found else None


def _described(plugin: str, event: type[Event]) -> EventDescription:
    schema = event.model_json_schema()
    described = inspect.getdoc(event) or event.__name__
    fields = _fields(event)
    for name, each in schema.get("properties", {}).items():
        if name in fields:
            each.setdefault("description", fields[name])
    schema.pop("description", None)
    sample = _sample(schema, schema.get("$defs", {}))
    return EventDescription(
        event.type, event.version, plugin, described.splitlines()[0], schema, sample, tuple(event.about)
    )


def _fields(event: type[Event]) -> dict[str, str]:
    """Return what the docstrings of a class and its bases say of each field."""
    bases = [base for base in reversed(event.__mro__) if issubclass(base, Event) and base is not Event]
    listed = {name: text for base in bases for name, text in _listed(base)}
    return listed | {name: " ".join(text.split()) for name, text in field_docstrings(event).items()}


def _listed(event: type[Event]) -> Iterator[tuple[str, str]]:
    """Iterate over the fields in the section `Attributes` of a docstring."""
    _, _, attributes = inspect.cleandoc(event.__doc__ or "").partition("Attributes:\n")
    for entry in re.split(r"^ {4}(?=\w)", attributes, flags=re.MULTILINE)[1:]:
        name, _, text = entry.partition(": ")
        yield name, " ".join(text.split())


def _sample(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Any:
    """Return a value that fits a schema of a payload: keys, words, numbers and lists of them."""
    if "$ref" in schema:
        return _sample(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    for key in ("examples", "enum"):
        if key in schema:
            return schema[key][0]
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        return _sample(schema["anyOf"][0], definitions)
    if schema.get("format") == "date-time":
        return "2024-01-01T00:00:00Z"
    if schema.get("type") == "array":
        return [_sample(schema.get("items", {}), definitions)]
    if "properties" in schema:
        return {name: _sample(each, definitions) for name, each in schema["properties"].items()}
    return _SAMPLES.get(schema.get("type", "string"))
