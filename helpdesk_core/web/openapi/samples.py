"""Examples of bodies, for people who try an operation out."""

from collections.abc import Mapping
from typing import Any

from helpdesk_core.web.openapi.generators import Document, name_in

_FORMATS = {
    "date-time": "2024-01-31T09:30:00Z",
    "date": "2024-01-31",
    "uuid": "123e4567-e89b-12d3-a456-426614174000",
    "email": "jo@example.com",
}


def sample_of(schema: Document, definitions: Mapping[str, Document]) -> dict[str, Any]:
    """Return a body under the fields' own names: what is required, and what has an example, a default or a choice."""
    required = schema.get("required", ())
    return {
        name: _value(found, definitions)
        for name, found in schema.get("properties", {}).items()
        if name in required or found.keys() & {"examples", "default", "enum"}
    }


def _value(schema: Document, definitions: Mapping[str, Document]) -> Any:
    if "$ref" in schema:
        return _value(definitions[name_in(schema)], definitions)
    if "examples" in schema:
        return schema["examples"][0]
    for key in ("default", "const"):
        if key in schema:
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return _value(schema[key][0], definitions)
    return _typed(schema, definitions)


def _typed(schema: Document, definitions: Mapping[str, Document]) -> Any:
    match schema.get("type"):
        case "object":
            return sample_of(schema, definitions)
        case "array":
            return [_value(schema["items"], definitions)] if schema.get("minItems") else []
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case _:
            return _FORMATS.get(schema.get("format", ""), "string")
