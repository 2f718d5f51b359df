"""Rows that a schema accepts, made from the schema itself: what no test of the plugin's own would think of."""

import contextlib
import warnings
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Connection, ForeignKeyConstraint, MetaData, Table, insert, select
from sqlalchemy.types import TypeDecorator

from helpdesk_core.testing.doubles import START

EACH = 3
"""Rows of each table."""
_VALUES: Mapping[type, Any] = {
    bool: lambda _: False,
    int: lambda number: number,
    float: float,
    Decimal: Decimal,
    str: lambda number: f"s{number}",
    bytes: lambda number: bytes([number]),
    datetime: lambda _: START,
    date: lambda _: START.date(),
    UUID: lambda number: UUID(int=number),
    dict: lambda _: {},
    list: lambda _: [],
}


class NoRows(Exception):
    """No row could be made for a table; the message says for which, and why."""


def described(connection: Connection, names: Sequence[str]) -> list[Table]:
    """Return the tables called `names` as the database has them now, with those that they refer to known."""
    found = MetaData()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of indexes on expressions, which nobody needs here
        found.reflect(connection, only=list(names))
    return [found.tables[name] for name in names]


def fill(connection: Connection, tables: Iterable[Table], organization: int) -> dict[str, int]:
    """Put rows of one organisation into tables, those that others refer to first; return how many, by table."""
    waiting = {table.name: table for table in tables}
    filled: dict[str, int] = {}
    while waiting:
        ready = [table for table in waiting.values() if not _refers_to(table) & (waiting.keys() - {table.name})]
        if not ready:
            raise NoRows(f"{', '.join(sorted(waiting))} refer to each other")
        for table in ready:
            filled[table.name] = sum(_add(connection, table, organization, number) for number in range(1, EACH + 1))
            del waiting[table.name]
    return filled


def _refers_to(table: Table) -> set[str]:
    return {_target(key) for key in table.foreign_key_constraints if _needed(key)}


def _target(key: ForeignKeyConstraint) -> str:
    return key.elements[0].target_fullname.rpartition(".")[0]


def _needed(key: ForeignKeyConstraint) -> bool:
    return not any(column.nullable for column in key.columns)


def _add(connection: Connection, table: Table, organization: int, number: int) -> bool:
    """Add a row; return whether there was room for it: some tables have one row for each organisation."""
    row = {column.name: _value(column, number) for column in table.columns if _has_to_be_given(column)}
    if "organization_id" in table.columns:
        row["organization_id"] = organization
    for key in sorted(filter(_needed, table.foreign_key_constraints), key=lambda key: len(key.columns)):
        row |= _reference(connection, key, row)
    try:
        with connection.begin_nested():
            connection.execute(insert(table).values(row))
    except Exception as error:  # noqa: BLE001 - whatever a column's type or the database says
        if number > 1:
            return False
        raise NoRows(f"{table.name}: {str(getattr(error, 'orig', error)).splitlines()[0]}") from None
    return True


def _has_to_be_given(column: Column[Any]) -> bool:
    return not column.nullable and column.computed is None


def _reference(connection: Connection, key: ForeignKeyConstraint, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the columns of a foreign key hold: of the first row that it can refer to."""
    targets = [element.column for element in key.elements]
    table = targets[0].table
    query = select(*targets).order_by(*targets)
    if "organization_id" in table.columns and "organization_id" in row:
        query = query.where(table.columns.organization_id == row["organization_id"])
    names = [column.name for column in key.columns]
    if table.name == "core_organization":
        return {names[0]: row.get("organization_id", 1)}
    found = connection.execute(query).first()
    if found is None:
        raise NoRows(f"{key.table.name}: {table.name} has no row to refer to")
    return dict(zip(names, found, strict=True))


def _value(column: Column[Any], number: int) -> Any:
    words = getattr(column.type, "words", None) or getattr(column.type, "enums", None)
    if words:
        return words[0]
    kind: Any = str
    with contextlib.suppress(NotImplementedError):
        kind = (column.type.impl if isinstance(column.type, TypeDecorator) else column.type).python_type
    value = _VALUES.get(kind, _VALUES[str])(number)
    if isinstance(value, str) and column.name.endswith("_at"):  # an instant, as SQLite keeps it
        return START.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    length = getattr(column.type, "length", None)
    return value[-length:] if isinstance(value, str) and length else value
