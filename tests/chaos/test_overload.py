"""A server that is asked for three times of what it can do goes on doing what it can, and refuses the rest at once.

uv run pytest -n0 -s tests/chaos/test_overload.py    (CHAOS_SECONDS and CHAOS_TIMES change how long and how much)
"""

import os
import sys
from pathlib import Path

import httpx2
import pytest

from tests.chaos.open_loop import Outcome, Plan, request, send
from tests.chaos.place import PASSWORD, Place, place

SECONDS = float(os.environ.get("CHAOS_SECONDS", "20"))
TIMES = float(os.environ.get("CHAOS_TIMES", "3"))
TICKETS = 200


@pytest.mark.timeout(600)
@pytest.mark.parametrize("what", ["lists", "lists and new tickets"])
def test_three_times_the_load(tmp_path: Path, what: str) -> None:
    with place(tmp_path) as made:
        server = made.serve()
        made.wait_until_it_answers()
        token = sign_in(made)
        requests = asked(token, writes=what != "lists")
        peak = find_peak(made, requests)
        before = memory(server.pid)
        found = send(Plan(made.port, peak * TIMES, SECONDS, 4_000, requests))
        grown = memory(server.pid) - before
        served = len(found.answered(200)) + len(found.answered(201))
        refused = sorted(found.answered(503))
        share = served / found.seconds / peak
        p99 = refused[int(len(refused) * 0.99)] if refused else 0.0
        sys.stderr.write(
            f"\n{what}: peak {peak:.0f} a second; at {TIMES:g} times as many for {SECONDS:g} s: {served} served "
            f"({share:.0%} of the peak), {len(refused)} refused after {median(refused):.1f} ms (p99 {p99:.1f} ms, "
            f"worst {max(refused, default=0):.0f}), {found.lost} lost, {found.unsent + found.behind} not sent; other "
            f"answers {sorted({*found.milliseconds} - {'200', '201', '503'})}; grown by {grown:.0f} MiB; "
            f"the client itself was late by at most {found.late * 1000:.0f} ms\n"
        )
        assert found.lost == 0, found.error
        assert not {*found.milliseconds} - {"200", "201", "503"}
        assert share >= 0.9
        assert p99 <= 50


def sign_in(made: Place) -> str:
    login = {"email": "ada@acme.com", "password": PASSWORD}
    token: str = httpx2.post(f"{made.url}/api/v1/users/login/", json=login).json()["access"]
    with httpx2.Client(base_url=made.url, headers={"Authorization": f"Bearer {token}"}) as client:
        for number in range(TICKETS):
            ticket = {"subject": f"Printer {number} on fire", "description": "Again.", "tags": ["printer"]}
            client.post("/api/v1/tickets/", json=ticket).raise_for_status()
    return token


def asked(token: str, *, writes: bool) -> list[str]:
    lists = [request("/api/v1/tickets/?status=open&page_size=20", token)] * 3
    new = request("/api/v1/tickets/", token, b'{"subject": "Printer on fire", "description": "Again."}')
    return [*lists, new] if writes else lists


def find_peak(made: Place, requests: list[str]) -> float:
    """Return the most that is answered a second, with just more than can be done so that nothing waits for clients."""
    send(Plan(made.port, 200, 2, 64, requests))
    rates = []
    for _ in range(3):
        found: Outcome = send(Plan(made.port, 100_000, 5, 16, requests))
        rates.append((len(found.answered(200)) + len(found.answered(201))) / found.seconds)
    return median(rates)


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2] if values else 0.0


def memory(pid: int) -> float:
    """Return the MiB that a process holds."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no such process")
