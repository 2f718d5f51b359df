"""The rows of a plugin in a file that any program can read: a ZIP archive with a JSON line for each row."""

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from sqlalchemy import Connection, MetaData, Table, func, inspect, select, text

from helpdesk_core.lineages import VERSION_TABLES
from helpdesk_core.migrations import tables_of_indexes

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a plugin has in the database.

    Attributes:
        rows: how many there are in each of its tables.
        others: tables that hold no rows of their own: those of full-text indexes, and the version table.
        revision: the present one of its migrations; nothing if it has none.
    """

    rows: dict[str, int]
    others: tuple[str, ...]
    revision: str | None

    @property
    def tables(self) -> tuple[str, ...]:
        """Return every table of the plugin."""
        return (*self.rows, *self.others)


def inventory(connection: Connection, plugin: str, search_indexes: frozenset[str]) -> Inventory:
    """Return what is there of a plugin; its tables are told by their names, which its id begins."""
    prefix, version_table = f"{plugin}_", f"{VERSION_TABLES}{plugin}"
    names = sorted(inspect(connection).get_table_names())
    mine = [name for name in names if name.startswith(prefix)]
    of_indexes = tables_of_indexes(search_indexes | virtual_tables(connection), connection.dialect.name)
    made = [name for name in mine if name in of_indexes]
    rows = {name: _count(connection, name) for name in mine if name not in made}
    revision = None
    if version_table in names:
        revision = connection.execute(text(f"SELECT version_num FROM {version_table}")).scalar()  # noqa: S608 - an id
        made.append(version_table)
    return Inventory(rows, tuple(made), revision)


def export(connection: Connection, plugin: str, found: Inventory, *, folder: Path, now: datetime) -> Path:
    """Write every row of a plugin, and return the file. It takes room on the disk, and hardly any memory."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{plugin}-{now:%Y%m%dT%H%M%SZ}.zip"
    about = {"plugin": plugin, "revision": found.revision, "exported_at": now.isoformat(), "rows": found.rows}
    with _made(path) as target, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("about.json", orjson.dumps(about, option=orjson.OPT_INDENT_2))
        for name in found.rows:
            with archive.open(f"{name}.jsonl", "w", force_zip64=True) as file:
                file.writelines(_lines(connection, name))
    return path


@contextmanager
def _made(path: Path) -> Iterator[BinaryIO]:
    """Make a file that only its owner can read, since whatever people have written is in it; half of one is removed."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        try:
            yield file
        except BaseException:
            path.unlink()
            raise


def _lines(connection: Connection, name: str) -> Iterator[bytes]:
    table = Table(name, MetaData(), autoload_with=connection, resolve_fks=False)
    rows = connection.execution_options(yield_per=BATCH).execute(select(table).order_by(*table.primary_key))
    for row in rows.mappings():
        yield orjson.dumps(dict(row), default=_plain, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)


def _plain(value: Any) -> str:
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).hex()
    if isinstance(value, (Decimal, date)):
        return str(value)
    return repr(value)


def _count(connection: Connection, name: str) -> int:
    table = Table(name, MetaData())
    return connection.scalar(select(func.count()).select_from(table)) or 0


def virtual_tables(connection: Connection) -> frozenset[str]:
    """Return the names of SQLite's virtual tables."""
    if connection.dialect.name != "sqlite":
        return frozenset()
    found = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'")
    return frozenset(name for (name,) in found)
