"""Installations to back up and to restore into, and the command as a method."""

import contextlib
import os
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from sqlalchemy import NullPool, create_engine, text

from helpdesk_core.cli import main
from helpdesk_core.files import FolderStore
from helpdesk_core.pytest_plugin import logging_put_back

KEY = "a secret key of more than thirty-two characters"
SPARE = b"nobody's file"


@dataclass
class Place:
    """An installation: a folder, a database and, in the settings, a secret key or none."""

    home: Path
    database: str
    key: str = KEY

    def helpdesk(self, *arguments: str | Path, environment: dict[str, str] | None = None, **options: Any) -> Result:
        """Run a command here, with nothing in the environment but what belongs here."""
        mine = {
            **{name: None for name in os.environ if name.startswith("HELPDESK_")},
            "HELPDESK_HOME": str(self.home),
            "HELPDESK_DATABASE_URL": self.database,
            "HELPDESK_SECRET_KEY": self.key or None,
            "HELPDESK_PLUGINS": "none",
            "HELPDESK_PASSWORD_COST": "low",
            **(environment or {}),
        }
        with logging_put_back(), contextlib.chdir(self.home.parent):
            result = CliRunner().invoke(main, [str(each) for each in arguments], env=mine, **options)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def done(self, *arguments: str | Path, **options: Any) -> str:
        """Run a command that must work, and return what it prints."""
        result = self.helpdesk(*arguments, **options)
        assert result.exit_code == 0, result.output
        return result.stdout

    def refused(self, *arguments: str | Path, code: int = 1, **options: Any) -> str:
        """Run a command that must fail, and return the sentence that it says."""
        result = self.helpdesk(*arguments, **options)
        assert result.exit_code == code, result.output
        return result.stderr.rpartition("Error: ")[2].strip()

    def run(self, *statements: str) -> list[Any]:
        """Run statements behind the command's back, and return the rows of the last one."""
        engine = create_engine(self.database, poolclass=NullPool)
        with engine.begin() as connection:
            results = [connection.execute(text(statement)) for statement in statements]
            return list(results[-1].fetchall()) if results[-1].returns_rows else []

    @property
    def files(self) -> FolderStore:
        return FolderStore(self.home / "files")

    def store(self, content: bytes) -> str:
        return self.files.write(BytesIO(content), len(content))[0]

    def fill(self) -> None:
        """Make it an installation with an account, its picture, and a file that belongs to nobody."""
        self.done("migrate")
        self.done("organization", "create", "--name", "Acme", "--slug", "acme")
        account = ("--username", "ada", "--email", "ada@acme.com", "--organization", "acme")
        self.done("user", "create", *account, "--password-stdin", input="correct horse battery staple")
        self.run(f"UPDATE core_user SET avatar = '{self.store(b'a picture' * 20_000)}'")
        self.store(SPARE)


def slugs(place: Place) -> list[str]:
    return [slug for (slug,) in place.run("SELECT slug FROM core_organization")]


def litter(place: Place) -> list[str]:
    """Return the names of what a restore has left that it should not have."""
    return [path.name for path in place.home.parent.rglob("*") if "restoring" in path.name or "replaced" in path.name]


def is_untouched(place: Place) -> bool:
    """Tell whether an installation is as the fixture `occupied` has made it."""
    files = [b"".join(place.files.read(key)) for key in place.files]
    return slugs(place) == ["globex"] and files == [b"of Globex"] and not litter(place)


def checks(told: str) -> dict[str, tuple[str, str]]:
    """Return what `helpdesk verify` printed: the state and the words of each check."""
    return {line[7:20].strip(): (line[:6].strip(), line[21:]) for line in told.splitlines()}


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
