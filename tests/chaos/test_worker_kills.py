"""Workers are killed at random moments: nothing is lost, nothing happens twice.

uv run pytest -n0 tests/chaos/test_worker_kills.py    (CHAOS_EVENTS and CHAOS_KILLS change how much)
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpdesk_core.clock import SystemClock
from helpdesk_core.database import Database, commit
from helpdesk_core.events import Bus, attribute_session, publish
from helpdesk_core.jobs import Bell
from helpdesk_core.settings import Settings
from helpdesk_core.tenancy import set_organization
from tests.chaos.place import Place, place

EVENTS = int(os.environ.get("CHAOS_EVENTS", "10000"))
KILLS = int(os.environ.get("CHAOS_KILLS", "50"))
THINGS = 200
PLUGIN = Path(__file__).parent / "plugin"


def publish_batch(database: Database, bus: Bus, numbers: range) -> None:
    from helpdesk_chaos.plugin import ThingHappened  # noqa: PLC0415 - it lies in the folder of this test

    with database.session(writes=True) as session:
        set_organization(session, 1)
        attribute_session(session, bus, None)
        for number in numbers:
            publish(session, ThingHappened(thing_id=number % THINGS, number=number))
        commit(session)


def start_worker(made: Place) -> subprocess.Popen[bytes]:
    """Start a worker, and wait until it says that it is ready: a victim that is still starting holds nothing."""
    log = made.folder / "worker.log"
    before = log.read_text().count("is ready") if log.exists() else 0
    worker = made.start("worker")
    while log.read_text().count("is ready") == before:
        time.sleep(0.05)
    return worker


def left(made: Place) -> int:
    counts = made.rows(
        "SELECT (SELECT count(*) FROM core_job WHERE due_at IS NOT NULL AND name LIKE 'helpdesk_chaos%')"
        " + (SELECT count(*) FROM core_event WHERE due_at IS NOT NULL)"
    )
    return int(str(counts[0][0]))


@pytest.mark.timeout(3600)
def test_killed_workers_lose_nothing_and_do_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PLUGIN))
    chance = random.Random(7)
    with place(tmp_path, plugin=PLUGIN) as made:
        database = Database(made.database, threads=1)
        bell = Bell(Settings(home=made.folder, redis_url=made.environment["HELPDESK_REDIS_URL"]))
        bell.start()
        bus = Bus(SystemClock(), handled={"chaos.happened"}, wake=bell.ask)
        workers = [start_worker(made), start_worker(made)]
        began, published, held = time.monotonic(), 0, 0
        for kill in range(KILLS):  # each meets workers that have just been given something to do
            upto = EVENTS * (kill + 1) // KILLS
            publish_batch(database, bus, range(published, upto))
            published = upto
            time.sleep(chance.uniform(0.05, 0.6))
            held += running(made)
            victim = chance.randrange(2)
            made.kill(workers[victim])
            workers[victim] = start_worker(made)
        waited = time.monotonic()
        while left(made) and time.monotonic() - waited < 600:
            time.sleep(0.5)
        assert left(made) == 0
        effects = made.rows("SELECT by, number, thing FROM chaos_effect ORDER BY id")
        bell.stop()
        database.dispose()
        seconds = time.monotonic() - began
        report(effects, seconds, held)


def running(made: Place) -> int:
    return int(str(made.rows("SELECT count(*) FROM core_job WHERE held_by IS NOT NULL")[0][0]))


def report(effects: list[tuple[object, ...]], seconds: float, held: int) -> None:
    by_handler: dict[str, list[tuple[int, int]]] = {"first": [], "second": [], "job": []}
    for by, number, thing in effects:
        by_handler[str(by)].append((int(str(number)), int(str(thing))))
    wanted = {"first": range(EVENTS), "second": range(EVENTS), "job": range(0, EVENTS, 10)}
    lost = sum(len({*wanted[by]} - {number for number, _ in found}) for by, found in by_handler.items())
    twice = sum(len(found) - len({*found}) for found in by_handler.values())
    disorder = sum(disordered(found) for by, found in by_handler.items() if by != "job")
    sys.stderr.write(
        f"\n{EVENTS} events, {len(effects)} effects, {KILLS} kills of workers that held {held} jobs in all, "
        f"{seconds:.0f} s: {lost} lost, {twice} twice, {disorder} out of order\n"
    )
    assert (lost, twice, disorder) == (0, 0, 0)


def disordered(found: list[tuple[int, int]]) -> int:
    """Count effects of a thing that came before one with a lower number."""
    highest: dict[int, int] = {}
    wrong = 0
    for number, thing in found:
        wrong += number < highest.get(thing, -1)
        highest[thing] = max(number, highest.get(thing, -1))
    return wrong


def test_the_check_sees_what_it_looks_for() -> None:
    assert disordered([(1, 0), (3, 0), (2, 0), (1, 1)]) == 1
