"""Making a backup of an installation that is in use.

The files that are there are copied first, then the database is written as it is at one moment, then the files that have
come since. A row of that moment therefore names a file that was copied before or after it, also when the file is
deleted meanwhile, unless it was uploaded and deleted while the backup ran; some files may belong to no row.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from secrets import token_hex

from helpdesk_core import __version__
from helpdesk_core.backup import postgres, programs, sqlite
from helpdesk_core.backup.contents import Contents
from helpdesk_core.backup.failures import BackupFailed, reason
from helpdesk_core.backup.installed import Installed
from helpdesk_core.backup.manifest import (
    CHECKSUM,
    DATABASES,
    FILE,
    FILES,
    FORMAT,
    KEY,
    LISTING,
    DatabasePart,
    FilesPart,
    Manifest,
    StoredFile,
    checksum_line,
)
from helpdesk_core.backup.streams import copy, measure, sync, sync_everything, write
from helpdesk_core.files import FolderStore
from helpdesk_core.keys import has_key, signing_key

Say = Callable[[str], None]


def make_backup(
    source: Installed, target: Path, *, now: datetime, plugins: Mapping[str, str], with_key: bool, say: Say
) -> Manifest:
    """Write a backup to `target`, a new folder that has this name once it is complete.

    Args:
        source: what is backed up.
        target: must not exist; the folder that it is in must.
        now: the time that the manifest tells.
        plugins: versions of the installed ones.
        with_key: whether the secret key goes with it.
        say: is told what is being done.

    Raises:
        BackupFailed: something cannot be read or written; nothing is left of the backup then.
    """
    source.require_database()
    _check_target(source, target)
    if with_key and not has_key(source.settings):
        raise BackupFailed("There is no secret key here that could go into the backup: is HELPDESK_SECRET_KEY missing?")
    with _under_another_name(target) as folder:
        listing = _Listing(folder, source.files)
        say("Copying the stored files ...")
        listing.copy_new()
        say(f"Writing the database ({source.kind}) ...")
        contents, database = _write_database(source, folder, say)
        listing.copy_new()
        if with_key:
            write(folder / KEY, signing_key(source.settings))
        manifest = Manifest(
            format=FORMAT,
            created_at=now.replace(microsecond=0),
            core_version=__version__,
            database=database,
            lineages=contents.lineages,
            plugins=dict(plugins),
            tables=contents.tables,
            files=listing.close(),
            audit=contents.audit,
            keys=source.keys(included=with_key),
        )
        write(folder / FILE, manifest.dump())
        write(folder / CHECKSUM, checksum_line(manifest.dump()))
    return manifest


class _Listing:
    """Copies files into a backup, and writes the list of them."""

    def __init__(self, folder: Path, source: FolderStore) -> None:
        self._folder, self._source = folder / FILES, source
        self._target, self._list = FolderStore(self._folder), folder / LISTING
        self._folder.mkdir(mode=0o700)
        write(self._list, b"")
        self._count = self._size = 0

    def copy_new(self) -> None:
        """Copy what is not in the backup yet; what is deleted just now is left out."""
        with self._list.open("ab") as lines:
            for key in self._source:
                target = self._target.path(key)
                if target.exists():
                    continue
                target.parent.mkdir(mode=0o700, exist_ok=True)
                try:
                    size, digest = copy(self._source.path(key), target)
                except FileNotFoundError:
                    continue
                lines.write(StoredFile(key=key, size=size, sha256=digest).model_dump_json().encode() + b"\n")
                self._count += 1
                self._size += size

    def close(self) -> FilesPart:
        """Bring everything to the disk, and return what the manifest says of it."""
        sync_everything()
        sync(self._list)
        _, digest = measure(self._list)
        return FilesPart(count=self._count, size=self._size, sha256=digest)


def _write_database(source: Installed, folder: Path, say: Say) -> tuple[Contents, DatabasePart]:
    file = folder / DATABASES[source.kind]
    if source.kind == "sqlite":
        version, contents = sqlite3.sqlite_version, sqlite.snapshot(source.database_file, file)
    else:
        with postgres.connected(source.settings.direct_database) as connection:
            number = postgres.server_version(connection)
        if warning := programs.warning(number // 10000):
            say(f"Note: {warning}")
        contents = postgres.snapshot(source.settings.direct_database, file)
        version = f"{number // 10000}.{number % 10000}"
        sync(file)
    size, digest = measure(file)
    return contents, DatabasePart(kind=source.kind, version=version, size=size, sha256=digest)


def _check_target(source: Installed, target: Path) -> None:
    if target.exists() or target.is_symlink():
        raise BackupFailed(f"{target} exists already; a backup is never written over anything.")
    if not target.parent.is_dir():
        raise BackupFailed(f"{target.parent} is no folder.")
    if target.resolve().is_relative_to(source.files_folder.resolve()):
        raise BackupFailed(f"{target} lies among the stored files, and would become a part of itself.")


@contextmanager
def _under_another_name(target: Path) -> Iterator[Path]:
    """Make a folder that becomes `target` at the end, or is removed."""
    folder = target.with_name(f".{target.name}.{token_hex(4)}.unfinished")
    folder.mkdir(mode=0o700)
    try:
        yield folder
        sync(folder)
        folder.rename(target)
    except OSError as error:
        told = reason(error) if error.filename else f"{target}: {error.strerror}."
        raise BackupFailed(f"{told} Nothing is left of the backup.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sync(target.parent)
