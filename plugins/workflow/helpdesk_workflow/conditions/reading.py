"""Reads conditions from JSON: the documented flat map, and trees of comparisons; says what is wrong, and where."""

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Any

from pydantic import TypeAdapter, ValidationError

from helpdesk_core.api import Instant, Invalid
from helpdesk_workflow.conditions.comparing import equality, test_of
from helpdesk_workflow.conditions.fields import CHANGES, OF_SEVERAL, WITHOUT_VALUE, Field, Kind
from helpdesk_workflow.conditions.tree import All, AnyOf, Leaf, Node, Not

DEEPEST = 5
MOST_NODES = 50
LARGEST = 16_384
MOST_VALUES = 50
LONGEST_TEXT = 1000
LARGEST_KEY = 2**53 - 1

_INSTANT = TypeAdapter(Instant)


@dataclass
class Reading:
    """What reading conditions found.

    Attributes:
        root: the tree.
        names: the fields that it is about.
        references: keys and names that must exist, with where they stand.
    """

    root: Node
    names: frozenset[str]
    references: list[tuple[str, Kind, int | str]] = field(default_factory=list)


def read_conditions(
    conditions: Mapping[str, Any], fields: Mapping[str, Field], path: str = "trigger.conditions"
) -> Reading:
    """Return the tree that `conditions` mean.

    Args:
        conditions: `{"priority": "high"}`, or `{"all": [...]}`, `{"any": [...]}`, `{"not": ...}` and comparisons
            `{"field": ..., "operator": ..., "value": ...}` in each other.
        fields: what they may be about.
        path: where they stand, for errors.

    Raises:
        Invalid: naming the part that is wrong.
    """
    if len(json.dumps(conditions, ensure_ascii=False).encode()) > LARGEST:
        raise Invalid.field(path, f"Conditions take at most {LARGEST} bytes.")
    reader = _Reader(fields, path)
    return Reading(reader.read(conditions, path, 1), frozenset(reader.names), reader.references)


class _Reader:
    def __init__(self, fields: Mapping[str, Field], path: str) -> None:
        self.fields = fields
        self.path = path
        self.nodes = 0
        self.names: set[str] = set()
        self.references: list[tuple[str, Kind, int | str]] = []

    def read(self, part: Any, path: str, depth: int) -> Node:
        if depth > DEEPEST:
            raise Invalid.field(path, f"Conditions are nested at most {DEEPEST} deep.")
        if not isinstance(part, Mapping):
            raise Invalid.field(path, "Enter an object.")
        if "operator" in part:
            return self._comparison(part, path)
        parts = [self._entry(name, value, f"{path}.{name}", depth) for name, value in part.items()]
        return parts[0] if len(parts) == 1 else All(parts)

    def _entry(self, name: str, value: Any, path: str, depth: int) -> Node:
        if name in {"all", "any"}:
            self._count(path)
            parts = [self.read(each, f"{path}.{place}", depth + 1) for place, each in enumerate(_list(value, path))]
            return All(parts) if name == "all" else AnyOf(parts)
        if name == "not":
            self._count(path)
            return Not(self.read(value, path, depth + 1))
        return self._leaf(name, "in" if isinstance(value, list) else "is", value, path)

    def _comparison(self, part: Mapping[str, Any], path: str) -> Node:
        unknown = [name for name in part if name not in {"field", "operator", "value"}]
        if unknown:
            raise Invalid.field(f"{path}.{unknown[0]}", "Unknown field. A comparison has field, operator and value.")
        name, operator = part.get("field"), part["operator"]
        if not isinstance(name, str) or not isinstance(operator, str):
            raise Invalid.field(path, "A comparison has a field and an operator.")
        if (operator in WITHOUT_VALUE) == ("value" in part):
            takes = "no value" if operator in WITHOUT_VALUE else "a value"
            raise Invalid.field(f"{path}.value", f"{operator} takes {takes}.")
        return self._leaf(name, operator, part.get("value"), path)

    def _leaf(self, name: str, operator: str, value: Any, path: str) -> Node:
        self._count(path)
        about = self.fields.get(name)
        if about is None:
            near = difflib.get_close_matches(name, list(self.fields), n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise Invalid.field(path, f"Unknown field {name[:50]!r}.{hint} Known: {', '.join(self.fields)}.")
        self.names.add(name)
        if operator not in about.operators:
            known = ", ".join(about.operators)
            raise Invalid.field(path, f"{name} cannot be asked {operator[:50]!r}; it can be asked {known}.")
        if operator in WITHOUT_VALUE:
            return Leaf(about, operator, None, test_of(about, operator, None) if operator != "changed" else bool)
        read = self._value(about, operator, value, path)
        test = equality(about, read) if operator in CHANGES else test_of(about, operator, read)
        return Leaf(about, operator, value, test)

    def _value(self, about: Field, operator: str, value: Any, path: str) -> Any:
        several = isinstance(value, list) and (operator in OF_SEVERAL or operator in CHANGES)
        if operator in OF_SEVERAL and not isinstance(value, list):
            raise Invalid.field(path, f"{operator} takes a list.")
        if several and not 1 <= len(value) <= MOST_VALUES:
            raise Invalid.field(path, f"Enter 1 to {MOST_VALUES} values.")
        read = [self._one(about, operator, each, path) for each in (value if several else [value])]
        return read if several else read[0]

    def _one(self, about: Field, operator: str, value: Any, path: str) -> Any:
        if value is None and operator in {"is", "is_not", "in", "not_in", *CHANGES} and about.kind is not Kind.BOOLEAN:
            return None
        problem = _PROBLEMS[about.kind](about, value)
        if problem:
            raise Invalid.field(path, problem)
        if about.kind in {Kind.CATEGORY, Kind.USER}:
            self.references.append((path, about.kind, value))
        return _instant(value) if about.kind is Kind.INSTANT else value

    def _count(self, path: str) -> None:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise Invalid.field(path, f"Conditions have at most {MOST_NODES} parts.")


def _list(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise Invalid.field(path, "Enter a list of conditions.")
    return value


def _instant(value: Any) -> datetime | None:
    try:
        return _INSTANT.validate_python(value) if isinstance(value, str) else None
    except ValidationError:
        return None


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)


def _word(about: Field, value: Any) -> str:
    return "" if value in about.words else f"Invalid choice. Known: {', '.join(about.words)}."


def _text(_: Field, value: Any) -> str:
    return "" if isinstance(value, str) and len(value) <= LONGEST_TEXT else f"Enter a text, up to {LONGEST_TEXT}."


def _key(_: Field, value: Any) -> str:
    return "" if _is_integer(value) and 0 < value <= LARGEST_KEY else "Enter a key, which is a positive integer."


def _category(about: Field, value: Any) -> str:
    good = _text(about, value) == "" or _key(about, value) == ""
    return "" if good else "Enter the id, the name or the slug of a category."


_PROBLEMS: Mapping[Kind, Callable[[Field, Any], str]] = {
    Kind.TEXT: _text,
    Kind.WORD: _word,
    Kind.RANK: _word,
    Kind.NUMBER: lambda _, value: "" if _is_number(value) else "Enter a number.",
    Kind.BOOLEAN: lambda _, value: "" if isinstance(value, bool) else "Enter true or false.",
    Kind.INSTANT: lambda _, value: "" if _instant(value) else "Enter a date and time like 2024-01-31T09:30:00Z.",
    Kind.LIST: lambda about, value: "" if _is_integer(value) else _text(about, value),
    Kind.CATEGORY: _category,
    Kind.USER: _key,
    Kind.KEY: _key,
}
"""What is wrong with a value of each kind; nothing if it is right."""
