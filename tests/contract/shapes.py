"""Compares an answer of the server with an example of the documents.

The same shape means: the same keys, the same JSON types at every depth, and texts of the same form
(a UUID where the example shows a UUID). Values are free. Where `contract.yaml` says that a field may be
null or that an object's keys are data, that is allowed for the field of that name at any depth.
"""

import re
from collections.abc import Iterator
from typing import Any

from tests.contract.documents import CONTRACT

FORMS = {
    "a UUID": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "a time like 2024-01-15T10:30:00Z": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "a date like 2024-01-15": r"\d{4}-\d\d-\d\d",
    "a ticket number like TKT-001": r"TKT-(\d{3}|[1-9]\d{3,})",
    "a colour like #007bff": r"#[0-9a-f]{6}",
    "a request id like req_123456789": r"req_\d+",
    "an e-mail address": r"[^@\s]+@[^@\s]+\.[^@\s]+",
    "an absolute URL": r"https?://\S+",
    "a phone number like +1234567890": r"\+\d{6,15}",
    "a signed token": r"eyJ[\w-]*\.[\w-]+\.[\w-]+",
    "an age like 2 hours ago": r"just now|(\d+ (minute|hour|day|week|month|year)s? ago)",
    "a duration like 2.5 days": r"\d+(\.\d)? (minute|hour|day)s?",
}

OPEN: dict[str, Any] = CONTRACT["forms"]["open"]
NULLABLE: dict[str, Any] = CONTRACT["forms"]["nullable"]


def assert_shape(found: Any, example: Any) -> None:
    """Fail with every difference between the shapes of `found` and `example`."""
    if lines := list(differences(found, example)):
        raise AssertionError("not the documented shape:\n  " + "\n  ".join(lines))


def differences(found: Any, example: Any, path: str = "answer") -> Iterator[str]:
    """One sentence per difference: where it is, what was expected, what was found."""
    field = re.split(r"[.\[]", path)[-1]
    if found is None and field in NULLABLE:
        return
    if example is None:
        yield from _where_null_is_shown(found, field, path)
    elif isinstance(example, dict) and field in OPEN:
        yield from _open_object(found, OPEN[field], path)
    elif isinstance(example, dict):
        yield from _object(found, example, path)
    elif isinstance(example, list):
        yield from _list(found, example, path)
    elif not _same_type(found, example):
        yield _sentence(path, _described(example), found)
    elif isinstance(example, str):
        yield from _text(found, example, path)


def _where_null_is_shown(found: Any, field: str, path: str) -> Iterator[str]:
    if found is None:
        return
    if field in NULLABLE:
        yield from differences(found, NULLABLE[field], path)
    else:
        yield _sentence(path, "null", found)


def _object(found: Any, example: dict[str, Any], path: str) -> Iterator[str]:
    if not isinstance(found, dict):
        yield _sentence(path, "an object", found)
        return
    for name in example.keys() - found.keys():
        yield f"{path}.{name}: missing, expected {_described(example[name])}"
    for name in found.keys() - example.keys():
        yield f"{path}.{name}: not documented, found {_shown(found[name])}"
    for name, value in example.items():
        if name in found:
            yield from differences(found[name], value, f"{path}.{name}")


def _open_object(found: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(found, dict):
        yield _sentence(path, "an object", found)
    elif value is not None:
        for name in found:
            yield from differences(found[name], value, f"{path}.{name}")


def _list(found: Any, example: list[Any], path: str) -> Iterator[str]:
    if not isinstance(found, list):
        yield _sentence(path, "a list", found)
    elif example and not found:
        yield f"{path}: expected at least one element to compare, found an empty list"
    elif example:
        for index, element in enumerate(found):
            yield from differences(element, example[0], f"{path}[{index}]")


def _text(found: str, example: str, path: str) -> Iterator[str]:
    for name, pattern in FORMS.items():
        if re.fullmatch(pattern, example):
            if not re.fullmatch(pattern, found):
                yield _sentence(path, name, found)
            return


def _same_type(found: Any, example: Any) -> bool:
    """Types as JSON has them: true is no number, and 24.5 may come as 24 but 3 not as 3.5."""
    if isinstance(example, float):
        return isinstance(found, int | float) and not isinstance(found, bool)
    return type(found) is type(example)


def _described(example: Any) -> str:
    if isinstance(example, str):
        forms = (name for name, pattern in FORMS.items() if re.fullmatch(pattern, example))
        return next(forms, f"a text like {_shown(example)}")
    names = {bool: "true or false", int: "an integer", float: "a number", dict: "an object"}
    return names.get(type(example), "a list" if example is not None else "null")


def _sentence(path: str, expected: str, found: Any) -> str:
    return f"{path}: expected {expected}, found {_shown(found)}"


def _shown(found: Any) -> str:
    text = "null" if found is None else repr(found)
    return text if len(text) <= 80 else text[:77] + "..."
