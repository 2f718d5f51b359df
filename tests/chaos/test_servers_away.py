"""PostgreSQL and Redis go away and come back while many work.

uv run pytest -n0 -s tests/chaos/test_servers_away.py    (CHAOS_RESTARTS changes how often)
"""

import os
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import httpx2
import pytest

from tests.chaos.place import PASSWORD, Place, place
from tests.chaos.servers import postgres, redis

RESTARTS = int(os.environ.get("CHAOS_RESTARTS", "10"))
WRITERS = 16


@dataclass
class Writer:
    """Opens tickets and lists them, and remembers what came of it: when, what, and how long it took."""

    made: Place
    token: str
    stopping: threading.Event
    written: list[str] = field(default_factory=list)
    answers: list[tuple[float, int, float]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def run(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        with httpx2.Client(base_url=f"{self.made.url}/api/v1", headers=headers, timeout=30) as client:
            while not self.stopping.is_set():
                try:
                    new = self._ask(client, "POST", json={"subject": "Printer on fire", "description": "Again."})
                    if new.status_code == 201:
                        self.written.append(new.json()["id"])
                    self._ask(client, "GET")
                except httpx2.HTTPError as error:
                    self.broken.append(repr(error))

    def _ask(self, client: httpx2.Client, method: str, **options: object) -> httpx2.Response:
        began = time.monotonic()
        answer = client.request(method, "/tickets/", **options)  # type: ignore[arg-type]
        now = time.monotonic()
        self.answers.append((now, answer.status_code, now - began))
        if answer.status_code == 503:
            self.stopping.wait(0.05)
        return answer


def writers(made: Place) -> tuple[list[Writer], list[threading.Thread], threading.Event]:
    login = {"email": "ada@acme.com", "password": PASSWORD}
    token = httpx2.post(f"{made.url}/api/v1/users/login/", json=login).json()["access"]
    stopping = threading.Event()
    found = [Writer(made, token, stopping) for _ in range(WRITERS)]
    threads = [threading.Thread(target=writer.run) for writer in found]
    for thread in threads:
        thread.start()
    return found, threads, stopping


def statuses(found: list[Writer]) -> "Counter[int]":
    return Counter(status for writer in found for _, status, _ in writer.answers)


@pytest.mark.timeout(1200)
def test_postgresql_is_restarted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with postgres(tmp_path) as server, redis() as cache:
        monkeypatch.setenv("HELPDESK_CHAOS_DATABASE_URL", server.url)
        monkeypatch.setenv("HELPDESK_CHAOS_REDIS_URL", cache.url)
        (tmp_path / "home").mkdir()
        with place(tmp_path / "home") as made:
            made.serve("--workers", "2")
            made.start("worker")
            made.wait_until_it_answers()
            found, threads, stopping = writers(made)
            back: list[float] = []
            for number in range(RESTARTS):
                time.sleep(1.5)
                server.stop("fast" if number % 2 else "immediate")
                time.sleep(0.5)
                server.start()
                back.append(time.monotonic())
            time.sleep(2)
            stopping.set()
            for thread in threads:
                thread.join()
            there = {str(row[0]) for row in made.rows("SELECT uuid FROM tickets_ticket")}
            written = [key for writer in found for key in writer.written]
            lost = {*written} - there
            well = sorted(moment for writer in found for moment, status, _ in writer.answers if status == 201)
            again = [next(moment for moment in well if moment > began) - began for began in back]
            broken = [problem for writer in found for problem in writer.broken]
            silent = made.rows(
                "SELECT id FROM tickets_ticket WHERE NOT EXISTS (SELECT 1 FROM core_event"
                " WHERE type = 'ticket.created' AND subject = 'ticket:' || tickets_ticket.id)"
            )
            sys.stderr.write(
                f"\n{RESTARTS} restarts of PostgreSQL: {len(written)} writes acknowledged, {len(lost)} lost, "
                f"{len(silent)} without their event; answers {dict(statuses(found))}, {len(broken)} none; written "
                f"again {max(again):.2f} s after it was back (median {sorted(again)[len(again) // 2]:.2f} s)\n"
            )
            assert (len(lost), len(silent), broken) == (0, 0, [])
            assert not {*statuses(found)} - {200, 201, 503}
            assert max(again) < 1


@pytest.mark.timeout(600)
def test_redis_is_frozen_and_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with postgres(tmp_path) as server, redis() as cache:
        monkeypatch.setenv("HELPDESK_CHAOS_DATABASE_URL", server.url)
        monkeypatch.setenv("HELPDESK_CHAOS_REDIS_URL", cache.url)
        (tmp_path / "home").mkdir()
        with place(tmp_path / "home", HELPDESK_LIMITS="count") as made:
            made.serve("--workers", "2")
            made.start("worker")
            made.wait_until_it_answers()
            found, threads, stopping = writers(made)
            moments = {"before": time.monotonic()}
            time.sleep(4)
            moments["frozen"] = time.monotonic()
            cache.freeze()
            time.sleep(8)
            cache.thaw()
            moments["thawed"] = time.monotonic()
            time.sleep(3)
            moments["killed"] = time.monotonic()
            cache.kill()
            time.sleep(8)
            moments["back"] = time.monotonic()
            cache.start()
            time.sleep(3)
            stopping.set()
            for thread in threads:
                thread.join()
            moments["end"] = time.monotonic()
            told = ""
            worst = {}
            for name, after in pairwise(moments):
                took = sorted(
                    seconds
                    for writer in found
                    for at, _, seconds in writer.answers
                    if moments[name] <= at < moments[after]
                )
                worst[name] = took[-1]
                told += f"\n  {name}: {len(took)} answers, p50 {took[len(took) // 2] * 1000:.0f} ms, "
                told += f"p99 {took[int(len(took) * 0.99)] * 1000:.0f} ms, worst {took[-1] * 1000:.0f} ms"
            sys.stderr.write(f"\nRedis: answers {dict(statuses(found))}{told}\n")
            assert not {*statuses(found)} - {200, 201, 503}
            assert not [problem for writer in found for problem in writer.broken]
            usual = worst["before"]
            assert max(worst["frozen"], worst["killed"]) < usual + 0.3
