"""Bodies that a schema accepts, made from the schema itself, so that new endpoints need no new sample."""

from collections.abc import Iterator
from itertools import count
from typing import Any

from helpdesk_core.schemas import Schema

_NUMBERS = count(1)


def sample_body(schema: type[Schema], references: dict[str, int]) -> dict[str, Any]:
    """Return a body with every required field of `schema`, and each name of `references` that it knows."""
    definition = schema.model_json_schema(mode="validation")
    required = definition.get("required", [])
    body = {name: _sample(name, definition["properties"][name], definition) for name in required}
    return body | {name: key for name, key in references.items() if name in definition["properties"]}


def reference_fields(schema: type[Schema]) -> Iterator[str]:
    """Iterate over the fields of `schema` that take a key, or a list of keys."""
    definition = schema.model_json_schema(mode="validation")
    for name, part in definition.get("properties", {}).items():
        if _takes_a_key(part, definition):
            yield name


def _takes_a_key(part: dict[str, Any], definition: dict[str, Any]) -> bool:
    for option in _options(part, definition):
        if option.get("type") == "integer" and option.get("maximum") == 2**53 - 1:
            return True
        if option.get("type") == "array" and _takes_a_key(option.get("items", {}), definition):
            return True
    return False


def _options(part: dict[str, Any], definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in part:
        part = definition["$defs"][part["$ref"].rpartition("/")[2]]
    for option in part.get("anyOf", [part]):
        if option is part:
            yield part
        else:
            yield from _options(option, definition)


def _sample(name: str, part: dict[str, Any], definition: dict[str, Any]) -> Any:
    if part.get("examples"):
        return part["examples"][0]
    option = next(_options(part, definition))
    if "enum" in option:
        return option["enum"][0]
    if "const" in option:
        return option["const"]
    kind = option.get("type")
    if kind == "array" and "examples" in part:
        return part["examples"][0]
    simple = {"integer": 1, "number": 1, "boolean": False, "array": [], "object": {}}
    return simple[kind] if kind in simple else _text(name, option)


def _text(name: str, option: dict[str, Any]) -> str:
    number = next(_NUMBERS)
    if option.get("examples"):
        return str(option["examples"][0])
    if option.get("format") == "date-time":
        return "2024-01-01T00:00:00Z"
    if "email" in name:
        return f"sample{number}@example.com"
    if "password" in name:
        return f"a long sample password {number}"
    return f"sample{number}"
