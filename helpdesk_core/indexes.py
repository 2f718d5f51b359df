"""Indexes on tables that are in use, made by migrations."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

_VALID = text(
    "SELECT indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
    " WHERE relname = :name AND pg_table_is_visible(pg_class.oid)"
)


def create_index_online(
    op: Any, name: str, table: str, columns: Sequence[Any], *, unique: bool = False, where: str | None = None
) -> None:
    """Create an index while others write to its table, in a revision that says `online = True`.

    On PostgreSQL it is made concurrently, outside of any transaction. What a failed attempt has left is dropped first,
    so the revision can be run again. Elsewhere, and where the table is made by the same run, it is made as usual.

    Args:
        op: Alembic's operations.
        name: of the index.
        table: on which it is.
        columns: names, or expressions as `text`.
        unique: whether no two rows may have the same.
        where: condition of the rows that are in it, as SQL.
    """
    only = {} if where is None else {"sqlite_where": text(where), "postgresql_where": text(where)}
    if not _is_online(op):
        op.create_index(name, table, list(columns), unique=unique, **only)
        return
    if not op.get_context().as_sql and op.get_bind().execute(_VALID, {"name": name}).scalar() is False:
        drop_index_online(op, name, table)
    op.create_index(name, table, list(columns), unique=unique, if_not_exists=True, postgresql_concurrently=True, **only)


def drop_index_online(op: Any, name: str, table: str) -> None:
    """Drop an index while its table is used, in a revision that says `online = True`.

    Args:
        op: Alembic's operations.
        name: of the index.
        table: on which it is.
    """
    if _is_online(op):
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)
    else:
        op.drop_index(name, table)


def _is_online(op: Any) -> bool:
    context = op.get_context()
    return bool(context.opts.get("online")) and context.dialect.name == "postgresql"
