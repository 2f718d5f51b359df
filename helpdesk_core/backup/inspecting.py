"""Checking an installation by itself: its database, and the files that rows name.

It may be in use. A file is stored before its row and deleted after it: what seems lost or spare is looked for once more
in a later state of the database, and only what is so there as well is told.
"""

from collections.abc import Iterable, Iterator

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
        yield from _inspect(installed, {CORE, *running})
    except BackupFailed as error:
        yield Finding("database", State.WRONG, str(error))


def _inspect(installed: Installed, running: set[str]) -> Iterator[Finding]:
    spare = set(installed.files)  # before the database is read: what is stored from now on is not looked at
    with installed.reading() as reader:
        if isinstance(reader, SqliteReader):
            yield found("database", reader.damage(), "SQLite finds no damage")
            yield found("references", reader.lost_references(), "every row that is referred to is there")
        contents = contents_of(reader)
        rows = sum(table.rows for table in contents.tables.values())
        yield Finding("content", State.OK, f"{counted(len(contents.tables), 'table')} with {counted(rows, 'row')} read")
        suspects = {key for _, key, size in _named(reader, spare) if _fault(installed, key, size)}
    with installed.reading() as reader:
        yield found("stored files", _faults(installed, reader, spare, suspects), "every file that a row names is there")
    unknown = sorted(contents.lineages.keys() - running)
    yield _without_row((key for key in sorted(spare) if installed.files.path(key).exists()), unknown)


def _named(reader: Reader, spare: set[str]) -> Iterator[tuple[str, str, int | None]]:
    """Iterate over the files that rows name: where, by which key and of which size. They are taken out of `spare`."""
    present = set(reader.tables())
    for table, columns in _marked():
        if table.name not in present:
            continue
        has_size = len(set(columns)) > 1
        for key, size in reader.select(table.name, *columns):
            if key:
                spare.discard(key)
                yield f"{table.name}.{columns[0]}", key, size if has_size else None


def _marked() -> Iterator[tuple[Table, tuple[str, str]]]:
    """Iterate over the columns that hold keys of files, each with the one that holds their size, or itself."""
    for table in metadata.tables.values():
        for column in table.columns:
            if STORED_FILE in column.info:
                yield table, (column.name, column.info[STORED_FILE] or column.name)


def _faults(installed: Installed, reader: Reader, spare: set[str], suspects: set[str]) -> Iterator[str]:
    for where, key, size in _named(reader, spare):
        fault = _fault(installed, key, size) if key in suspects else None
        if fault:
            yield f"{where}: {key} {fault}"


def _fault(installed: Installed, key: str, size: int | None) -> str | None:
    try:
        present = installed.files.path(key).stat().st_size
    except (NotFound, FileNotFoundError):
        return "is missing"
    if size is not None and present != size:
        return f"has {present:,} bytes instead of {size:,}"
    return None


def _without_row(spare: Iterable[str], unknown: list[str]) -> Finding:
    finding = found("spare files", spare, "every file belongs to a row", state=State.NOTE)
    if finding.state is State.OK:
        return finding
    may = f" may belong to plugins that do not run here ({', '.join(unknown)})" if unknown else " belong to no row"
    return Finding(finding.check, finding.state, finding.told + may)
