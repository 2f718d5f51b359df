"""Restoring a backup into the installation of the present settings.

Everything is written beside what is there. Then names are changed, which takes no time, and what was there before is
kept under another one; a failure changes them back.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import make_url

from helpdesk_core.backup import postgres, programs, sqlite
from helpdesk_core.backup.failures import BackupFailed, reason
from helpdesk_core.backup.installed import Installed
from helpdesk_core.backup.manifest import FILES, KEY, Manifest, listed_files
from helpdesk_core.backup.streams import copy, sync, sync_everything, write
from helpdesk_core.backup.undoing import Undo
from helpdesk_core.files import FolderStore
from helpdesk_core.keys import FILE as KEY_FILE
from helpdesk_core.keys import fingerprint, has_key, signing_key

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore has left.

    Attributes:
        aside: where that is which was there before.
        key_placed: whether the secret key came out of the backup.
    """

    aside: tuple[str, ...]
    key_placed: bool


def check_kind(manifest: Manifest, installed: Installed) -> None:
    """Refuse a backup of the other kind of database."""
    if manifest.database.kind != installed.kind:
        raise BackupFailed(
            f"The backup is of {manifest.database.kind}, and the database of HELPDESK_DATABASE_URL of {installed.kind}."
        )


def check_programs(installed: Installed) -> None:
    """Refuse to begin what needs a program that is missing or too old."""
    if installed.kind == "postgresql":
        with postgres.connected(installed.settings.direct_database) as connection:
            programs.require("pg_restore", postgres.server_version(connection) // 10000)


def check_folder(installed: Installed) -> None:
    """Refuse to begin where the folder of the files cannot be given another name."""
    folder = installed.files_folder.resolve()
    if folder.is_mount():
        raise BackupFailed(
            f"{folder} is a mount point, which cannot be set aside: mount the folder above it, or make "
            f"{installed.files_folder} a link to a folder in it."
        )


def occupied(installed: Installed) -> list[str]:
    """Return what is there already, in words; nothing when a restore replaces nothing."""
    there = []
    if installed.kind == "sqlite":
        if not sqlite.is_empty(installed.database_file):
            there.append(str(installed.database_file))
    else:
        with postgres.reading(installed.settings.direct_database) as reader:
            tables = reader.tables()
        if tables:
            there.append(f"{len(tables)} tables in the database")
    if any(installed.files_folder.glob("*")):
        there.append(str(installed.files_folder))
    return there


def missing_keys(manifest: Manifest, installed: Installed) -> list[str]:
    """Return the fingerprints of keys that the backup needs and the installation would not have."""
    here = installed.keys()
    known = {here.current, *here.previous}
    if here.current is None and manifest.keys.included:
        known.add(manifest.keys.current)
    return [each for each in (manifest.keys.current, *manifest.keys.previous) if each and each not in known]


def require_alone(installed: Installed) -> None:
    """Refuse to replace a database that others use."""
    if installed.kind == "postgresql":
        with postgres.connected(installed.settings.direct_database) as connection:
            postgres.require_alone(connection)
    elif installed.database_file.exists():
        sqlite.close_for_good(installed.database_file)


def restore_backup(folder: Path, manifest: Manifest, installed: Installed, *, now: datetime, say: Say) -> Restored:
    """Put a backup that was checked into place; whatever is there is set aside.

    Raises:
        BackupFailed: something failed; the message says whether everything is as it was before.
    """
    restoring = _Restoring(folder, manifest, installed, f"{now:%Y%m%dt%H%M%Sz}", say)
    try:
        require_alone(installed)
        restoring.stage_files()
        restoring.place_key()
        restoring.place_database()
        restoring.place_files()
    except (BackupFailed, OSError) as error:
        raise BackupFailed(f"{reason(error)} {restoring.undo.everything()}") from error
    except BaseException:
        say(restoring.undo.everything())
        raise
    restoring.remove_remains()
    return Restored(tuple(restoring.aside), restoring.key_placed)


class _Restoring:
    """One restore, whose steps leave with `undo` how they are taken back."""

    def __init__(self, folder: Path, manifest: Manifest, installed: Installed, stamp: str, say: Say) -> None:
        self._folder, self._manifest, self._installed = folder, manifest, installed
        self._stamp, self._say, self.undo = stamp, say, Undo()
        self._target = installed.files_folder.resolve()  # it may be a link to another disk
        self._files = self._target.with_name(f".{self._target.name}.{stamp}.restoring")
        self.aside: list[str] = []
        self.key_placed = False
        self._remains: list[Path] = []
        self._moved: postgres.Aside | None = None

    def stage_files(self) -> None:
        """Copy the files to a folder beside their own."""
        self._say(f"Copying {self._manifest.files.count:,} stored files ...")
        self._files.parent.mkdir(parents=True, exist_ok=True)
        self.undo.add(f"copied files are in {self._files}", _remove, self._files)
        self._files.mkdir()
        source, target = FolderStore(self._folder / FILES), FolderStore(self._files)
        for each in listed_files(self._folder):
            path = target.path(each.key)
            path.parent.mkdir(exist_ok=True)
            copy(source.path(each.key), path)
        sync_everything()

    def place_key(self) -> None:
        """Put the key of the backup into place where there is none."""
        settings = self._installed.settings
        if not self._manifest.keys.included or has_key(settings):
            return
        path = settings.home / KEY_FILE
        self.undo.add(f"the secret key of the backup is in {path}", _remove, path)
        write(path, (self._folder / KEY).read_bytes())
        if fingerprint(signing_key(settings)) != self._manifest.keys.current:
            raise BackupFailed(
                "The secret key of the backup has white space around it, which no file keeps: give it in "
                "HELPDESK_SECRET_KEY."
            )
        self.key_placed = True

    def place_database(self) -> None:
        """Put the database into place."""
        self._say(f"Restoring the database ({self._installed.kind}) ...")
        if self._installed.kind == "sqlite":
            self._place_file()
        else:
            self._fill_server()

    def place_files(self) -> None:
        """Put the copied files into place."""
        target = self._target
        if target.exists():
            self._set_aside(
                target, target.with_name(f"{target.name}.replaced-{self._stamp}"), keep=any(target.iterdir())
            )
        self._files.rename(target)
        self.undo.add(f"the files of the backup are in {target}", target.rename, self._files)
        sync(target.parent)

    def _place_file(self) -> None:
        file = self._installed.database_file
        staged = file.with_name(f".{file.name}.{self._stamp}.restoring")
        file.parent.mkdir(parents=True, exist_ok=True)
        self.undo.add(f"a copy of the database is in {staged}", _remove, staged)
        copy(self._folder / self._manifest.database_file, staged)
        sync(staged)
        keep = not sqlite.is_empty(file)
        if file.exists():
            sqlite.close_for_good(file)
        for ending in sqlite.BESIDE:  # a log that is left would be taken for the new file's
            if (path := file.with_name(file.name + ending)).exists():
                aside = file.with_name(f"{file.name}.replaced-{self._stamp}{ending}")
                self._set_aside(path, aside, keep=keep)
        staged.rename(file)
        self.undo.add(f"the database of the backup is in {file}", file.rename, staged)
        sync(file.parent)

    def _fill_server(self) -> None:
        url = self._installed.settings.direct_database
        aside = self._moved = postgres.to_set_aside(url, self._stamp)
        if aside is not None:
            self._say(f"Setting aside what the database holds, as schema {aside.schema} ...")
            postgres.move_aside(url, aside)
            self.undo.add(f"what the database held is in schema {aside.schema}", postgres.put_back, url, aside)
        programs.restore(make_url(url), self._folder / self._manifest.database_file)
        if aside is None:
            self.undo.add("the tables of the backup are in the database", postgres.remove_everything, url)
        elif aside.keep:
            self.aside.append(f"schema {aside.schema}")

    def remove_remains(self) -> None:
        """Remove what was set aside and is empty; if it stays, it harms nobody."""
        for path in self._remains:
            with suppress(OSError):
                if path.is_dir():
                    path.rmdir()
                else:
                    path.unlink()
        if self._moved is not None and not self._moved.keep:
            with suppress(BackupFailed):
                postgres.forget(self._installed.settings.direct_database, self._moved)

    def _set_aside(self, path: Path, aside: Path, *, keep: bool) -> None:
        """Give what is there another name, which is told first: whatever happens then, it can be found."""
        if keep:
            self._say(f"Setting aside {path} as {aside.name} ...")
        path.rename(aside)
        self.undo.add(f"what was in {path} is in {aside}", aside.rename, path)
        if keep:
            self.aside.append(str(aside))
        else:
            self._remains.append(aside)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
