"""What conditions can be about: fields, their kinds, and the operators of each kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    WORD = "word"
    RANK = "rank"
    NUMBER = "number"
    BOOLEAN = "boolean"
    INSTANT = "instant"
    LIST = "list"
    CATEGORY = "category"
    USER = "user"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Field:
    """Something that conditions can be about.

    Attributes:
        name: as conditions spell it.
        kind: what it holds.
        title: a short sentence for the people who write automations.
        words: the vocabulary of a word or a rank, lowest first.
        changes: whether the event tells what it was before, so that `changed` and its like apply.
        also: words that mean several stored ones, as the API shows them.
    """

    name: str
    kind: Kind
    title: str = ""
    words: tuple[str, ...] = ()
    changes: bool = False
    also: Mapping[str, tuple[str, ...]] | None = None

    @property
    def operators(self) -> tuple[str, ...]:
        """Return the operators that apply."""
        return (*OPERATORS[self.kind], *(CHANGES if self.changes else ()))


CHANGES = ("changed", "changed_to", "changed_from")
WITHOUT_VALUE = frozenset({"is_empty", "is_not_empty", "changed"})
OF_SEVERAL = frozenset({"in", "not_in"})

_EQUALITY = ("is", "is_not", "in", "not_in")
_PRESENCE = ("is_empty", "is_not_empty")
_ORDER = ("greater", "less", "at_least", "at_most")
_PARTS = ("contains", "not_contains")

OPERATORS: Mapping[Kind, tuple[str, ...]] = {
    Kind.TEXT: (*_EQUALITY, *_PARTS, "starts_with", "ends_with", *_PRESENCE),
    Kind.WORD: (*_EQUALITY, *_PRESENCE),
    Kind.RANK: (*_EQUALITY, *_ORDER, *_PRESENCE),
    Kind.NUMBER: (*_EQUALITY, *_ORDER, *_PRESENCE),
    Kind.BOOLEAN: ("is", "is_not"),
    Kind.INSTANT: ("before", "after", *_PRESENCE),
    Kind.LIST: (*_EQUALITY, *_PARTS, *_PRESENCE),
    Kind.CATEGORY: (*_EQUALITY, *_PRESENCE),
    Kind.USER: (*_EQUALITY, *_PRESENCE),
    Kind.KEY: (*_EQUALITY, *_PRESENCE),
}
"""What can be asked of each kind; the same list is shown by the catalogue and checked at save."""
