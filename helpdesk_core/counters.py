"""Counters that are maintained instead of counted.

A row contributes to some counters: one pure function says to which. Whenever the row changes, the difference
between what it contributed before and after goes into the counters, in the same transaction. The sum of all
rows' contributions is therefore always what the counters say, which is also how they are rebuilt and tested.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy.orm import Session

from helpdesk_core.statements import Prepared, upsert

Contributions = Mapping[tuple[Any, ...], int]
"""Amount by the counter's key: the values of its key columns after the organisation, in their order."""


def adjust(session: Session, counter: Any, before: Contributions, after: Contributions) -> None:
    """Move the counters of model `counter` from what a row contributed to what it contributes now.

    Args:
        session: the transaction that changes the row.
        counter: a mapped class whose primary key is the organisation and key columns, with a `total`.
        before: contributions of the row as it was; empty for a new one.
        after: contributions of the row as it is; empty for one that is gone.
    """
    if before == after:
        return
    differences = {key: after.get(key, 0) - before.get(key, 0) for key in {*before, *after}}
    names = _key(counter)
    rows = [
        {**dict(zip(names, key, strict=True)), "total": amount}
        # Sorted, so that two transactions take their row locks in the same order.
        for key, amount in sorted(differences.items(), key=repr)
        if amount
    ]
    if rows:
        _moving(counter).run(session, *rows)


def next_number(session: Session, series: Any) -> int:
    """Return the next number of a series without gaps: 1, 2, 3... in each organisation.

    It is a lock until the transaction ends; take it as late as possible.

    Args:
        session: the transaction that uses the number; if it is rolled back, so is the number.
        series: a mapped class whose primary key is the organisation, with a `last`.
    """
    return int(_counting(series).rows(session, {"last": 1})[0][0])


@cache
def _key(counter: Any) -> list[str]:
    return [column.name for column in counter.__table__.primary_key if column.name != "organization_id"]


@cache
def _moving(counter: Any) -> Prepared:
    def build(kind: str) -> Any:
        statement = upsert(kind, counter)
        total = counter.__table__.c.total + statement.excluded.total
        return statement.on_conflict_do_update(
            index_elements=["organization_id", *_key(counter)], set_={"total": total}
        )

    return Prepared(build, columns=["organization_id", *_key(counter), "total"])


@cache
def _counting(series: Any) -> Prepared:
    def build(kind: str) -> Any:
        last = series.__table__.c.last
        statement = upsert(kind, series).on_conflict_do_update(
            index_elements=["organization_id"], set_={"last": last + 1}
        )
        return statement.returning(last)

    return Prepared(build, columns=["organization_id", "last"])
