"""Counters that are maintained instead of counted.

A row contributes to some counters: one pure function says to which. Whenever the row changes, the difference
between what it contributed before and after goes into the counters, in the same transaction. The sum of all
rows' contributions is therefore always what the counters say, which is also how they are rebuilt and tested.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from helpdesk_core.tenancy import organization_of

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
    differences = {key: after.get(key, 0) - before.get(key, 0) for key in {*before, *after}}
    _add(session, counter, ((key, amount) for key, amount in differences.items() if amount))


def _add(session: Session, counter: Any, amounts: Iterable[tuple[tuple[Any, ...], int]]) -> None:
    table = counter.__table__
    names = [column.name for column in table.primary_key]
    organization = organization_of(session)
    # Sorted, so that two transactions take their row locks in the same order.
    rows = [
        {**dict(zip(names, (organization, *key), strict=True)), "total": amount}
        for key, amount in sorted(amounts, key=lambda item: repr(item[0]))
    ]
    if not rows:
        return
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(table)
    total = table.c.total + statement.excluded.total
    session.execute(statement.on_conflict_do_update(index_elements=names, set_={"total": total}), rows)
