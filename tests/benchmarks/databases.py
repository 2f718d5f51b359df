"""The two kinds of database, each with copies of the same data for servers to write to."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks import data, postgresql

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
KINDS = (SQLITE, POSTGRESQL)


@contextmanager
def copied(kind: str, source: Path, name: str, *, analyzed: bool = False) -> Iterator[str]:
    """Make a copy and return its URL; it is deleted at the end.

    Args:
        kind: SQLite or PostgreSQL.
        source: the SQLite file; on PostgreSQL its template must have been made.
        name: of the copy.
        analyzed: whether SQLite's planner is given statistics; PostgreSQL's always is.
    """
    if kind == POSTGRESQL:
        with postgresql.copied(postgresql.database(source, print), name) as url:
            yield url
        return
    path = data.copy(source, name)
    if analyzed:
        data.analyze(path)
    try:
        yield url_of(path)
    finally:
        data.delete(path)


@contextmanager
def emptied(kind: str, name: str) -> Iterator[str]:
    """Make a database without tables and return its URL; it is deleted at the end."""
    if kind == POSTGRESQL:
        with postgresql.emptied(name) as url:
            yield url
        return
    path = data.FOLDER / f"{name}.copy.db"
    data.delete(path)
    try:
        yield url_of(path)
    finally:
        data.delete(path)


def url_of(path: Path) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite:///{path.resolve()}"
