"""The programs of PostgreSQL that write and read its dumps."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from sqlalchemy import URL

from helpdesk_core.backup.failures import BackupFailed
from helpdesk_core.row_security import SETTING
from helpdesk_core.tenancy import EVERYONE

SECRET = "password"  # noqa: S105 - the name of a parameter


def require(program: str, server: int) -> None:
    """Refuse to go on without a program that knows the server.

    Args:
        program: `pg_dump` or `pg_restore`.
        server: major version of the server.

    Raises:
        BackupFailed: it is missing, or older than the server.
    """
    path = shutil.which(program)
    if path is None:
        raise BackupFailed(f"{program} is not here: install the client programs of PostgreSQL {server}, or mend PATH.")
    told = _run([path, "--version"], {}).stdout
    found = re.search(r"\) (\d+)", told)
    if found is None:
        raise BackupFailed(f"{path} does not say its version: {told.strip()}")
    if int(found[1]) < server:
        raise BackupFailed(
            f"{path} is of version {found[1]}, and the server of {server}: install the client programs of PostgreSQL "
            f"{server}, and put them first in PATH."
        )


def dump(url: URL, target: Path, *, snapshot: str, leave_out: str) -> None:
    """Write what a transaction sees, which has exported its snapshot, to a file.

    The lowest compression is nine tenths as good as the usual one, at two fifths of the time of a processor. Policies
    of row security show a role nothing that does not say whose rows it means; to others this is of no account.
    """
    options = ("--format=custom", "--compress=1", "--no-password", "--lock-wait-timeout=60s", "--enable-row-security")
    chosen = (f"--snapshot={snapshot}", f"--exclude-schema={leave_out}", f"--file={target}")
    run("pg_dump", *options, *chosen, f"--dbname={_connection_string(url)}", url=url)


def restore(url: URL, source: Path) -> None:
    """Make all that is in a dump, in one transaction.

    Who owned things, and who might use them, is left out: the roles of another server are others.
    """
    options = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--no-password")
    run("pg_restore", *options, f"--dbname={_connection_string(url)}", str(source), url=url)


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
    environment["PGOPTIONS"] = f"{os.environ.get('PGOPTIONS', '')} -c {SETTING}={EVERYONE}".strip()
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


def _connection_string(url: URL) -> str:
    """Return the parameters of a connection as libpq takes them, without the password."""
    _, parameters = url.get_dialect()().create_connect_args(url)
    pairs = ((name, str(value)) for name, value in parameters.items() if name != SECRET)
    return " ".join(f"{name}={_quoted(value)}" for name, value in pairs)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
