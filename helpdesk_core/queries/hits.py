"""What a full-text search finds, as SELECTs."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, not_, select
from sqlalchemy.sql import operators

from helpdesk_core.search import COUNTED_HITS, RANKED_HITS, SearchIndex


class Hits:
    """Hits of one index that are shown: those whose rows satisfy some conditions.

    Where a viewer sees every row but the hidden ones, which are few, PostgreSQL takes those from what the index has
    found. It would join the hits with all rows of the organisation otherwise: to count 10,000 hits of one word among a
    million tickets took 250 ms, and takes 40 to 80 so. SQLite reads each row by its key, which costs it little.
    """

    def __init__(
        self, index: SearchIndex, entity: Any, kind: str, conditions: Sequence[ColumnElement[bool]], hidden: Any
    ) -> None:
        """Build nothing yet.

        Args:
            index: what is searched.
            entity: whose keys the index has, one for each row.
            kind: of the database.
            conditions: what limits rows to those that are shown.
            hidden: what rows are not shown, where all others of the organisation are; nothing if it is not as simple.
        """
        self._index = index
        self._entity = entity
        self._kind = kind
        self._conditions = conditions
        self._hidden = hidden if kind == "postgresql" else None
        self._key: ColumnElement[Any] = entity.id if self._hidden is None else index.key(kind)

    def counted(self) -> Any:
        """Return the SELECT of how many there are, and of one more than are counted if there are more."""
        found = self._index.as_delivered(self._found(self._key), self._kind)
        return select(func.count()).select_from(found.limit(COUNTED_HITS + 1).subquery())

    def newest(self) -> Any:
        """Return the SELECT of their keys, the newest first."""
        return self._found(self._key).order_by(self._index.newest_first(self._kind))

    def ranked(self) -> Any:
        """Return the SELECT of the newest with what `relevance` needs."""
        found = self._found(self._key, *self._index.scores(self._kind))
        return found.order_by(self._index.newest_first(self._kind)).limit(RANKED_HITS)

    def ordered(self, order: Sequence[Any]) -> Any:
        """Return the SELECT of their keys, ordered by columns of the rows."""
        return self._joined(self._entity.id).order_by(*order)

    def _found(self, *columns: Any) -> Any:
        if self._hidden is None:
            return self._joined(*columns)
        entity = self._entity
        hidden = select(entity.id).where(
            entity.id == self._key, entity.organization_id == bindparam("organization_id"), self._hidden
        )
        return self._index.select(columns, self._kind).where(not_(hidden.exists()))

    def _joined(self, *columns: Any) -> Any:
        return self._index.join(select(*columns), self._entity.id, self._kind).where(*self._conditions)


def hidden_by(where: ColumnElement[bool] | None) -> ColumnElement[bool] | None:
    """Return the opposite of a condition that a column is null; nothing for others, which may be neither."""
    if getattr(where, "operator", None) is not operators.is_:
        return None
    return not_(where)  # type: ignore[arg-type]
