"""Write docs/reference/events.md from what the core and the plugins of this tree declare.

uv run python tools/reference_events.py
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from helpdesk_core.events import EventDescription
from helpdesk_core.plugins import PluginHost, load_plugins

TARGET = Path(__file__).resolve().parent.parent / "docs" / "reference" / "events.md"
HEADING = """\
# Events

<!-- Written by tools/reference_events.py; tests/guards/test_events_reference.py keeps it current. -->

What the core and its plugins publish, with the fields of each payload. A payload holds keys and words of a stored
vocabulary; what it is about can be read through the API. A version goes up when a field changes its meaning or goes
away. `GET /api/v1/meta/events/` has the same as JSON Schema, for the plugins of an installation.
"""


def render(host: PluginHost) -> str:
    """Return the page."""
    parts = [HEADING]
    names = {plugin.id: plugin.manifest.name for plugin in host.active if plugin.manifest}
    for plugin, name in names.items():
        events = [event for event in host.catalogue.all if event.plugin == plugin]
        if events:
            parts += [f"## {name}", "", *(line for event in events for line in section(event))]
    return "\n".join(parts)


def section(event: EventDescription) -> Iterator[str]:
    """Iterate over the lines about one event."""
    yield f"### `{event.type}`"
    yield ""
    version = f" Version {event.version}." if event.version > 1 else ""
    about = f" Changes: {', '.join(event.about)}." if event.about else ""
    yield f"{event.description}{about}{version}"
    yield ""
    properties = event.schema.get("properties", {})
    for name, schema in properties.items():
        described = " ".join(str(schema.get("description", "")).split())
        yield f"- `{name}` ({kind(schema)}): {described}" if described else f"- `{name}` ({kind(schema)})"
    if properties:
        yield ""


def kind(schema: Mapping[str, Any]) -> str:
    """Return the type of a field in a word or two."""
    if "anyOf" in schema:
        return " or ".join(kind(each) for each in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type", "any"))


if __name__ == "__main__":
    TARGET.write_text(render(load_plugins()), encoding="utf-8")
