"""What went wrong, in a sentence and an exit code."""

from typing import Any

import click
from sqlalchemy.exc import ArgumentError, DBAPIError

from helpdesk_core.backup.failures import BackupFailed
from helpdesk_core.errors import HelpdeskError
from helpdesk_core.lineages import MigrationFailed
from helpdesk_core.plugins import EssentialPluginFailed
from helpdesk_core.settings import BadSetting

UNUSABLE = 2
"""Exit code for what the operator wrote wrongly, as click has it for options."""


class Refused(click.ClickException):
    """A command that cannot do what it was asked to; the message is a sentence."""


class Misused(Refused):
    """A command that was given something wrong."""

    exit_code = UNUSABLE


def explained(error: Exception) -> Refused | None:
    """Return what the operator is told about `error`; nothing when it is a mistake of ours, which needs its trace."""
    if isinstance(error, BadSetting):
        return Misused(str(error))
    if isinstance(error, (EssentialPluginFailed, MigrationFailed, BackupFailed)):
        return Refused(str(error))
    if isinstance(error, HelpdeskError):
        return Refused(_with_fields(error))
    if isinstance(error, ArgumentError):
        return Misused(
            "HELPDESK_DATABASE_URL: use a URL like postgresql://user@host/name or sqlite:////path/to/file.db."
        )
    if isinstance(error, ModuleNotFoundError) and error.name in {"psycopg", "greenlet"}:
        return Misused(f"PostgreSQL needs {error.name}: pip install 'helpdesk-core[postgres]'.")
    if isinstance(error, DBAPIError):
        return Refused(f"The database does not answer: {_first_line(error.orig)}")
    if isinstance(error, OSError) and error.strerror and not isinstance(error, BrokenPipeError):
        where = f"{error.filename}: " if error.filename else ""
        return Refused(f"{where}{error.strerror}.")
    return None


def _with_fields(error: HelpdeskError) -> str:
    fields = "; ".join(f"{problem.field}: {problem.message}" for problem in error.errors)
    told = "; ".join(f"{name}: {', '.join(value)}" for name, value in error.details.items() if isinstance(value, list))
    return fields or f"{error.message} {told}".rstrip()


def _first_line(error: Any) -> str:
    return next(iter(str(error).strip().splitlines()), "no reason given")
