"""What each operator asks of a value: made once when conditions are read, called for every event."""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from helpdesk_workflow.conditions.fields import OF_SEVERAL, Field, Kind

Test = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class CategoryFact:
    """A category by all that conditions may call it."""

    id: int
    name: str
    slug: str


def fold(text: str) -> str:
    """Return the form by which texts are compared: without case, spacing at the ends and ways of encoding."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def test_of(field: Field, operator: str, value: Any) -> Test:
    """Return the test of an operator; `value` has been checked."""
    if operator == "is_empty":
        return is_empty
    if operator == "is_not_empty":
        return lambda actual: not is_empty(actual)
    negated = operator.startswith("not_") or operator == "is_not"
    test = _positive(field, operator.removeprefix("not_").replace("is_not", "is"), value)
    return (lambda actual: not test(actual)) if negated else test


def is_empty(actual: Any) -> bool:
    """Tell whether nothing is there."""
    return actual is None or actual == "" or actual in ((), [])


def equality(field: Field, value: Any) -> Test:
    """Return the test whether something is `value`, or any of several."""
    tests = [_is(field, each) for each in (value if isinstance(value, list) else [value])]
    return tests[0] if len(tests) == 1 else lambda actual: any(test(actual) for test in tests)


def _positive(field: Field, operator: str, value: Any) -> Test:
    if operator in OF_SEVERAL or operator == "is":
        return equality(field, value)
    if operator == "contains" and field.kind is Kind.LIST:
        return equality(field, value)
    if field.kind is Kind.TEXT:
        part = fold(value)
        compare = _TEXT[operator]
        return lambda actual: actual is not None and compare(fold(actual), part)
    order = _ORDER[operator]
    if field.kind is Kind.RANK:
        place = field.words.index(value)
        return lambda actual: actual in field.words and order(field.words.index(actual), place)
    return lambda actual: actual is not None and order(actual, value)


def _is(field: Field, value: Any) -> Test:
    if value is None:
        return is_empty
    if field.kind is Kind.TEXT:
        text = fold(value)
        return lambda actual: actual is not None and fold(actual) == text
    if field.kind is Kind.LIST:
        text = fold(value) if isinstance(value, str) else value
        return lambda actual: text in [fold(each) if isinstance(each, str) else each for each in actual or ()]
    if field.kind is Kind.CATEGORY:
        return _is_category(value)
    if field.also and value in field.also:
        words = field.also[value]
        return lambda actual: actual in words
    return lambda actual: bool(actual == value)


def _is_category(value: int | str) -> Test:
    if isinstance(value, int):
        return lambda actual: actual is not None and actual.id == value
    name = fold(value)
    return lambda actual: actual is not None and name in {actual.slug, fold(actual.name)}


_TEXT: Mapping[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
}

_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "greater": lambda a, b: a > b,
    "after": lambda a, b: a > b,
    "less": lambda a, b: a < b,
    "before": lambda a, b: a < b,
    "at_least": lambda a, b: a >= b,
    "at_most": lambda a, b: a <= b,
}
