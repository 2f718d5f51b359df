"""An installation in a folder of its own, whose processes are started, killed and started again.

On SQLite, or on the server of HELPDESK_CHAOS_DATABASE_URL, where a database is made for it, with the Redis of
HELPDESK_CHAOS_REDIS_URL. A plugin of the test lies in the folder as if it were installed.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from sqlalchemy import create_engine, make_url, text

HELPDESK = Path(sys.executable).with_name("helpdesk")
PASSWORD = "correct horse battery staple"


@dataclass
class Place:
    """A folder, a database, and the environment of every process of it."""

    folder: Path
    environment: dict[str, str]
    database: str
    port: int = 0
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self, *arguments: str, given: str = "") -> str:
        return self._run(*arguments, given=given).stdout.decode()

    def run_told(self, *arguments: str) -> str:
        """Run a command, and return also what it tells on standard error."""
        done = self._run(*arguments)
        return (done.stdout + done.stderr).decode()

    def _run(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(
            [HELPDESK, *arguments],
            cwd=self.folder,
            env=self.environment,
            input=given.encode(),
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"helpdesk {' '.join(arguments)}: {done.stderr.decode()[-2000:]}")
        return done

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{arguments[0]}.log").open("ab")
        process = subprocess.Popen(
            [HELPDESK, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        self.running.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """End a process and its children as a power cut would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.running.remove(process)

    def serve(self, *options: str) -> subprocess.Popen[bytes]:
        if not self.port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
        return self.start("serve", "--port", str(self.port), *options)

    def wait_until_it_answers(self, seconds: float = 60) -> float:
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            with contextlib.suppress(URLError, OSError), urlopen(f"{self.url}/healthz", timeout=1):
                return time.monotonic() - began
            time.sleep(0.02)
        raise AssertionError(f"no answer: {(self.folder / 'serve.log').read_text()[-2000:]}")

    def rows(self, query: str) -> list[tuple[object, ...]]:
        engine = create_engine(self.database)
        try:
            with engine.connect() as connection:
                return [tuple(row) for row in connection.execute(text(query))]
        finally:
            engine.dispose()


@contextlib.contextmanager
def place(folder: Path, *, plugin: Path | None = None, **settings: str) -> Iterator[Place]:
    """Make an installation with an organisation and its administrator `ada`, and remove it at the end."""
    server = os.environ.get("HELPDESK_CHAOS_DATABASE_URL", "")
    database = _make_database(server) if server else f"sqlite:///{folder / 'helpdesk.db'}"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HELPDESK_")},
        "HELPDESK_HOME": str(folder),
        "HELPDESK_DATABASE_URL": database,
        "HELPDESK_LIMITS": "off",
        "HELPDESK_LOG_LEVEL": "warning",
        "HELPDESK_PASSWORD_COST": "low",
        "HELPDESK_REDIS_URL": os.environ.get("HELPDESK_CHAOS_REDIS_URL", ""),
        **({"PYTHONPATH": str(plugin)} if plugin else {}),
        **settings,
    }
    made = Place(folder, environment, database)
    try:
        made.run("migrate")
        made.run("organization", "create", "--name", "Acme", "--slug", "acme", "--tier", "enterprise")
        account = ("--username", "ada", "--email", "ada@acme.com", "--organization", "acme", "--role", "admin")
        made.run("user", "create", *account, "--password-stdin", given=PASSWORD)
        yield made
    finally:
        for process in [*made.running]:
            made.kill(process)
        if server:
            _administer(server, f'DROP DATABASE IF EXISTS "{make_url(database).database}" WITH (FORCE)')


def _make_database(server: str) -> str:
    name = f"helpdesk_chaos_{os.getpid()}"
    _administer(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    _administer(server, f'CREATE DATABASE "{name}"')
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _administer(server: str, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
