"""A thousand clients of two organisations on one process: everybody hears their own, soon, and nobody else's.

Run by name, alone on the machine: `uv run pytest -n0 -s tests/chaos/test_thousand_sockets.py`. The server is a process
of its own, the clients are this one; on a machine with few processors both share them.
"""

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection, connect

from helpdesk_core.testing import PASSWORD, Databases

CLIENTS = 1000
ORDER = ("owner", "outsider", "agent", "outsider")
ROUNDS = 20
SOON_SECONDS = 0.5


@contextmanager
def served(databases: Databases, home: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    settings = {
        "HELPDESK_HOME": str(home),
        "HELPDESK_DATABASE_URL": databases.copy("sockets"),
        "HELPDESK_SECRET_KEY": "a key for tests only, forty characters long",
        "HELPDESK_PASSWORD_COST": "low",
        "HELPDESK_LIMITS": "off",
        "HELPDESK_LOG_LEVEL": "error",
    }
    command = [sys.executable, "-c", "from helpdesk_core.cli import main; main()", "serve", "--port", str(port)]
    with subprocess.Popen(command, env={**os.environ, **settings}, stdout=subprocess.DEVNULL) as server:
        try:
            yield server
        finally:
            server.terminate()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def resident(pid: int) -> float:
    """Return how many MiB of memory a process has."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@asynccontextmanager
async def api(port: int) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        for _ in range(300):
            try:
                await client.get("/healthz")
                break
            except httpx2.TransportError:
                await asyncio.sleep(0.1)
        yield client


async def token_of(client: httpx2.AsyncClient, name: str) -> str:
    reply = await client.post("/api/v1/users/login/", json={"username": name, "password": PASSWORD})
    assert reply.status_code == 200, reply.text
    return str(reply.json()["access"])


async def opened(stack: AsyncExitStack, port: int, token: str) -> ClientConnection:
    uri, headers = f"ws://127.0.0.1:{port}/ws/notifications/", {"Authorization": f"Bearer {token}"}
    connection = await stack.enter_async_context(
        connect(uri, additional_headers=headers, compression=None, open_timeout=60, ping_interval=None)
    )
    assert json.loads(await connection.recv())["type"] == "connection.ready"
    return connection


async def heard(connection: ClientConnection) -> tuple[str, float]:
    """Return the subject of the next ticket, and when it came."""
    while True:
        frame = json.loads(await connection.recv())
        if frame["type"] == "ticket.created":
            return frame["data"]["subject"], time.perf_counter()
        await connection.send(json.dumps({"type": "pong"}))


async def measure(port: int, pid: int) -> dict[str, Any]:
    async with api(port) as client, AsyncExitStack() as stack:
        tokens = {name: await token_of(client, name) for name in ("owner", "agent", "outsider")}
        before = resident(pid)
        began = time.perf_counter()
        ours, theirs = [], []
        for _ in range(0, CLIENTS, 100):
            names = [(name, theirs if name == "outsider" else ours) for name in ORDER * 25]
            found = await asyncio.gather(*(opened(stack, port, tokens[name]) for name, _ in names))
            for (_, group), connection in zip(names, found, strict=True):
                group.append(connection)
        connected = time.perf_counter() - began
        figures: dict[str, Any] = {"connect": connected, "memory": resident(pid) - before, "last": [], "first": []}
        headers = {"Authorization": f"Bearer {tokens['agent']}"}
        for number in range(ROUNDS):
            began = time.perf_counter()
            posting = asyncio.ensure_future(
                client.post("/api/v1/tickets/", json={"subject": f"Number {number}"}, headers=headers)
            )
            arrived = await asyncio.gather(*(heard(connection) for connection in ours))
            assert (await posting).status_code == 201
            assert {subject for subject, _ in arrived} == {f"Number {number}"}
            figures["first"].append(min(moment for _, moment in arrived) - began)
            figures["last"].append(max(moment for _, moment in arrived) - began)
        figures["foreign"] = await foreign(theirs)
        await asyncio.gather(*(connection.close() for connection in (*theirs, *ours[20:])))
        figures |= await stall(port, client, tokens["agent"], ours[:20])
        return figures


async def foreign(connections: list[ClientConnection]) -> int:
    """Return how many frames of others came: whatever is there before the answer to a ping."""
    count = 0
    for connection in connections:
        await connection.send(json.dumps({"type": "ping"}))
        while (frame := json.loads(await connection.recv()))["type"] != "pong":
            count += frame["type"] != "ping"
    return count


async def stall(port: int, client: httpx2.AsyncClient, token: str, listening: list[ClientConnection]) -> dict[str, Any]:
    """Connect a client that never reads; return how long it lasts, and how late the others hear meanwhile."""
    with socket.socket() as stalled:
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.connect(("127.0.0.1", port))
        lines = (
            "GET /ws/notifications/ HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
            f"Authorization: Bearer {token}",
        )
        stalled.sendall("\r\n".join((*lines, "", "")).encode())
        await asyncio.sleep(1)
        began, latest, number = time.perf_counter(), 0.0, 0
        dropping = asyncio.ensure_future(dropped(stalled, began))
        headers = {"Authorization": f"Bearer {token}"}
        while not dropping.done():
            sent = time.perf_counter()
            body = {"subject": f"Large {number}", "description": "x" * 50_000}
            assert (await client.post("/api/v1/tickets/", json=body, headers=headers)).status_code == 201
            arrived = await asyncio.gather(*(heard(connection) for connection in listening))
            latest = max(latest, *(moment - sent for _, moment in arrived))
            number += 1
        return {"dropped": await dropping, "latest": latest}


async def dropped(stalled: socket.socket, began: float) -> float:
    """Wait until the server has cut a client off: what it did not read is followed by a reset then."""
    while time.perf_counter() - began < 60:
        try:
            stalled.send(b"\x8a\x80\x00\x00\x00\x00")  # an empty pong
        except OSError:
            return time.perf_counter() - began
        await asyncio.sleep(0.1)
    return float("inf")


def told(found: dict[str, Any]) -> str:
    first, last = (statistics.median(found[name]) * 1000 for name in ("first", "last"))
    return (
        f"\n{CLIENTS} clients connected in {found['connect']:.2f} s and took {found['memory']:.0f} MiB; "
        f"{ROUNDS} broadcasts to {CLIENTS // 2}: the first hears after {first:.0f} ms, the last {last:.0f} ms "
        f"(worst {max(found['last']) * 1000:.0f} ms), {found['foreign']} foreign frames; who did not read was "
        f"dropped after {found['dropped']:.1f} s, others heard after {found['latest'] * 1000:.0f} ms at most"
    )


@pytest.mark.timeout(600)
def test_a_broadcast_reaches_everybody_it_is_for_and_nobody_else(
    helpdesk_databases: Databases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    with served(helpdesk_databases, tmp_path, port) as server:
        found = asyncio.run(measure(port, server.pid))
    with capsys.disabled():
        print(told(found))
    assert found["foreign"] == 0
    assert statistics.median(found["last"]) < SOON_SECONDS
    assert found["dropped"] < 10
