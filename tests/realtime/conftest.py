"""Clients of the socket, over the test client's own transport."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.metadata import entry_points
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.testclient import WebSocketTestSession

from helpdesk_core.testing import Client, Installation

# Tickets are what is followed here; the core alone has none.
if not entry_points(group="helpdesk.plugins"):
    collect_ignore_glob = ["*.py"]

PATH = "/ws/notifications/"


class Socket:
    """One connection."""

    def __init__(self, session: WebSocketTestSession) -> None:
        self.session = session

    def next(self) -> dict[str, Any]:
        """Return the next frame; pings are answered and passed over."""
        while True:
            frame: dict[str, Any] = self.session.receive_json()
            if frame["type"] != "ping":
                return frame
            self.send("pong")

    def send(self, kind: str, *, id: Any = None, **data: Any) -> None:
        self.session.send_json({"type": kind, "id": id, "data": data})

    def ask(self, kind: str, **data: Any) -> dict[str, Any]:
        """Send a frame and return what comes next."""
        self.send(kind, **data)
        return self.next()

    def until_pong(self) -> list[dict[str, Any]]:
        """Return the frames that are there before the answer to a ping of ours."""
        self.send("ping")
        frames = []
        while (frame := self.next())["type"] != "pong":
            frames.append(frame)
        return frames

    def closed(self) -> tuple[int, str]:
        """Return how the server closes, whatever it says before."""
        while (message := self.session.receive())["type"] != "websocket.close":
            pass
        return message["code"], message.get("reason", "")


Connect = Callable[..., Socket]


@pytest.fixture
def connect(installation: Installation) -> Iterator[Connect]:
    """Connects somebody: `connect(agent)`, `connect(headers=..., query=..., subprotocols=...)`."""
    with ExitStack() as stack:

        def connected(
            client: Client | None = None, *, headers: Any = None, subprotocols: Any = None, **query: str
        ) -> Socket:
            sent = dict(headers or {})
            if client is not None:
                sent["Authorization"] = f"Bearer {client.token}"
            path = f"{PATH}?{urlencode(query)}" if query else PATH
            session = installation.http.websocket_connect(path, subprotocols, headers=sent)
            return Socket(stack.enter_context(session))

        yield connected


def ready(socket: Socket) -> Socket:
    """Return the socket once the server has said that it is ready."""
    assert socket.next()["type"] == "connection.ready"
    return socket
