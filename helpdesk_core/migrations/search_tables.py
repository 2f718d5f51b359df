"""Tables of full-text indexes, which no model describes."""

from collections.abc import Iterable

_PARTS = ("_data", "_idx", "_content", "_docsize", "_config")
"""What FTS5 of SQLite puts behind the name of an index, for the tables that it keeps it in."""


def tables_of_indexes(names: Iterable[str], dialect: str) -> frozenset[str]:
    """Return the names of the tables that full-text indexes consist of.

    Args:
        names: of the indexes.
        dialect: of the database.
    """
    parts = ("", *_PARTS) if dialect == "sqlite" else ("",)
    return frozenset(f"{name}{part}" for name in names for part in parts)
