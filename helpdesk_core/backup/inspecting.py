"""Checking an installation by itself: its database, and the files that rows name."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import Table

from helpdesk_core.backup.contents import Reader, contents_of
from helpdesk_core.backup.failures import BackupFailed
from helpdesk_core.backup.findings import Finding, State, counted, found
from helpdesk_core.backup.installed import Installed
from helpdesk_core.backup.sqlite import SqliteReader
from helpdesk_core.database import metadata
from helpdesk_core.errors import NotFound
from helpdesk_core.files import STORED_FILE
from helpdesk_core.lineages import CORE


def inspect_installation(installed: Installed, running: Iterable[str]) -> Iterator[Finding]:
    """Check an installation.

    Args:
        installed: which one.
        running: ids of the plugins whose tables are known.
    """
    try:
        with installed.reading() as reader:
            yield from _inspect(installed, reader, {CORE, *running})
    except BackupFailed as error:
        yield Finding("database", State.WRONG, str(error))


def _inspect(installed: Installed, reader: Reader, running: set[str]) -> Iterator[Finding]:
    if isinstance(reader, SqliteReader):
        yield found("database", reader.damage(), "SQLite finds no damage")
        yield found("references", reader.lost_references(), "every row that is referred to is there")
    contents = contents_of(reader)
    rows = sum(table.rows for table in contents.tables.values())
    yield Finding("content", State.OK, f"{counted(len(contents.tables), 'table')} with {counted(rows, 'row')} read")
    named = _Named()
    problems = _lost_files(installed, reader, named, set(contents.tables))
    yield found("stored files", problems, "every file that a row names is there")
    unknown = sorted(contents.lineages.keys() - running)
    yield _without_row(installed, named, unknown)


@dataclass
class _Named:
    """The keys of files that rows name; as bytes, a third of the memory."""

    keys: set[bytes] = field(default_factory=set)


def _lost_files(installed: Installed, reader: Reader, named: _Named, present: set[str]) -> Iterator[str]:
    for table, columns in _marked():
        if table.name in present:
            for key, size in reader.select(table.name, *columns):
                yield from _lost(installed, f"{table.name}.{columns[0]}", key, size if len(set(columns)) > 1 else None)
                if key:
                    named.keys.add(key.encode())


def _marked() -> Iterator[tuple[Table, tuple[str, str]]]:
    """Iterate over the columns that hold keys of files, each with the one that holds their size, or itself."""
    for table in metadata.tables.values():
        for column in table.columns:
            if STORED_FILE in column.info:
                yield table, (column.name, column.info[STORED_FILE] or column.name)


def _lost(installed: Installed, where: str, key: str | None, size: int | None) -> Iterator[str]:
    if not key:
        return
    try:
        present = installed.files.path(key).stat().st_size
    except (NotFound, FileNotFoundError):
        yield f"{where}: {key} is missing"
        return
    if size is not None and present != size:
        yield f"{where}: {key} has {present:,} bytes instead of {size:,}"


def _without_row(installed: Installed, named: _Named, unknown: list[str]) -> Finding:
    spare = (key for key in installed.files if key.encode() not in named.keys)
    finding = found("spare files", spare, "every file belongs to a row", state=State.NOTE)
    if finding.state is State.OK:
        return finding
    may = f" may belong to plugins that do not run here ({', '.join(unknown)})" if unknown else " belong to no row"
    return Finding(finding.check, finding.state, finding.told + may)
