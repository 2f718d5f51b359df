"""The programs of PostgreSQL that write and read its dumps."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from helpdesk_core.backup.failures import BackupFailed
from helpdesk_core.row_security import SETTING
from helpdesk_core.tenancy import EVERYONE

SECRET = "password"  # noqa: S105 - the name of a parameter
TRANSACTION_TIMEOUT = 17
"""From this version on `pg_restore` sets `transaction_timeout`, which ends the restore on a server before it."""


def require(program: str, server: int) -> None:
    """Refuse to go on without a program that knows the server, and that the server knows.

    Args:
        program: `pg_dump` or `pg_restore`.
        server: major version of the server.

    Raises:
        BackupFailed: it is missing, older than the server, or too new to restore into it.
    """
    path, version = _found(program, server)
    if version < server:
        raise BackupFailed(f"{path} is of version {version}, and the server of {server}: {_advice(server)}")
    if program == "pg_restore" and server < TRANSACTION_TIMEOUT <= version:
        raise BackupFailed(f"{path} is of version {version}, too new for the server of {server}: {_advice(server)}")


def warning(server: int) -> str | None:
    """Return what an operator should know of a dump before it is written; nothing if it can be restored as usual."""
    path, version = _found("pg_dump", server)
    if not server < TRANSACTION_TIMEOUT <= version:
        return None
    return (
        f"{path} is of version {version}: what it writes is read by no older pg_restore, and that one restores into no "
        f"server of {server}. So that you can come back, {_advice(server)}"
    )


def _found(program: str, server: int) -> tuple[str, int]:
    """Return where a program is, and its major version."""
    path = shutil.which(program)
    if path is None:
        raise BackupFailed(f"{program} is not here: install the client programs of PostgreSQL {server}, or mend PATH.")
    told = _run([path, "--version"], {}).stdout
    found = re.search(r"\) (\d+)", told)
    if found is None:
        raise BackupFailed(f"{path} does not say its version: {told.strip()}")
    return path, int(found[1])


def _advice(server: int) -> str:
    return f"install the client programs of PostgreSQL {server}, and put them first in PATH."


def dump(url: URL, target: Path, *, snapshot: str, leave_out: str) -> None:
    """Write what a transaction sees, which has exported its snapshot, to a file.

    The lowest compression is nine tenths as good as the usual one, at two fifths of the time of a processor. Policies
    of row security show a role nothing that does not say whose rows it means; to others this is of no account.
    """
    usual = ("--format=custom", "--compress=1", "--no-password", "--lock-wait-timeout=60s", "--enable-row-security")
    chosen = (f"--snapshot={snapshot}", f"--exclude-schema={leave_out}", f"--file={target}")
    run("pg_dump", *usual, *chosen, f"--dbname={_connection_string(url)}", url=url)


def restore(url: URL, source: Path) -> None:
    """Make all that is in a dump, in one transaction.

    Who owned things, and who might use them, is left out: the roles of another server are others.
    """
    usual = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--no-password")
    run("pg_restore", *usual, f"--dbname={_connection_string(url)}", str(source), url=url)


def read_through(source: Path) -> None:
    """Read a dump from beginning to end."""
    run("pg_restore", f"--file={os.devnull}", str(source))


def run(program: str, *arguments: str, url: URL | None = None) -> None:
    """Run a program; the password reaches it by its environment, which other users cannot list.

    Raises:
        BackupFailed: it fails; the message is its own.
    """
    path = shutil.which(program) or program
    environment = {"PGPASSWORD": url.password} if url is not None and url.password else {}
    done = _run([path, *arguments], environment)
    if done.returncode:
        raise BackupFailed(f"{program} failed: {_reason(done)}")


def _run(command: list[str], more: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LC_ALL": "C", **more}
    return subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603 - no shell reads it


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in done.stderr.splitlines() if "error:" in line] or done.stderr.splitlines()
    if lines:
        return lines[0].partition("error: ")[2] or lines[0]
    return f"it was ended by signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"


def options(url: URL) -> str:
    """Return the options of a connection that means everyone's rows, besides those that it would have anyway."""
    own = _parameters(url).get("options") or os.environ.get("PGOPTIONS", "")  # one or the other, as libpq has it
    return f"{own} -c {SETTING}={EVERYONE}".strip()


def _connection_string(url: URL) -> str:
    """Return the parameters of a connection as libpq takes them, without the password."""
    parameters = {**_parameters(url), "options": options(url)}
    pairs = ((name, str(value)) for name, value in parameters.items() if name != SECRET)
    return " ".join(f"{name}={_quoted(value)}" for name, value in pairs)


def _parameters(url: URL) -> dict[str, Any]:
    _, parameters = url.get_dialect()().create_connect_args(url)
    return dict(parameters)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
