"""PgBouncer in transaction mode, with fewer connections than threads: nothing is refused, and nothing waits for ever.

HELPDESK_CHAOS_DATABASE_URL=postgresql://superuser@host/name uv run pytest -n0 -s tests/chaos/test_pgbouncer.py
(CHAOS_REQUESTS, CHAOS_CLIENTS and CHAOS_POOL change how much)
"""

import contextlib
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import make_url
from websockets.sync.client import ClientConnection, connect

from tests.chaos.place import PASSWORD, Place, place
from tests.databases import owned_database

SERVER = os.environ.get("HELPDESK_CHAOS_DATABASE_URL", "")
POOLER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
REQUESTS = int(os.environ.get("CHAOS_REQUESTS", "3000"))
CLIENTS = int(os.environ.get("CHAOS_CLIENTS", "16"))
POOL = int(os.environ.get("CHAOS_POOL", "4"))
UNPRIVILEGED = "nobody"
OVERTAKEN = 412
"""Of snapshots that lost to other writers of the same counters five times: and no fault of a pooler."""
SOON_SECONDS = 2.0
WAKE_SECONDS = 10.0

pytestmark = [
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not SERVER, reason="HELPDESK_CHAOS_DATABASE_URL names no server"),
    pytest.mark.skipif(POOLER is None, reason="pgbouncer is not installed"),
]

CONFIGURATION = """
[databases]
helpdesk = host={host} port={port} dbname={database} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {pool}
max_client_conn = 500
logfile = {folder}/pgbouncer.log
"""


@contextlib.contextmanager
def pooled(url: str) -> Iterator[str]:
    """Run a pooler in front of a database, and return the URL that leads through it."""
    parsed, listen = make_url(url), free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given = {"host": parsed.host, "port": parsed.port or 5432, "database": parsed.database}
        login = {"user": parsed.username, "password": parsed.password}
        configuration = folder / "pgbouncer.ini"
        configuration.write_text(CONFIGURATION.format(**given, **login, listen=listen, pool=POOL, folder=folder))
        command = [str(POOLER), str(configuration)]
        if os.geteuid() == 0:  # it refuses to run as root
            folder.chmod(0o755)
            shutil.chown(folder, UNPRIVILEGED)
            command[1:1] = ["-u", UNPRIVILEGED]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as pooler:
            try:
                wait_for(listen)
                yield f"postgresql://anybody@127.0.0.1:{listen}/helpdesk"
            finally:
                pooler.kill()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(500):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise AssertionError("the pooler does not listen")


@dataclass
class Load:
    """What clients did and were told."""

    url: str
    token: str
    statuses: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    tickets: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def run(self) -> float:
        began = time.monotonic()
        threads = [threading.Thread(target=self._client, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.monotonic() - began

    def told(self, seconds: float) -> str:
        """Return the figures in words."""
        ordered = sorted(self.seconds)
        p50, p99 = (ordered[int(len(ordered) * share)] * 1000 for share in (0.5, 0.99))
        return (
            f"{sum(self.statuses.values())} requests of {CLIENTS} clients through {POOL} connections in {seconds:.0f} s"
            f" ({len(ordered) / seconds:.0f} a second, p50 {p50:.0f} ms, p99 {p99:.0f} ms): {dict(self.statuses)}"
        )

    def _client(self, number: int) -> None:
        chance = random.Random(number)
        headers, own = {"Authorization": f"Bearer {self.token}"}, list[str]()
        with httpx2.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=60) as client:
            for turn in range(REQUESTS // CLIENTS):
                began = time.monotonic()
                try:
                    reply = self._act(client, chance, own, f"{number}-{turn}")
                except httpx2.HTTPError as error:
                    self.statuses[type(error).__name__] += 1
                    continue
                self.seconds.append(time.monotonic() - began)
                self.statuses[str(reply.status_code)] += 1
                if reply.status_code >= 400 and reply.status_code != OVERTAKEN:
                    self.wrong.append(f"{reply.request.method} {reply.request.url}: {reply.text[:300]}")

    def _act(self, client: httpx2.Client, chance: random.Random, own: list[str], key: str) -> httpx2.Response:
        """Ask for something; what is changed is one's own."""
        roll, ticket = chance.random(), chance.choice(own) if own else None
        if ticket is None or roll < 0.2:
            body = {"subject": f"Printer {key}", "description": "On fire."}
            reply = client.post("/tickets/", json=body, headers={"Idempotency-Key": key})
            if reply.status_code == 201:
                own.append(reply.json()["id"])
                self.tickets.append(own[-1])
            return reply
        if roll < 0.35:
            return client.post(f"/tickets/{ticket}/comments/", json={"content": "Still burning."})
        if roll < 0.45:  # a snapshot, hence another isolation level
            return client.patch(f"/tickets/{ticket}/", json={"priority": "high"}, headers={"If-Match": "*"})
        if roll < 0.5:
            return client.post("/users/login/", json={"username": "ada", "password": PASSWORD})
        if roll < 0.6:
            return client.get("/tickets/", params={"search": "printer"})
        if roll < 0.65:
            return client.get("/changes/", params={"cursor": "now"})
        return client.get(f"/tickets/{ticket}/") if roll < 0.8 else client.get("/tickets/", params={"status": "open"})


class Listener(threading.Thread):
    """A client of the socket, which notes when it heard of which ticket."""

    def __init__(self, port: int, token: str) -> None:
        super().__init__(daemon=True)
        self._url, self._token = f"ws://127.0.0.1:{port}/ws/notifications/", token
        self._ready, self._over = threading.Event(), threading.Event()
        self.heard: dict[str, float] = {}
        self.start()
        assert self._ready.wait(60)

    def run(self) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        with connect(self._url, additional_headers=headers, open_timeout=60) as server:
            while not self._over.is_set():
                with contextlib.suppress(TimeoutError):
                    self._read(json.loads(server.recv(timeout=0.2)), server)

    def _read(self, frame: dict[str, Any], server: ClientConnection) -> None:
        self._ready.set()  # the first one says that it is
        if frame["type"] == "ticket.created":
            self.heard[frame["data"]["id"]] = time.monotonic()
        elif frame["type"] == "ping":
            server.send(json.dumps({"type": "pong"}))

    def close(self) -> None:
        self._over.set()
        self.join()


@contextlib.contextmanager
def installed(folder: Path, monkeypatch: pytest.MonkeyPatch, *, direct: bool, row_security: bool) -> Iterator[Place]:
    monkeypatch.delenv("HELPDESK_CHAOS_DATABASE_URL", raising=False)  # the database is made here
    with owned_database(f"chaos_{os.getpid()}", "pooled", SERVER) as url, pooled(url) as through:
        settings = {
            "HELPDESK_DATABASE_URL": through,
            "HELPDESK_DATABASE_DIRECT_URL": url if direct else "",
            "HELPDESK_ROW_SECURITY": str(row_security),
            "HELPDESK_LIMITS": "enforce",
            "HELPDESK_LIMIT_GENERAL": "1000000",
            "HELPDESK_LIMIT_AUTHENTICATION": "1000000",
        }
        with place(folder, **settings) as made:
            made.database = url
            yield made


@pytest.mark.parametrize("row_security", [False, True], ids=["one wall", "row security"])
def test_everything_works_through_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row_security: bool) -> None:
    with installed(tmp_path, monkeypatch, direct=True, row_security=row_security) as made:
        assert "between us and the database" in made.run("doctor")
        made.serve("--workers", "2")
        made.start("worker")
        made.wait_until_it_answers()
        load = Load(made.url, token_of(made))
        listener = Listener(made.port, load.token)
        seconds = load.run()
        delays = wake_ups(made, load, listener)
        left = wait_for_jobs(made)
        listener.close()
        unheard = {*load.tickets} - listener.heard.keys()
        logged = [line for name in ("serve", "worker") for line in lines(tmp_path / f"{name}.log")]
        sys.stderr.write(
            f"\n{load.told(seconds)}, row security {row_security}: heard of {len(listener.heard)} of"
            f" {len(load.tickets) + len(delays)} tickets, {alone(delays)}; jobs left or dead: {left};"
            f" complaints in the logs: {logged[:5]}\n"
        )
        assert load.wrong == []
        assert sum(load.statuses.values()) == len(load.seconds) == REQUESTS // CLIENTS * CLIENTS
        assert (unheard, left) == (set(), 0)
        assert statistics.median(delays) < SOON_SECONDS


def test_without_a_direct_url_nobody_waits_for_news_that_cannot_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with installed(tmp_path, monkeypatch, direct=False, row_security=False) as made:
        with pytest.raises(AssertionError):
            made.run("doctor")
        made.serve("--workers", "2")
        made.start("worker")
        made.wait_until_it_answers()
        load = Load(made.url, token_of(made))
        listener = Listener(made.port, load.token)
        delays = wake_ups(made, load, listener)
        seconds = load.run()
        listener.close()
        told = "".join(lines(tmp_path / "serve.log"))
        away = told.count("limits store unavailable")
        sys.stderr.write(
            f"\nwithout a direct URL: {load.told(seconds)}; {alone(delays)}; counters were away {away} times\n"
        )
        assert "HELPDESK_DATABASE_DIRECT_URL" in told
        assert load.wrong == []


def lines(log: Path) -> list[str]:
    """What a process logged: warnings and errors."""
    return [line for line in log.read_text().splitlines() if line.startswith("{")]


def alone(delays: list[float]) -> str:
    median, worst = statistics.median(delays) * 1000, max(delays) * 1000
    return f"heard after {median:.0f} ms when nothing else goes on (worst {worst:.0f} ms)"


def token_of(made: Place) -> str:
    login = {"email": "ada@acme.com", "password": PASSWORD}
    return str(httpx2.post(f"{made.url}/api/v1/users/login/", json=login).json()["access"])


def wake_ups(made: Place, load: Load, listener: Listener) -> list[float]:
    """How long a client of the socket takes to hear of a ticket, with nothing else going on."""
    found = []
    headers = {"Authorization": f"Bearer {load.token}"}
    for turn in range(10):
        body = {"subject": f"Alone {turn}", "description": "."}
        ticket = httpx2.post(f"{made.url}/api/v1/tickets/", json=body, headers=headers).json()["id"]
        began = time.monotonic()
        while ticket not in listener.heard and time.monotonic() - began < WAKE_SECONDS:
            time.sleep(0.005)
        found.append(listener.heard.get(ticket, began + WAKE_SECONDS) - began)
    return found


def wait_for_jobs(made: Place) -> int:
    """How many events and jobs are left after a while."""
    waiting = "SELECT (SELECT count(*) FROM core_event WHERE due_at IS NOT NULL) + (SELECT count(*) FROM core_job)"
    left = -1
    for _ in range(120):
        ((left,),) = made.rows(waiting)
        if not left:
            break
        time.sleep(1)
    return left
