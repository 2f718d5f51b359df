"""The manifest: what a backup holds, so that every part of it can be checked, here and wherever it is restored."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from helpdesk_core.backup.failures import BackupFailed

FORMAT = 1
"""Rises when a backup can no longer be read by what was written for the one before."""
FILE = "manifest.json"
CHECKSUM = "manifest.sha256"
"""Holds the digest of the manifest, as `sha256sum` writes it; the manifest holds those of everything else."""
FILES = "files"
LISTING = "files.jsonl"
KEY = "secret-key"
DATABASES = {"sqlite": "database.sqlite", "postgresql": "database.dump"}

Kind = Literal["sqlite", "postgresql"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class DatabasePart(_Part):
    """The database: its kind and version, and the file that it is in."""

    kind: Kind
    version: str
    size: int
    sha256: str


class TablePart(_Part):
    """One table: how many rows it has, and a digest of them that does not depend on their order."""

    rows: int
    digest: str


class FilesPart(_Part):
    """The stored files together; `files.jsonl` lists them one by one."""

    count: int
    size: int
    sha256: str
    """Of the list."""


class KeysPart(_Part):
    """Fingerprints of the secret keys that the installation had, by which no key can be found."""

    current: str | None
    previous: tuple[str, ...] = ()
    included: bool = False
    """Whether the current key is in the backup."""


class StoredFile(_Part):
    """A line of the list of files."""

    key: str = Field(pattern=r"^[0-9a-f]{32}$")
    size: int
    sha256: str


class Manifest(_Part):
    """What a backup holds."""

    format: int
    created_at: datetime
    core_version: str
    database: DatabasePart
    lineages: dict[str, str | None]
    """The present revision of the core and of each plugin that has left a version table, installed or not."""
    plugins: dict[str, str]
    """The version of each installed plugin."""
    tables: dict[str, TablePart]
    files: FilesPart
    audit: dict[str, str]
    """The end of each organisation's audit log, as `helpdesk audit verify --kept` takes it."""
    keys: KeysPart

    @property
    def rows(self) -> int:
        """Return how many rows all tables have."""
        return sum(table.rows for table in self.tables.values())

    @property
    def database_file(self) -> str:
        """Return the name of the file that the database is in."""
        return DATABASES[self.database.kind]

    def dump(self) -> bytes:
        """Return the manifest as it is written."""
        return orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def checksum_line(content: bytes) -> bytes:
    """Return what `sha256sum` prints of a manifest."""
    return f"{hashlib.sha256(content).hexdigest()}  {FILE}\n".encode()


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of the backup in `folder`, as it was written.

    Raises:
        BackupFailed: there is none, it is of a newer format, or it is not as it was written.
    """
    content, checksum = _read(folder, FILE), _read(folder, CHECKSUM)
    version = _format_of(content)
    if version > FORMAT:
        raise BackupFailed(f"{folder} has format {version}, and this version reads {FORMAT}: use a newer helpdesk.")
    if checksum != checksum_line(content):
        raise BackupFailed(f"{folder / FILE} is not as it was written: {CHECKSUM} has another digest.")
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise BackupFailed(f"{folder / FILE} cannot be read: {where}: {problem['msg']}.") from None


def listed_files(folder: Path) -> Iterator[StoredFile]:
    """Iterate over the list of files of the backup in `folder`.

    Raises:
        BackupFailed: a line cannot be read.
    """
    with (folder / LISTING).open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield StoredFile.model_validate_json(line)
            except ValidationError:
                raise BackupFailed(f"{folder / LISTING}, line {number} cannot be read.") from None


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise BackupFailed(f"{folder} is no backup, or not a complete one: there is no {name}.") from None


def _format_of(content: bytes) -> int:
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        return 0  # not as it was written, which is told next
    version = found.get("format") if isinstance(found, dict) else None
    return version if isinstance(version, int) else 0
