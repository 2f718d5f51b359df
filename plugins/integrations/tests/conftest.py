"""What the tests of integrations share: an installation that may call this machine, and somebody to be called."""

import json
import socket
import struct
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import text

from helpdesk_core.testing import running

WEBHOOKS = "/integration-platform/webhooks/"
APIS = "/integration-platform/api-integrations/"


@pytest.fixture
def installation(helpdesk_host, helpdesk_databases, tmp_path):
    """A helpdesk that may send requests to this machine."""
    with running(helpdesk_databases, helpdesk_host, tmp_path, outbound_allow=("127.0.0.0/8",)) as installation:
        yield installation


@dataclass
class Received:
    """A request that came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """A server on this machine that answers as it is told, path by path.

    Attributes:
        received: every request, in order.
        failures: how often requests to a path fail before they succeed.
        mode: how they fail: a status, or `timeout` or `reset`.
        headers: more headers of failing answers.
        answers: what other paths answer: status, headers and body.
        crowd: how many requests each one waits for, for a moment.
        most_at_once: requests that were there at the same time.
    """

    received: list[Received] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    mode: str = "500"
    headers: dict[str, str] = field(default_factory=dict)
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    released: threading.Event = field(default_factory=threading.Event)
    base: str = ""
    crowd: int = 0
    most_at_once: int = 0
    _here: int = 0
    _door: threading.Condition = field(default_factory=threading.Condition)

    def wait_for_others(self) -> None:
        with self._door:
            self._here += 1
            self.most_at_once = max(self.most_at_once, self._here)
            self._door.notify_all()
            self._door.wait_for(lambda: self._here >= self.crowd, timeout=0.5)
            self._here -= 1

    def of(self, path: str) -> list[Received]:
        return [each for each in self.received if each.path == path]

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        request = Received(handler.command, handler.path, headers, handler.rfile.read(length))
        self.received.append(request)
        path = handler.path.partition("?")[0]
        if self.crowd:
            self.wait_for_others()
        if path in self.answers:
            self.reply(handler, *self.answers[path])
        elif len(self.of(handler.path)) > self.failures[path]:
            self.reply(handler, 200, {}, b'{"taken": true}')
        elif self.mode == "timeout":
            self.released.wait(30)
        elif self.mode == "reset":
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()
        else:
            self.reply(handler, int(self.mode), self.headers, b"no")

    def reply(self, handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)


@pytest.fixture
def receiver():
    """Somebody to be called."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except (OSError, ValueError):  # the test breaks connections on purpose
                self.close_connection = True

        def answer(self) -> None:
            receiver.take(self)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer  # noqa: N815 - as http.server calls them

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None
    server.daemon_threads = True
    receiver.base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield receiver
    receiver.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def hook(owner, receiver) -> Callable[..., dict[str, Any]]:
    """Makes webhooks of the owner's that reach the receiver."""

    def make(path: str = "/hook", **fields: Any) -> dict[str, Any]:
        body = {"name": f"Hook {path}", "url": receiver.base + path, "events": ["ticket.*"], **fields}
        reply = owner.post(WEBHOOKS, json=body)
        assert reply.status_code == 201, reply.text
        return reply.json()

    return make


@pytest.fixture
def open_ticket(member) -> Callable[..., dict[str, Any]]:
    """Opens tickets of the member's."""

    def make(subject: str = "Printer on fire", **fields: Any) -> dict[str, Any]:
        reply = member.post("/tickets/", json={"subject": subject, "description": "Second floor", **fields})
        assert reply.status_code == 201, reply.text
        return reply.json()

    return make


@pytest.fixture
def log(owner) -> Callable[..., list[dict[str, Any]]]:
    """Returns the deliveries of a webhook, the oldest first, with every try."""

    def read(webhook: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
        path = f"{WEBHOOKS}{webhook['id']}/deliveries/"
        found = owner.get(path, params={"ordering": "id", "page_size": 100, **query}).json()["results"]
        return [owner.get(f"{path}{each['id']}/").json() for each in found]

    return read


@pytest.fixture
def run_until_done(installation, clock) -> Callable[[], None]:
    """Moves the clock from one try to the next until none is left."""

    def due() -> datetime | None:
        waiting = (
            "SELECT min(due_at) FROM core_job WHERE state = 'waiting' AND name = 'helpdesk_integrations.send_webhook'"
        )
        with installation.session() as session:
            found = session.execute(text(waiting)).scalar()
        return datetime.fromisoformat(found) if isinstance(found, str) else found

    def run() -> None:
        installation.run_jobs()
        while moment := due():
            clock.advance(seconds=max((moment - clock.now()) / timedelta(seconds=1), 1))
            installation.run_jobs()

    return run
