"""Fills a database, made by the real migrations, with the tickets of years.

Rows are written in bulk, past the API. A finished file is kept under `build/benchmarks` and used again for as long as
neither the schema nor this code has changed.
"""

import hashlib
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random

from helpdesk_core.migrations import lineages, upgrade
from helpdesk_core.plugins import load_plugins
from tests.benchmarks import counters, rows, texts

FOLDER = Path("build/benchmarks")
SEED = 20
BATCH = 2_000


@dataclass(frozen=True)
class Login:
    """An agent who has logged in.

    Attributes:
        id: of the login.
        user: who it is.
        organization: where.
    """

    id: int
    user: int
    organization: int


def database(name: str, sizes: list[int], say: Callable[[str], None]) -> Path:
    """Return the file with one organisation for each of `sizes`, holding so many tickets; make it if need be."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    empty = FOLDER / f"{name}-empty.db"
    delete(empty)
    upgrade(f"sqlite:///{empty}", lineages(load_plugins()))
    path = FOLDER / f"{name}-{_fingerprint(empty, sizes)}.db"
    if not path.exists():
        for outdated in FOLDER.glob(f"{name}-*.db"):
            if outdated != empty:
                delete(outdated)
        began = time.perf_counter()
        fill(empty, sizes)
        empty.replace(path)
        say(f"{path.name}: {sum(sizes):,} tickets in {time.perf_counter() - began:.0f} s")
    delete(empty)
    return path


def copy(source: Path, name: str) -> Path:
    """Return a fresh copy of a database, for one server to write to."""
    target = FOLDER / f"{name}.copy.db"
    delete(target)
    shutil.copyfile(source, target)
    return target


def delete(path: Path) -> None:
    """Remove a database with what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def analyze(path: Path) -> None:
    """Collect statistics for SQLite's planner."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ANALYZE")
        connection.commit()


def forget_statistics(path: Path) -> None:
    """Take away what an earlier run told SQLite's planner; a server has to see to it by itself."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE IF EXISTS sqlite_stat1")
        connection.commit()


def logins(path: Path) -> list[Login]:
    """Return every agent's login."""
    query = "SELECT id, user_id, organization_id FROM core_login ORDER BY id"
    with closing(sqlite3.connect(path)) as connection:
        return [Login(*row) for row in connection.execute(query)]


def tickets(path: Path, organization: int, number: int) -> list[tuple[int, str]]:
    """Return keys and UUIDs of up to so many unfinished tickets of an organisation, spread over all of them."""
    query = (
        "SELECT id, uuid FROM tickets_ticket WHERE organization_id = ? AND status BETWEEN 1 AND 3"
        " AND deleted_at IS NULL ORDER BY created_at"
    )
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(query, (organization,)).fetchall()
    return found[:: max(1, len(found) // number)][:number]


def fill(path: Path, sizes: list[int]) -> None:
    """Write every row, with the indexes left until the end."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-500000;")
        indexes = _take_indexes(connection)
        for table, row_batch in _batches(rows.generate(Random(SEED), texts.make(Random(SEED)), sizes)):
            _insert(connection, table, row_batch)
        connection.commit()
        for statement in indexes:
            connection.execute(statement)
        counters.write(connection)
        broken = connection.execute("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise ValueError(f"rows of {broken[0][0]} refer to rows of {broken[0][2]} that are not there")
        counters.verify(connection)
        connection.execute("PRAGMA journal_mode=WAL")


def _fingerprint(empty: Path, sizes: list[int]) -> str:
    with closing(sqlite3.connect(empty)) as connection:
        statements = [sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")]
    schema = sorted(line.strip(" \t,") for statement in statements for line in statement.splitlines())
    code = [Path(module.__file__ or "").read_bytes() for module in (rows, texts, counters)]
    return hashlib.sha256(repr((schema, code, sizes)).encode()).hexdigest()[:16]


def _take_indexes(connection: sqlite3.Connection) -> list[str]:
    """Drop the indexes and return what makes them again: sorting once is much faster than inserting in order."""
    found = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name LIKE 'tickets_%'"
    ).fetchall()
    for name, _ in found:
        connection.execute(f"DROP INDEX {name}")
    return [sql for _, sql in found]


def _batches(tagged: Iterable[rows.Row]) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """Collect rows by table, a batch at a time."""
    stream = iter(tagged)
    while piece := list(islice(stream, BATCH)):
        by_table: dict[str, list[dict[str, object]]] = {}
        for table, values in piece:
            by_table.setdefault(table, []).append(values)
        yield from by_table.items()


def _insert(connection: sqlite3.Connection, table: str, batch: list[dict[str, object]]) -> None:
    names = list(batch[0])
    places = ", ".join(f":{name}" for name in names)
    connection.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})", batch)
