"""Clients that send half a request, or a body drop by drop, and one that sends a very large file.

uv run pytest -n0 -s tests/chaos/test_slow_clients.py
"""

import select
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.chaos.open_loop import Plan, send
from tests.chaos.place import Place, place
from tests.chaos.test_overload import asked, memory, sign_in

HALF_OPEN = 500
SLOW_BODIES = 200
MEBIBYTE = 1 << 20
LARGE = 100


@pytest.mark.timeout(300)
def test_half_open_connections_are_closed_while_others_are_served(tmp_path: Path) -> None:
    with place(tmp_path, HELPDESK_BODY_TIMEOUT_SECONDS="10") as made:
        made.serve()
        made.wait_until_it_answers()
        token = sign_in(made)
        requests = asked(token, writes=True)
        usual = sorted(send(Plan(made.port, 100, 10, 64, requests)).answered(200))
        closed: dict[str, float] = {}
        threads = [
            threading.Thread(target=hold, args=(made.port, HALF_OPEN, b"GET / HTTP/1.1\r\nHost: a\r\nX-A: ", closed)),
            threading.Thread(target=hold, args=(made.port, SLOW_BODIES, half_a_body(token), closed)),
            threading.Thread(target=hold, args=(made.port, 100, b"", closed)),
        ]
        for thread in threads:
            thread.start()
        found = send(Plan(made.port, 100, 10, 64, requests))
        for thread in threads:
            thread.join()
        others = sorted(found.answered(200))
        sys.stderr.write(
            f"\nclosed after {closed}; meanwhile others were answered after {others[int(len(others) * 0.99)]:.0f} ms "
            f"(p99; before {usual[int(len(usual) * 0.99)]:.0f} ms), {found.lost} lost, "
            f"answers { ({status: len(times) for status, times in found.milliseconds.items()}) }\n"
        )
        assert max(closed.values()) < 10 + 10
        assert closed[f"{HALF_OPEN} sending GET / HTTP/1.1"] < 10
        assert found.lost == 0
        assert not {*found.milliseconds} - {"200", "201"}


def half_a_body(token: str) -> bytes:
    head = f"POST /api/v1/tickets/ HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n"
    return (head + "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{").encode()


def hold(port: int, number: int, text: bytes, closed: dict[str, float]) -> None:
    """Open connections, send `text` and then a byte every second, and note when the server has closed the last."""
    began = time.monotonic()
    present = set()
    for _ in range(number):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(text)
        present.add(connection)
    told = 0.0
    while present and time.monotonic() - began < 60:
        if text and time.monotonic() - told > 1:
            told = time.monotonic()
            let_go(present, [connection for connection in present if not sent(connection)])
        readable = select.select(present, [], [], 0.2)[0]
        let_go(present, [connection for connection in readable if not received(connection)])
    name = text[:14].decode() if text else "nothing"
    closed[f"{number} sending {name}"] = round(time.monotonic() - began, 1) if not present else float("inf")


def let_go(present: set[socket.socket], ended: list[socket.socket]) -> None:
    for connection in ended:
        connection.close()
        present.discard(connection)


def sent(connection: socket.socket) -> bool:
    try:
        return bool(connection.send(b"a"))
    except OSError:
        return False


def received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(4096)
    except OSError:
        return b""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("room", [LARGE + 1, 25], ids=["kept", "refused"])
def test_a_large_file_takes_little_memory(tmp_path: Path, room: int) -> None:
    with place(tmp_path, HELPDESK_MAX_UPLOAD_BYTES=str(room * MEBIBYTE)) as made:
        server = made.serve()
        made.wait_until_it_answers()
        token = sign_in(made)
        upload(made, token, 1)  # what the first one loads
        before = memory(server.pid)
        watching, highest = threading.Event(), [before]
        watcher = threading.Thread(target=watch, args=(server.pid, watching, highest))
        watcher.start()
        status = upload(made, token, LARGE)
        watching.set()
        watcher.join()
        sys.stderr.write(f"\n{LARGE} MiB, {room} MiB allowed: {status}; at most {highest[0] - before:.1f} MiB more\n")
        assert status == (201 if room > LARGE else 413)
        assert highest[0] - before <= 8


def upload(made: Place, token: str, mebibytes: int) -> int:
    def parts() -> Iterator[bytes]:
        yield b'--line\r\nContent-Disposition: form-data; name="file"; filename="log.txt"\r\n'
        yield b"Content-Type: text/plain\r\n\r\n"
        for _ in range(mebibytes):
            yield b"0123456789abcde\n" * (MEBIBYTE // 16)
        yield b"\r\n--line--\r\n"

    headers = {"Authorization": f"Bearer {token}", "Content-Type": "multipart/form-data; boundary=line"}
    with httpx2.Client(base_url=made.url, headers=headers, timeout=120) as client:
        ticket = client.get("/api/v1/tickets/", params={"page_size": 1}).json()["results"][0]["id"]
        return client.post(f"/api/v1/tickets/{ticket}/attachments/", content=parts()).status_code


def watch(pid: int, stopping: threading.Event, highest: list[float]) -> None:
    while not stopping.wait(0.005):
        highest[0] = max(highest[0], memory(pid))
