"""What a list can be filtered by: each kind makes SQL for a number of values, and binds them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String, and_, bindparam, exists, func, or_, true
from sqlalchemy.orm import InstrumentedAttribute, aliased

from helpdesk_core.queries.fields import Viewer
from helpdesk_core.search import SearchIndex

Attribute = InstrumentedAttribute[Any]
MOST_WORDS = 10
"""Words of a search beyond this many are ignored."""


class Filter:
    """One query parameter of a list."""

    def values(self, value: Any) -> Sequence[Any]:
        """Return the values to bind; how many there are is part of the statement's shape."""
        return value if isinstance(value, tuple) else (value,)

    def criterion(self, name: str, arity: int) -> ColumnElement[bool]:
        """Return the condition for `arity` values, bound as `<name>_0`, `<name>_1`..."""
        raise NotImplementedError

    def arms(self, name: str, arity: int) -> Sequence[ColumnElement[bool]]:
        """Return the alternatives that make the condition, each one range of an index; none if it is one itself."""
        return ()


@dataclass(frozen=True)
class Equals(Filter):
    """The column is the value, or any of several."""

    column: Attribute

    def criterion(self, name: str, arity: int) -> ColumnElement[bool]:
        """Compare with one value, or with a list of them."""
        values = [bindparam(f"{name}_{i}", type_=self.column.type) for i in range(arity)]
        return self.column == values[0] if arity == 1 else self.column.in_(values)

    def arms(self, name: str, arity: int) -> Sequence[ColumnElement[bool]]:
        """Return one comparison for each value."""
        return [self.column == bindparam(f"{name}_{i}", type_=self.column.type) for i in range(arity)]


@dataclass(frozen=True)
class AnyOf(Filter):
    """One of several columns is the value."""

    columns: tuple[Attribute, ...]

    def criterion(self, name: str, arity: int) -> ColumnElement[bool]:
        """Compare each column."""
        return or_(*self.arms(name, arity))

    def arms(self, name: str, arity: int) -> Sequence[ColumnElement[bool]]:
        """Return one comparison for each column and value."""
        return [arm for column in self.columns for arm in Equals(column).arms(name, arity)]


@dataclass(frozen=True)
class _Bound(Filter):
    column: Attribute
    lower: bool

    def criterion(self, name: str, arity: int) -> ColumnElement[bool]:
        bound = bindparam(f"{name}_0", type_=self.column.type)
        return self.column >= bound if self.lower else self.column <= bound


@dataclass(frozen=True)
class _Matches(Filter):
    condition: Callable[[], ColumnElement[bool]]

    def values(self, value: Any) -> Sequence[Any]:
        return ("yes",) if value else ("no", "")

    def criterion(self, name: str, arity: int) -> ColumnElement[bool]:
        return self.condition() if arity == 1 else ~self.condition()


@dataclass(frozen=True)
class Through(Filter):
    """A row of a link table has the value: `tags=5` by way of the table of tags on tickets.

    Attributes:
        column: what is compared, in the link table.
        key: the link table's reference to the entity.
        target: the entity's key.
        order: the link table's copies of the columns that newest-first sorts by, so that one index of the link
            table both finds and sorts (a common tag would otherwise be sorted whole for each page). Without any,
            rows are found in their own order, and each is asked whether it has a link.
    """

    column: Attribute
    key: Attribute
    target: Attribute
    order: Sequence[Attribute]

    def criterion(self, name: str, arity: int) -> ColumnElement[bool]:
        """Ask whether a link exists, whatever the order."""
        link = aliased(self.column.class_)  # of its own: the page itself may walk the link table for another value
        mine = link.organization_id == bindparam("organization_id")
        key, column = getattr(link, self.key.key), getattr(link, self.column.key)
        return exists().where(key == self.target, mine, Equals(column).criterion(name, arity))

    def scoped(self, name: str, arity: int) -> ColumnElement[bool]:
        """Return the condition on the link table alone."""
        organization = self.column.class_.organization_id
        return and_(organization == bindparam("organization_id"), Equals(self.column).criterion(name, arity))

    def walks(self, name: str, arity: int) -> Sequence[ColumnElement[bool]]:
        """Return the condition on the link table for each value alone."""
        in_organization = self.column.class_.organization_id == bindparam("organization_id")
        return [and_(in_organization, arm) for arm in Equals(self.column).arms(name, arity)]


class Search:
    """How `?search=` finds rows."""


@dataclass(frozen=True)
class WordsIn(Search, Filter):
    """Every word occurs, without case, somewhere in one of the columns. For tables that stay small."""

    columns: tuple[Attribute, ...]

    def values(self, value: Any) -> Sequence[Any]:
        """Return one value a word; signs that LIKE knows are only signs."""
        words = value.lower().split()[:MOST_WORDS]
        return [word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for word in words]

    def criterion(self, name: str, arity: int) -> ColumnElement[bool]:
        """Look for each word in each column."""
        lowered = [func.lower(column) for column in self.columns]
        words = [bindparam(f"{name}_{i}", type_=String()) for i in range(arity)]
        return and_(true(), *(or_(*(text.contains(word, escape="\\") for text in lowered)) for word in words))


@dataclass(frozen=True)
class FullText(Search):
    """Rows found by a full-text index, newest first.

    Attributes:
        index: the index; its keys are the entity's.
        fields: which of its fields the viewer may search.
    """

    index: SearchIndex
    fields: Callable[[Viewer], tuple[str, ...]]


def equals(column: Attribute) -> Filter:
    """Match rows whose column is the value, or any of several."""
    return Equals(column)


def any_of(*columns: Attribute) -> Filter:
    """Match rows in which one of several columns is the value."""
    return AnyOf(columns)


def at_least(column: Attribute) -> Filter:
    """Match rows whose column is the value or greater."""
    return _Bound(column, lower=True)


def at_most(column: Attribute) -> Filter:
    """Match rows whose column is the value or less."""
    return _Bound(column, lower=False)


def matches(condition: Callable[[], ColumnElement[bool]]) -> Filter:
    """Match rows that satisfy a condition (`true`), or those that do not (`false`)."""
    return _Matches(condition)


def through(column: Attribute, *, key: Attribute, target: Attribute, order: Sequence[Attribute] = ()) -> Filter:
    """Match rows that a link table ties to the value."""
    return Through(column, key, target, tuple(order))


def words_in(*columns: Attribute) -> WordsIn:
    """Search small tables: every word must occur, without case, in one of the columns."""
    return WordsIn(columns)
