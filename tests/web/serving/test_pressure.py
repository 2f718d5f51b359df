"""Requests wait for their turn, and for no longer than is any use."""

import asyncio
import time
from threading import Event

import pytest

from helpdesk_core.plugins import Watchdog
from helpdesk_core.testing import Installation
from helpdesk_core.web.lanes import AHEAD, Lanes
from helpdesk_core.web.serving.backlog import Backlog
from helpdesk_core.web.serving.pressure import Pressure
from tests.contract.steps import refused

LONG_AGO = 100.0


def test_pressure_is_high_once_the_oldest_has_waited_for_too_long() -> None:
    pressure, now = Pressure(1.0), time.monotonic()
    pressure.watch(Backlog())
    assert (pressure.is_high(writes=True), pressure.oldest()) == (False, 0.0)
    pressure.watch(Backlog([now, now + 1]))
    assert not pressure.is_high(writes=True)
    pressure.watch(Backlog([now - LONG_AGO]))
    assert pressure.is_high(writes=True)
    assert pressure.oldest() >= LONG_AGO


def test_readers_are_not_refused_for_what_writers_wait_for() -> None:
    pressure = Pressure(1.0)
    pressure.watch(Backlog([time.monotonic() - LONG_AGO]), writes=True)
    assert (pressure.is_high(writes=True), pressure.is_high(writes=False)) == (True, False)


def test_those_who_are_on_their_way_count_until_the_loop_has_looked_at_them() -> None:
    pressure, now = Pressure(1.0), time.monotonic()
    backlog = pressure.watch(Backlog([now - 0.9, now - 0.5]), writes=False)
    backlog.leave(now)  # and the next one would wait for as long, with one before it
    assert pressure.lets_in(writes=False)

    async def play() -> None:
        pressure.let_in(asyncio.get_running_loop(), writes=False)
        assert (pressure.lets_in(writes=False), pressure.lets_in(writes=True)) == (False, True)
        assert not pressure.is_high(writes=False)
        await asyncio.sleep(0)
        assert pressure.lets_in(writes=False)

    asyncio.run(play())


@pytest.fixture
def overloaded(installation: Installation) -> Installation:
    installation.app.state.serving.pressure.watch(Backlog([time.monotonic() - LONG_AGO]))
    return installation


def test_a_request_that_would_wait_for_too_long_is_refused_at_once(overloaded: Installation) -> None:
    with overloaded.statements() as seen:
        answer = overloaded.http.get("/api/v1/users/profile/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert refused(answer, 503)["error"]["code"] == "OVERLOADED"
    assert seen == []


def test_under_pressure_nobody_looks_up_who_asks_for_what_is_not_there(overloaded: Installation) -> None:
    with overloaded.statements() as seen:
        refused(overloaded.http.get("/api/v1/nowhere/"), 404)
    assert seen == []


def test_a_page_says_so_as_a_page(overloaded: Installation) -> None:
    answer = overloaded.http.get("/account/sign-in/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert "There are more requests" in answer.text


def test_probes_are_answered_all_the_same(overloaded: Installation) -> None:
    assert overloaded.http.get("/healthz").status_code == 200


def test_what_is_slow_may_wait_for_longer(installation: Installation) -> None:
    lanes = Lanes(1, 1, reads_here=False, watchdog=installation.parts.services.get(Watchdog), patience=1.0)
    for lane in (lanes.quick, lanes.slow):
        lane.backlog.join(time.monotonic() - 2)
    assert (lanes.are_full(lanes.quick), lanes.are_full(lanes.slow)) == (True, False)
    lanes.slow.backlog.leave(time.monotonic())
    lanes.slow.backlog.join(time.monotonic() - LONG_AGO)
    assert lanes.are_full(lanes.slow)
    lanes.close()


def test_a_lane_knows_who_waits_and_forgets_who_is_served(installation: Installation) -> None:
    lanes = Lanes(1, 1, reads_here=False, watchdog=installation.parts.services.get(Watchdog))
    done = Event()

    async def play() -> list[str]:
        tasks = [asyncio.create_task(lanes.slow.run(function)) for function in (lambda: done.wait(10), str, str)]
        await asyncio.sleep(0)
        assert len(lanes.slow.backlog) == 2
        tasks[1].cancel()
        done.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, second, third = asyncio.run(play())
    assert (first, type(second), third) == (True, asyncio.CancelledError, "")
    assert not lanes.slow.backlog
    lanes.close()


def test_who_goes_at_the_moment_of_their_turn_leaves_it_to_the_next(installation: Installation) -> None:
    lanes = Lanes(1, 1, reads_here=False, watchdog=installation.parts.services.get(Watchdog))

    async def play() -> str:
        done = Event()
        first = asyncio.create_task(lanes.slow.run(done.wait, 10))
        leaving, staying = (asyncio.create_task(lanes.slow.run(str)) for _ in range(2))
        first.add_done_callback(lambda _: leaving.cancel())  # has been given the thread, and not begun
        await asyncio.sleep(0)
        done.set()
        return await staying

    assert asyncio.run(play()) == ""
    lanes.close()


def test_quick_threads_are_given_a_little_more_than_they_work_on(installation: Installation) -> None:
    lanes = Lanes(1, 1, reads_here=True, watchdog=installation.parts.services.get(Watchdog))

    async def play() -> None:
        done, served = Event(), list[int]()
        tasks = [asyncio.create_task(lanes.quick.run(done.wait, 10))]
        tasks += [asyncio.create_task(lanes.quick.run(served.append, number)) for number in range(AHEAD + 2)]
        await asyncio.sleep(0)
        assert len(lanes.quick.backlog) == 2
        done.set()
        await asyncio.gather(*tasks)
        assert served == [*range(AHEAD + 2)]

    asyncio.run(play())
    lanes.close()
