"""A server that is asked for three times of what it can do goes on doing what it can, and refuses the rest at once.

uv run pytest -n0 -s tests/chaos/test_overload.py    (CHAOS_SECONDS and CHAOS_TIMES change how long and how much)
"""

import os
import sys
from itertools import pairwise
from pathlib import Path

import httpx2
import pytest

from tests.chaos.open_loop import Outcome, Plan, request, send
from tests.chaos.place import PASSWORD, Place, place

SECONDS = float(os.environ.get("CHAOS_SECONDS", "8"))
ROUNDS = 7
WAITING_SECONDS = 2
"""How long those that are served wait, at most: there must be clients enough, or they would wait for each other."""
TIMES = float(os.environ.get("CHAOS_TIMES", "3"))
TICKETS = 200
PAGE = 20
LIST = f"/api/v1/tickets/?status=new&page_size={PAGE}"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("what", ["lists", "lists and new tickets"])
def test_three_times_the_load(tmp_path: Path, what: str) -> None:
    with place(tmp_path) as made:
        server = made.serve()
        made.wait_until_it_answers()
        requests = asked(sign_in(made), writes=what != "lists")
        send(Plan(made.port, 200, 2, 64, requests))
        before = memory(server.pid)
        peaks, overloads = alternately(made, requests)
        grown = memory(server.pid) - before
    around = [(served(one) + served(other)) / 2 for one, other in pairwise(peaks)]
    shares = sorted(served(over) / peak for peak, over in zip(around, overloads, strict=True))
    refused = sorted(took for over in overloads for took in over.answered(503))
    p99 = refused[int(len(refused) * 0.99)] if refused else 0.0
    share = median(shares)
    waited = sorted(took for over in overloads for status in (200, 201) for took in over.answered(status))
    sys.stderr.write(
        f"\n{what}: peak {median([served(peak) for peak in peaks]):.0f} a second; of that at {TIMES:g} times as many "
        f"{share:.0%} ({shares[0]:.0%} to {shares[-1]:.0%} in {ROUNDS} turns of {SECONDS:g} s); {len(refused)} refused "
        f"and others served after at most {waited[int(len(waited) * 0.99)]:.0f} ms (p99); refusals come "
        f"after {median(refused):.1f} ms (p99 {p99:.1f} ms, worst {max(refused, default=0):.0f}), "
        f"{sum(over.lost for over in overloads)} lost, {sum(over.unsent + over.behind for over in overloads)} not "
        f"sent; grown by {grown:.0f} MiB; the client itself was late by at most "
        f"{max(over.late for over in overloads) * 1000:.0f} ms\n"
    )
    for over in overloads:
        assert over.lost == 0, over.error
        assert not {*over.milliseconds} - {"200", "201", "503"}
    assert share >= 0.9
    assert p99 <= 50


def sign_in(made: Place) -> str:
    login = {"email": "ada@acme.com", "password": PASSWORD}
    token: str = httpx2.post(f"{made.url}/api/v1/users/login/", json=login).json()["access"]
    with httpx2.Client(base_url=made.url, headers={"Authorization": f"Bearer {token}"}) as client:
        for number in range(TICKETS):
            ticket = {"subject": f"Printer {number} on fire", "description": "Again.", "tags": ["printer"]}
            client.post("/api/v1/tickets/", json=ticket).raise_for_status()
        assert len(client.get(LIST).json()["results"]) == PAGE
    return token


def asked(token: str, *, writes: bool) -> list[str]:
    lists = [request(LIST, token)] * 3
    new = request("/api/v1/tickets/", token, b'{"subject": "Printer on fire", "description": "Again."}')
    return [*lists, new] if writes else lists


def alternately(made: Place, requests: list[str]) -> tuple[list[Outcome], list[Outcome]]:
    """Return what came of as much as can be done, and of several times as much, in turn: machines have moods.

    Each overload stands between two peaks, so that a machine that becomes slower or faster says nothing.
    """
    as_much_as_can_be_done = Plan(made.port, 100_000, SECONDS, 16, requests)
    peaks, overloads = [send(as_much_as_can_be_done)], []
    for _ in range(ROUNDS):
        most = served(peaks[-1])
        overloads.append(send(Plan(made.port, most * TIMES, SECONDS, int(most * WAITING_SECONDS), requests)))
        peaks.append(send(as_much_as_can_be_done))
    return peaks, overloads


def served(found: Outcome) -> float:
    """Return how many requests were served a second."""
    return (len(found.answered(200)) + len(found.answered(201))) / found.seconds


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2] if values else 0.0


def memory(pid: int) -> float:
    """Return the MiB that a process holds."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no such process")
