"""Comparing an installation with what a manifest says."""

from collections.abc import Iterator
from pathlib import Path

from helpdesk_core.backup.contents import Contents, contents_of
from helpdesk_core.backup.findings import Finding, counted, found
from helpdesk_core.backup.installed import Installed
from helpdesk_core.backup.manifest import Manifest, StoredFile, listed_files
from helpdesk_core.backup.streams import measure
from helpdesk_core.files import FolderStore


def compare(folder: Path, manifest: Manifest, installed: Installed) -> Iterator[Finding]:
    """Compare every table and every file of an installation with those of a backup."""
    with installed.reading() as reader:
        contents = contents_of(reader)
    rows = f"{counted(len(manifest.tables), 'table')} with {counted(manifest.rows, 'row')}, as in the backup"
    yield found("same tables", table_differences(contents, manifest), rows)
    files = f"{counted(manifest.files.count, 'file')}, as in the backup"
    yield found("same files", _file_differences(folder, installed.files), files)


def table_differences(present: Contents, manifest: Manifest) -> Iterator[str]:
    """Iterate over the tables that are not as in the manifest."""
    for name in sorted({*present.tables, *manifest.tables}):
        here, there = present.tables.get(name), manifest.tables.get(name)
        if here is None:
            yield f"{name} is missing"
        elif there is None:
            yield f"{name} is not in the backup"
        elif here.rows != there.rows:
            yield f"{name} has {counted(here.rows, 'row')} instead of {there.rows:,}"
        elif here.digest != there.digest:
            yield f"{name} has other values in its {counted(here.rows, 'row')}"


def _file_differences(folder: Path, store: FolderStore) -> Iterator[str]:
    listed = 0
    for each in listed_files(folder):
        listed += 1
        yield from _difference(each, store.path(each.key))
    present = sum(1 for _ in store)
    if present != listed:
        known = {bytes.fromhex(each.key) for each in listed_files(folder)}
        yield from (f"{key} is not in the backup" for key in store if bytes.fromhex(key) not in known)


def _difference(each: StoredFile, path: Path) -> Iterator[str]:
    try:
        if not path.is_file():
            yield f"{each.key} is missing"
        elif measure(path) != (each.size, each.sha256):
            yield f"{each.key} has another content"
    except OSError as error:
        yield f"{each.key} cannot be read: {error.strerror}"
