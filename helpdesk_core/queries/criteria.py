"""What is asked of a list, and what is found: filters, orders, totals, the keys of one page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import InstrumentedAttribute

Attribute = InstrumentedAttribute[Any]
Ordering = tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Order:
    """A field to sort by, where the two directions need different columns (nulls last both ways)."""

    ascending: Attribute
    descending: Attribute


@dataclass(frozen=True)
class Totals:
    """Maintained counters that answer `count` without counting.

    Attributes:
        total: the counter's value column.
        columns: the counter's column for each filter that it covers.
    """

    total: Attribute
    columns: Mapping[str, Attribute]


@dataclass(frozen=True, slots=True)
class Found:
    """The keys of one page, and how many rows there are in all.

    Attributes:
        keys: in order.
        count: exact; for searches exact up to `COUNTED_HITS`.
        capped: whether there are more hits than were counted.
    """

    keys: Sequence[int]
    count: int
    capped: bool = False


@dataclass(frozen=True, slots=True)
class Criteria:
    """What to find: values by filter name, search words, sorting and place.

    Attributes:
        values: filter values by name; names not given are absent.
        search: the text to search for.
        ordering: `(name, descending)` in order; empty means the model's own.
        limit: rows wanted.
        offset: rows to skip.
    """

    values: Mapping[str, Any]
    search: str | None = None
    ordering: Ordering = ()
    limit: int = 20
    offset: int = 0
