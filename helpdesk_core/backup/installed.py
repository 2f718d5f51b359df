"""What is backed up, and where it is restored to: the database, the files and the keys of an installation."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from helpdesk_core.backup import postgres, sqlite
from helpdesk_core.backup.contents import Reader
from helpdesk_core.backup.failures import BackupFailed
from helpdesk_core.backup.manifest import KeysPart, Kind
from helpdesk_core.files import FolderStore
from helpdesk_core.keys import fingerprint, has_key, signing_key
from helpdesk_core.settings import Settings


@dataclass(frozen=True, slots=True)
class Installed:
    """The parts of an installation, found by its settings; nothing of them is opened or made."""

    settings: Settings

    @property
    def kind(self) -> Kind:
        """Return the kind of its database."""
        return "sqlite" if make_url(self.settings.database).get_backend_name() == "sqlite" else "postgresql"

    @property
    def database_file(self) -> Path:
        """Return the file of its SQLite database."""
        name = make_url(self.settings.database).database
        if not name or name == ":memory:":
            raise BackupFailed("HELPDESK_DATABASE_URL: a database in memory has no backup.")
        return Path(name).absolute()

    @property
    def files_folder(self) -> Path:
        """Return the folder of its stored files."""
        return (self.settings.home / "files").absolute()

    @property
    def files(self) -> FolderStore:
        """Return its stored files."""
        return FolderStore(self.files_folder)

    def require_database(self) -> None:
        """Refuse to go on when there is no database yet."""
        if self.kind == "sqlite" and not self.database_file.exists():
            raise BackupFailed(f"{self.database_file} is not there yet: there is nothing to look at.")

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """Read one state of its database, while others may write."""
        self.require_database()
        if self.kind == "sqlite":
            with sqlite.reading(self.database_file) as reader:
                yield reader
        else:
            with postgres.reading(self.settings.direct_database) as reader:
                yield reader

    def keys(self, *, included: bool = False) -> KeysPart:
        """Return the fingerprints of its keys; none is made for it."""
        current = fingerprint(signing_key(self.settings)) if has_key(self.settings) else None
        previous = tuple(fingerprint(key.encode()) for key in self.settings.previous_secret_keys)
        return KeysPart(current=current, previous=previous, included=included)
