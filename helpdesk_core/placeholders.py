"""Texts with `{placeholders}`: found, and filled in by one pass that never looks at what it has filled in.

Doubled braces stand for single ones. Anything else between braces is plain text: there are no expressions.
"""

import re
from collections.abc import Mapping

_VARIABLE = r"[^\W\d]\w{0,49}"
_PART = re.compile(rf"\{{\{{|\}}\}}|\{{({_VARIABLE})\}}")


def is_variable(name: str) -> bool:
    """Tell whether `name` can stand between braces."""
    return re.fullmatch(_VARIABLE, name) is not None


def variables_in(text: str) -> list[str]:
    """Return the names in `text`, each once, in order of appearance.

    >>> variables_in("{{not}} {zone}: {name}, {name} {0}")
    ['zone', 'name']
    """
    return list(dict.fromkeys(part[1] for part in _PART.finditer(text) if part[1]))


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return `text` with values for its placeholders; those without a value stay.

    >>> fill("{{x}} {a} {b}", {"a": "{b}"})
    '{x} {b} {b}'
    """

    def replaced(part: re.Match[str]) -> str:
        return values.get(part[1], part[0]) if part[1] else part[0][0]

    return _PART.sub(replaced, text)


def filled_length(text: str, values: Mapping[str, str]) -> int:
    """Return how long `fill` would make `text`, without making it: a few braces can ask for gigabytes."""
    parts = _PART.finditer(text)
    grown = (len(values.get(part[1], part[0])) - len(part[0]) if part[1] else -1 for part in parts)
    return len(text) + sum(grown)
