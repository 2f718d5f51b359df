"""The servers that are compared: how each is started, and what tokens it takes."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
from pydantic import SecretStr

from helpdesk_core.accounts.tokens import Tokens
from helpdesk_core.clock import SystemClock
from helpdesk_core.schemas import Dialect
from helpdesk_core.settings import Settings
from tests.benchmarks import postgresql
from tests.benchmarks.data import FOLDER, Login
from tests.benchmarks.django_helpdesk.keys import key_of
from tests.benchmarks.floor.tokens import token_of
from tests.benchmarks.load import HOST
from tests.benchmarks.wire import KEY

TICKETS = "/api/v1/tickets/"
START_SECONDS = 30


@dataclass(frozen=True)
class Kind:
    """One way to serve tickets.

    Attributes:
        name: as shown in the tables.
        command: what runs, with `{port}` to be filled in.
        environment: of the process, with `{database}` to be filled in.
        tokens: makes the access tokens it takes.
    """

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]
    tokens: Callable[[Sequence[Login]], list[str]]

    def prepare(self, module: str, database: str, *arguments: str) -> None:
        """Run a module as a program in the environment of the server."""
        filled = {name: value.format(database=database) for name, value in self.environment.items()}
        subprocess.run([sys.executable, "-m", module, *arguments], env={**os.environ, **filled}, check=True)


@dataclass(frozen=True)
class Server:
    """A running one.

    Attributes:
        kind: what it is.
        port: where it listens.
        session: of its processes.
        database: on PostgreSQL, the name of it.
    """

    kind: Kind
    port: int
    session: int
    database: str = ""

    def token(self, login: Login) -> str:
        """Return a token that it takes for `login`."""
        return self.kind.tokens([login])[0]

    def ask(self, path: str, token: str, body: Any = None) -> Any:
        """Return the parsed answer to one request; any status but 2xx raises."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = None if body is None else orjson.dumps(body)
        request = urllib.request.Request(f"http://{HOST}:{self.port}{path}", data, headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return orjson.loads(answer.read())


def _our_tokens(logins: Sequence[Login]) -> list[str]:
    tokens = Tokens(Settings(secret_key=SecretStr(KEY)), SystemClock())
    return [
        tokens.issue(user_id=login.user, login_id=login.id, version=0, dialect=Dialect.COMPREHENSIVE)
        for login in logins
    ]


def _plain_tokens(logins: Sequence[Login]) -> list[str]:
    return [token_of(login.user) for login in logins]


_PYTHON = (sys.executable, "-m")
_UVICORN = (*_PYTHON, "uvicorn", "--host", HOST, "--port", "{port}", "--log-level", "warning", "--no-access-log")
_GUNICORN = (*_PYTHON, "gunicorn", "--bind", f"{HOST}:{{port}}", "--log-level", "warning", "--workers", "1")
_OTHERS = {"BENCHMARK_DATABASE": "{database}"}

_FLOOR = (*_UVICORN, "tests.benchmarks.floor.app:app")
FLOOR = Kind("floor", _FLOOR, _OTHERS, _plain_tokens)
FLOOR_THREADS = replace(FLOOR, name="floor, 16 threads", environment={**_OTHERS, "BENCHMARK_THREADS": "16"})
SCRIPT = str(Path(sys.executable).with_name("helpdesk"))
HELPDESK = Kind(
    "Helpdesk",
    (SCRIPT, "serve", "--host", HOST, "--port", "{port}"),
    {
        "HELPDESK_DATABASE_URL": "{database}",
        "HELPDESK_SECRET_KEY": KEY,
        "HELPDESK_HOME": str(FOLDER / "home"),
        "HELPDESK_LIMITS": "count",  # costs the same as refusing
    },
    _our_tokens,
)
HELPDESK_ALONE = replace(HELPDESK, command=(*HELPDESK.command, "--no-jobs"))
"""Without delivering events beside the requests, which it does by default on SQLite."""


def _django(name: str, project: str, tokens: Callable[[Sequence[Login]], list[str]]) -> tuple[Kind, ...]:
    """Return the ways to serve a Django project."""
    wsgi, asgi = f"{project}.wsgi:application", f"{project}.asgi:application"
    environment = {"BENCHMARK_DATABASE": "{database}", "DJANGO_SETTINGS_MODULE": f"{project}.settings"}
    gthread = ("--worker-class", "gthread", "--threads", "1")
    return (
        Kind(f"{name}, gunicorn sync", (*_GUNICORN, "--worker-class", "sync", wsgi), environment, tokens),
        Kind(f"{name}, gunicorn gthread", (*_GUNICORN, *gthread, wsgi), environment, tokens),
        Kind(f"{name}, uvicorn", (*_UVICORN, "--lifespan", "off", asgi), environment, tokens),
    )


def _keys(logins: Sequence[Login]) -> list[str]:
    return [key_of(login.user) for login in logins]


DJANGO = _django("Django REST framework", "tests.benchmarks.drf", _plain_tokens)
DJANGO_HELPDESK = _django("django-helpdesk", "tests.benchmarks.django_helpdesk", _keys)[1]


@contextmanager
def running(kind: Kind, database: str) -> Iterator[Server]:
    """Start a server on the database of this URL, and stop it at the end."""
    port = _free_port()
    command = [part.format(port=port) for part in kind.command]
    environment = {name: value.format(database=database) for name, value in kind.environment.items()}
    log = (FOLDER / "server.log").open("ab")
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=log, stderr=log, start_new_session=True
    )
    try:
        _wait(process, port)
        yield Server(kind, port, process.pid, postgresql.name_of(database))
    finally:
        log.close()
        process.send_signal(signal.SIGTERM)
        process.wait(START_SECONDS)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://{HOST}:{port}/", timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"{' '.join(map(str, process.args))} does not answer; see {FOLDER / 'server.log'}")
