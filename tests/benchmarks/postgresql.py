"""The same data on PostgreSQL: a template database with the rows of the SQLite file, and copies of it for servers.

The template is made by the real migrations, filled with COPY, and kept on the server for as long as its source is.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from helpdesk_core.database import metadata
from helpdesk_core.migrations import lineages, upgrade
from helpdesk_core.plugins import load_plugins
from helpdesk_core.search import _plain

ADDRESS = os.environ.get("HELPDESK_BENCHMARK_POSTGRES_URL", "postgresql://127.0.0.1:5432/postgres")
PREFIX = "helpdesk_bench_"
SEARCHED = ("text", "number", "comments", "internal")
VERSION = 1
"""Of what this module makes of a source; a new one makes templates anew."""

_INDEXES = """
SELECT format('%I.%I', schemaname, indexname), indexdef FROM pg_indexes WHERE schemaname = 'public'
    AND tablename LIKE 'tickets\\_%' AND indexname NOT IN (SELECT conname FROM pg_constraint)
"""
_REFERENCES = """
SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'f' AND connamespace = 'public'::regnamespace
"""
_COLUMNS = """
SELECT column_name FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position
"""
_SEQUENCES = """
SELECT table_name, column_name, pg_get_serial_sequence(quote_ident(table_name), column_name)
FROM information_schema.columns WHERE table_schema = 'public'
    AND pg_get_serial_sequence(quote_ident(table_name), column_name) IS NOT NULL
"""
_WEIGHED = " || ".join(
    f"setweight(to_tsvector('english', {name}), '{weight}')" for name, weight in zip(SEARCHED, "ABCD", strict=True)
)
_DOCUMENTS = f"""
INSERT INTO tickets_search (key, organization_id, document)
SELECT key, organization_id, {_WEIGHED} || array_to_tsvector(ARRAY['=' || organization_id]) FROM words
"""


def version() -> str:
    """Return the version of the server; nothing when there is none."""
    try:
        with connected(ADDRESS) as connection:
            return str(connection.execute("SHOW server_version").fetchone()[0]).partition(" ")[0]  # type: ignore[index]
    except psycopg.OperationalError:
        return ""


def database(source: Path, say: Callable[[str], None]) -> str:
    """Return the name of the template that holds what the SQLite file `source` holds; make it if need be."""
    family, _, fingerprint = source.stem.rpartition("-")
    name = f"{PREFIX}{fingerprint}_{VERSION}"
    label = f"helpdesk benchmark {family}"
    if name in _databases():
        return name
    for outdated in _databases(label):
        drop(outdated)
    began = time.perf_counter()
    unfinished = f"{PREFIX}unfinished"
    drop(unfinished)
    with connected(ADDRESS) as server:
        server.execute(_named("CREATE DATABASE {}", unfinished))
    upgrade(address(unfinished), lineages(load_plugins()))
    with connected(address(unfinished)) as target:
        _fill(source, target)
    with connected(ADDRESS) as server:
        server.execute(_named("ALTER DATABASE {} RENAME TO {}", unfinished, name))
        server.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(label)))
    say(f"{name}: what {source.name} holds, in {time.perf_counter() - began:.0f} s")
    return name


@contextmanager
def copied(template: str, name: str) -> Iterator[str]:
    """Make a copy of a template, for one server to write to, and return its address; it is dropped at the end."""
    copy = f"{PREFIX}copy_{name}"
    drop(copy)
    with connected(ADDRESS) as server:
        server.execute(_named("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", copy, template))
    try:
        yield address(copy)
    finally:
        drop(copy)


@contextmanager
def emptied(name: str) -> Iterator[str]:
    """Make a database without tables and return its address; it is dropped at the end."""
    fresh = f"{PREFIX}copy_{name}"
    drop(fresh)
    with connected(ADDRESS) as server:
        server.execute(_named("CREATE DATABASE {}", fresh))
    try:
        yield address(fresh)
    finally:
        drop(fresh)


def drop(name: str) -> None:
    """Drop a database, and disconnect whoever is still there."""
    with connected(ADDRESS) as server:
        server.execute(_named("DROP DATABASE IF EXISTS {} WITH (FORCE)", name))


def address(name: str) -> str:
    """Return the URL of a database of the same server."""
    return f"{ADDRESS.rpartition('/')[0]}/{name}"


def name_of(url: str) -> str:
    """Return the name of the database of a URL; nothing when it is not PostgreSQL's."""
    return url.rpartition("/")[2] if url.startswith("postgresql") else ""


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    """Connect, without transactions."""
    with closing(psycopg.connect(url, autocommit=True, connect_timeout=5)) as connection:
        yield connection


def _named(statement: str, *names: str) -> sql.Composed:
    return sql.SQL(statement).format(*map(sql.Identifier, names))


def _databases(label: str = "") -> list[str]:
    """Return the names of all databases, or of those with this comment."""
    query = "SELECT datname FROM pg_database WHERE %s IN ('', shobj_description(oid, 'pg_database'))"
    with connected(ADDRESS) as server:
        return [name for (name,) in server.execute(query, (label,))]


def _fill(source: Path, target: psycopg.Connection[Any]) -> None:
    target.execute("SET synchronous_commit = off; SET maintenance_work_mem = '512MB'")
    indexes, references = _taken(target)
    with closing(sqlite3.connect(source)) as origin:
        for table in metadata.sorted_tables:
            _copy_table(origin, target, table.name)
        _copy_search(origin, target)
    for statement in (*indexes, *references):
        target.execute(statement)
    for table, column, sequence in target.execute(_SEQUENCES).fetchall():
        highest = _named("SELECT max({}) FROM {}", column, table)
        target.execute("SELECT setval(%s, coalesce(%s, 1))", (sequence, target.execute(highest).fetchone()[0]))  # type: ignore[index]
    target.execute("VACUUM ANALYZE")


def _taken(target: psycopg.Connection[Any]) -> tuple[list[str], list[str]]:
    """Drop indexes and references, and return what makes them again."""
    indexes, references = [], []
    for name, definition in target.execute(_INDEXES).fetchall():
        target.execute(f"DROP INDEX {name}")
        indexes.append(definition)
    for table, name, definition in target.execute(_REFERENCES).fetchall():
        target.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        references.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    return indexes, references


def _copy_table(origin: sqlite3.Connection, target: psycopg.Connection[Any], table: str) -> None:
    """Replace the rows of one table; PostgreSQL reads what SQLite keeps: 0 and 1, texts of instants, JSON."""
    known = {row[1] for row in origin.execute(f"PRAGMA table_info({table})")}
    columns = [name for (name,) in target.execute(_COLUMNS, (table,)) if name in known]
    if not columns or origin.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0:
        return
    target.execute(_named("DELETE FROM {}", table))
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
    _stream(target, into, origin.execute(f"SELECT {', '.join(columns)} FROM {table}"))


def _copy_search(origin: sqlite3.Connection, target: psycopg.Connection[Any]) -> None:
    columns = ", ".join(f"{name} text" for name in SEARCHED)
    target.execute(f"CREATE TEMPORARY TABLE words (key bigint, organization_id bigint, {columns})")
    rows = origin.execute(f"SELECT rowid, substr(organization, 2), {', '.join(SEARCHED)} FROM tickets_search")
    plain = ((key, organization, *map(_plain, texts)) for key, organization, *texts in rows)
    _stream(target, sql.SQL("COPY words FROM STDIN"), plain)
    target.execute(_DOCUMENTS)
    target.execute("DROP TABLE words")


def _stream(target: psycopg.Connection[Any], into: sql.SQL | sql.Composed, rows: Any) -> None:
    with target.cursor() as cursor, cursor.copy(into) as copy:
        for row in rows:
            copy.write_row(row)
