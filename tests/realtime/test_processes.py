"""Several server processes, real sockets, and clients that do not read."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from helpdesk_core.app import create_app
from helpdesk_core.assembly import assemble
from helpdesk_core.plugins import PluginHost
from helpdesk_core.testing import Client, Installation
from tests.realtime.servers import served

PATH = "/ws/notifications/"


@pytest.fixture
def second(installation: Installation, helpdesk_host: PluginHost) -> Iterator[int]:
    """The port of a second process of the same installation, as far as a thread can be one."""
    parts = assemble(installation.parts.settings, clock=installation.clock, host=helpdesk_host)
    with served(create_app(installation.parts.settings, parts=parts, background=False)) as port:
        yield port


@contextlib.contextmanager
def opened(port: int, client: Client) -> Iterator[ClientConnection]:
    headers = {"Authorization": f"Bearer {client.token}"}
    with connect(f"ws://127.0.0.1:{port}{PATH}", additional_headers=headers, compression=None) as connection:
        assert json.loads(connection.recv(timeout=10))["type"] == "connection.ready"
        yield connection


def test_a_client_hears_what_another_process_has_committed(second: int, agent: Client) -> None:
    with opened(second, agent) as connection:
        ticket = agent.post("/tickets/", json={"subject": "Elsewhere"}).json()
        assert json.loads(connection.recv(timeout=10))["data"]["id"] == ticket["id"]


def test_closing_the_server_tells_clients_to_come_back(
    installation: Installation, helpdesk_host: PluginHost, agent: Client
) -> None:
    parts = assemble(installation.parts.settings, clock=installation.clock, host=helpdesk_host)
    app = create_app(installation.parts.settings, parts=parts, background=False)
    with contextlib.ExitStack() as stack:
        with served(app) as port:
            connection = stack.enter_context(opened(port, agent))
        with pytest.raises(ConnectionClosed):
            connection.recv(timeout=10)
        assert connection.close_code == 1012


def test_a_client_that_stops_reading_is_dropped_and_nobody_else_waits(second: int, agent: Client) -> None:
    with raw(second, agent) as stalled, opened(second, agent) as reading:
        for number in range(12):
            reply = agent.post("/tickets/", json={"subject": f"Number {number}", "description": "x" * 90_000})
            assert reply.status_code == 201
            assert json.loads(reading.recv(timeout=4))["data"]["subject"] == f"Number {number}"
        assert ended(stalled, time.monotonic() + 10)


def raw(port: int, client: Client) -> socket.socket:
    """Connect somebody who never reads a frame, with little room for what they do not read."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", port))
    handshake = (
        f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"Authorization: Bearer {client.token}\r\n\r\n"
    )
    connection.sendall(handshake.encode())
    assert connection.recv(12) == b"HTTP/1.1 101"
    return connection


def ended(connection: socket.socket, deadline: float) -> bool:
    """Tell whether the server has cut the connection off: what it did not read is then followed by a reset."""
    connection.settimeout(0.2)
    while time.monotonic() < deadline:
        try:
            connection.send(b"\x8a\x80\x00\x00\x00\x00")  # a pong; after a reset, sending fails
        except OSError:
            return True
        time.sleep(0.1)
    return False
