"""Every process of the server is replaced, again and again, while others work: nobody notices.

uv run pytest -n0 -s tests/chaos/test_rolling_restarts.py    (CHAOS_RESTARTS and CHAOS_RATE change how much)
"""

import contextlib
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.chaos.open_loop import Outcome, Plan, send
from tests.chaos.place import Place, place
from tests.chaos.test_overload import asked, sign_in

RESTARTS = int(os.environ.get("CHAOS_RESTARTS", "20"))
RATE = float(os.environ.get("CHAOS_RATE", "150"))
WORKERS = 2


@pytest.mark.timeout(1200)
def test_nobody_notices_that_the_server_is_restarted(tmp_path: Path) -> None:
    with place(tmp_path) as made:
        server = made.serve("--workers", str(WORKERS))
        made.wait_until_it_answers()
        requests = asked(sign_in(made), writes=True)
        outcomes: list[Outcome] = []
        stopping = threading.Event()
        load = threading.Thread(target=keep_sending, args=(made, requests, outcomes, stopping))
        load.start()
        began = time.monotonic()
        for _ in range(RESTARTS):
            before = children(server.pid)
            server.send_signal(signal.SIGHUP)
            wait_until_replaced(server.pid, before)
        seconds = time.monotonic() - began
        stopping.set()
        load.join()
        found = added(outcomes)
        answers = {status: len(times) for status, times in found.milliseconds.items()}
        slowest = max(max(times) for times in found.milliseconds.values())
        sys.stderr.write(
            f"\n{RESTARTS} restarts of {WORKERS} processes in {seconds:.0f} s: answers {answers}, {found.lost} lost "
            f"{found.error}, {found.unsent + found.behind} not sent; the slowest took {slowest:.0f} ms\n"
        )
        assert not {*answers} - {"200", "201"}
        assert found.lost == 0
        assert sum(answers.values()) >= 10_000


def keep_sending(made: Place, requests: list[str], outcomes: list[Outcome], stopping: threading.Event) -> None:
    while not stopping.is_set():
        outcomes.append(send(Plan(made.port, RATE, 20, 64, requests)))


def added(outcomes: list[Outcome]) -> Outcome:
    total = Outcome()
    for each in outcomes:
        for status, times in each.milliseconds.items():
            total.milliseconds.setdefault(status, []).extend(times)
        total.lost, total.unsent, total.behind = (
            total.lost + each.lost, total.unsent + each.unsent, total.behind + each.behind
        )  # fmt: skip
        total.error = total.error or each.error
    return total


def children(pid: int) -> set[int]:
    """Return the processes of the server, but for what Python itself runs beside them."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(child) for child in found if "spawn_main" in command_of(child)}


def command_of(pid: str) -> str:
    """Return how a process was started; nothing if it has just ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def wait_until_replaced(pid: int, before: set[int]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        present = children(pid)
        if len(present) == WORKERS and not present & before:
            return
        time.sleep(0.05)
    raise AssertionError(f"{children(pid)} are there, {before} were")
