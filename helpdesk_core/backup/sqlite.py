"""SQLite: a snapshot by `VACUUM INTO`, and reading one.

It is one read transaction: writers go on, and do not make it begin anew. Unlike a copy of the pages it leaves behind
what was deleted, and what it writes has no write-ahead log.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from helpdesk_core.backup.contents import Contents, contents_of
from helpdesk_core.backup.failures import BackupFailed
from helpdesk_core.backup.streams import sync

PATIENCE = 60.0
"""Seconds to wait for a lock, which others hold for moments."""
BESIDE = ("", "-wal", "-shm")
"""What the names of the files of one database end with."""


class SqliteReader:
    """Reads a file of SQLite, in one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Keep the connection, which is in a transaction."""
        self._connection = connection

    def tables(self) -> list[str]:
        """Return the tables; a virtual one has its rows in others, and statistics are the planner's."""
        query = (
            "SELECT name FROM sqlite_master WHERE type = 'table'"
            " AND sql NOT LIKE 'CREATE VIRTUAL TABLE%' AND name NOT LIKE 'sqlite\\_stat%' ESCAPE '\\'"
        )
        return [name for (name,) in self._connection.execute(query)]

    def encoded(self, table: str) -> Iterator[bytes]:
        """Iterate over the rows as JSON lists; binary values are objects, which text cannot be taken for."""
        for row in self._connection.execute(f"SELECT * FROM {_quoted(table)}"):  # noqa: S608 - a name from the schema
            yield orjson.dumps(row, default=_binary)

    def select(self, table: str, *columns: str) -> Iterator[tuple[Any, ...]]:
        """Iterate over the values of some columns."""
        names = ", ".join(map(_quoted, columns))
        yield from self._connection.execute(f"SELECT {names} FROM {_quoted(table)}")  # noqa: S608 - names of the schema

    def damage(self) -> list[str]:
        """Return what SQLite itself finds wrong with the file, at most ten things."""
        found = [str(row[0]) for row in self._connection.execute("PRAGMA integrity_check(10)")]
        return [] if found == ["ok"] else found

    def lost_references(self) -> list[str]:
        """Return what refers to rows that are gone, one line for each pair of tables."""
        pairs = {(row[0], row[2]) for row in self._connection.execute("PRAGMA foreign_key_check")}
        return [f"rows of {table} refer to rows of {other} that are gone" for table, other in sorted(pairs)]


@contextmanager
def reading(file: Path, *, copy: bool = False) -> Iterator[SqliteReader]:
    """Open a file for reading; one that is a `copy`, and nobody's database, without making files beside it.

    Raises:
        BackupFailed: it cannot be read.
    """
    mode = "mode=ro&immutable=1" if copy else "mode=rw"
    with _explained(str(file)):
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?{mode}", uri=True, timeout=PATIENCE)
        connection.isolation_level = None
        try:
            connection.execute("PRAGMA query_only=ON")
            connection.execute("BEGIN")
            yield SqliteReader(connection)
        finally:
            connection.close()


def snapshot(file: Path, target: Path) -> Contents:
    """Write the present state of a database that is in use to a new file; return what the file holds.

    Raises:
        BackupFailed: it cannot be read, or there is no room.
    """
    target.touch(0o600, exist_ok=False)
    with _explained(f"{file} could not be written to {target}"):
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=PATIENCE)
        try:
            connection.execute("VACUUM INTO ?", (str(target),))
        finally:
            connection.close()
    sync(target)
    with reading(target, copy=True) as reader:  # not the database: this may take long, and would hold back its log
        return contents_of(reader)


def is_empty(file: Path) -> bool:
    """Tell whether there is no database in a file, or one without tables; one that cannot be read is not empty."""
    if not file.exists() or file.stat().st_size == 0:
        return True
    try:
        with reading(file) as reader:
            return not reader.tables()
    except BackupFailed:
        return False


def close_for_good(file: Path) -> None:
    """Bring a database into its one file, so that this can be moved; a damaged one stays as it is.

    Raises:
        BackupFailed: somebody has it open, or nobody can tell.
    """
    try:
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=1)
        try:
            connection.execute("PRAGMA journal_mode=DELETE")  # only who is alone can end the write-ahead log
        finally:
            connection.close()
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise BackupFailed(f"{file} is in use: stop the servers and workers first.") from None
        if code not in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            raise BackupFailed(f"{file}: {error}.") from error


@contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise BackupFailed(f"{what}: {error}.") from error


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _binary(value: Any) -> dict[str, str]:
    return {"hex": value.hex()}
