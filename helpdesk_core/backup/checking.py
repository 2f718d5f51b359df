"""Checking a backup against its own manifest: every byte of it, and that its database can be read."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from helpdesk_core.backup import programs, sqlite
from helpdesk_core.backup.comparing import table_differences
from helpdesk_core.backup.contents import contents_of
from helpdesk_core.backup.failures import BackupFailed
from helpdesk_core.backup.findings import Finding, State, counted, found
from helpdesk_core.backup.manifest import CHECKSUM, FILE, FILES, KEY, LISTING, Manifest, listed_files
from helpdesk_core.backup.streams import measure
from helpdesk_core.files import FolderStore
from helpdesk_core.keys import fingerprint


def check_backup(folder: Path, manifest: Manifest) -> Iterator[Finding]:
    """Check every part of a backup whose manifest could be read."""
    yield Finding("manifest", State.OK, f"format {manifest.format}, as it was written")
    yield from _database(folder, manifest)
    yield found("files", _broken_files(folder, manifest), f"{counted(manifest.files.count, 'file')}, as written")
    if manifest.keys.included:
        yield found("secret key", _broken_key(folder, manifest), "it is the one of the manifest")
    yield found("other files", _strangers(folder, manifest), "none")


def _database(folder: Path, manifest: Manifest) -> Iterator[Finding]:
    file, part = folder / manifest.database_file, manifest.database
    problems = list(_changed(file, part.size, part.sha256))
    yield found("database", problems, f"{part.kind}, {part.size:,} bytes, as it was written")
    if problems:
        return
    told = f"{counted(len(manifest.tables), 'table')} with {counted(manifest.rows, 'row')}"
    if part.kind == "sqlite":
        yield found("content", _broken_sqlite(file, manifest), f"{told}, as in the manifest")
    elif shutil.which("pg_restore") is None:
        yield Finding("content", State.NOTE, "not read, for pg_restore is not here; its bytes are as they were written")
    else:
        yield found("content", _broken_dump(file), "the dump can be read; its rows are compared when it is restored")


def _broken_sqlite(file: Path, manifest: Manifest) -> Iterator[str]:
    try:
        with sqlite.reading(file, copy=True) as reader:
            yield from reader.damage()
            yield from reader.lost_references()
            yield from table_differences(contents_of(reader), manifest)
    except BackupFailed as error:
        yield str(error)


def _broken_dump(file: Path) -> Iterator[str]:
    try:
        programs.read_through(file)
    except BackupFailed as error:
        yield str(error)


def _broken_files(folder: Path, manifest: Manifest) -> Iterator[str]:
    listing = folder / LISTING
    if not listing.is_file():
        yield f"{LISTING} is missing"
        return
    if measure(listing)[1] != manifest.files.sha256:
        yield f"{LISTING} is not as it was written"
        return
    store = FolderStore(folder / FILES)
    for each in listed_files(folder):
        yield from _changed(store.path(each.key), each.size, each.sha256)


def _broken_key(folder: Path, manifest: Manifest) -> Iterator[str]:
    file = folder / KEY
    if not file.is_file():
        yield f"{KEY} is missing"
    elif fingerprint(file.read_bytes()) != manifest.keys.current:
        yield f"{KEY} is not the key whose fingerprint is in the manifest"


def _changed(path: Path, size: int, sha256: str) -> Iterator[str]:
    name = path.name
    try:
        if not path.is_file():
            yield f"{name} is missing"
            return
        present, digest = measure(path)
    except OSError as error:
        yield f"{name} cannot be read: {error.strerror}"
        return
    if present != size:
        yield f"{name} has {present:,} bytes instead of {size:,}"
    elif digest != sha256:
        yield f"{name} is not as it was written"


def _strangers(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Iterate over the names of what the manifest does not know."""
    known = {FILE, CHECKSUM, LISTING, FILES, manifest.database_file, *([KEY] if manifest.keys.included else [])}
    yield from sorted({path.name for path in folder.iterdir()} - known)
    if not (folder / LISTING).is_file():
        return
    store = FolderStore(folder / FILES)
    if sum(1 for _ in store) > manifest.files.count:
        listed = {bytes.fromhex(each.key) for each in listed_files(folder)}
        yield from (key for key in store if bytes.fromhex(key) not in listed)
