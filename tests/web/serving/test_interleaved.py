"""Requests run interleaved on the event loop: one goes on while others wait."""

import asyncio
import select
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from greenlet import getcurrent

from helpdesk_core.plugins import Hung, PluginHealth, Watchdog, watchdog
from helpdesk_core.strands import Strand, elsewhere
from helpdesk_core.web.serving import interleaved
from helpdesk_core.web.serving.interleaved import Interleaved
from helpdesk_core.web.serving.pressure import Pressure
from helpdesk_core.web.serving.turns import CROWD, MOST_LOOKS

PLACES = 3
SECONDS = 20
"""How long a test waits for what happens at once."""


class Wire:
    """What a strand can wait for, until something is sent."""

    def __init__(self) -> None:
        self._near, self._far = socket.socketpair()

    def send(self) -> None:
        self._far.send(b"!")

    def wait(self) -> None:
        """Give way until something has been sent."""
        present = getcurrent()
        assert isinstance(present, Strand)
        assert present.wait_for((self._near.fileno(), select.EPOLLIN)) & select.EPOLLIN
        self._near.recv(1)

    def close(self) -> None:
        self._near.close()
        self._far.close()


@pytest.fixture
def wire() -> Iterator[Callable[[], Wire]]:
    made: list[Wire] = []

    def make() -> Wire:
        made.append(Wire())
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def blamed() -> list[str]:
    """Plugins that were blamed for what was given up."""
    return []


@pytest.fixture
def dog(blamed: list[str]) -> Watchdog:
    class Health(PluginHealth):
        def __init__(self) -> None:
            pass

        def failed(self, plugin: str, phase: str, error: BaseException) -> None:
            blamed.append(plugin)

    return Watchdog(Health())


@pytest.fixture
def pressure() -> Pressure:
    return Pressure(1.0)


@pytest.fixture
def play(dog: Watchdog, pressure: Pressure) -> Callable[[Callable[[Interleaved], Awaitable[None]]], None]:
    """Let something happen with a lane."""

    def run(scene: Callable[[Interleaved], Awaitable[None]]) -> None:
        async def with_a_lane() -> None:
            lane = Interleaved(Strand, pressure, dog, PLACES)
            async with asyncio.timeout(SECONDS):
                await scene(lane)
            assert not lane.backlog
            lane.close()

        asyncio.run(with_a_lane())

    return run


def test_one_goes_on_while_another_waits(play: Any, wire: Callable[[], Wire]) -> None:
    first, happened = wire(), list[str]()

    def wait() -> None:
        happened.append("waits")
        first.wait()
        happened.append("goes on")

    def send() -> None:
        happened.append("sends")
        first.send()

    async def scene(lane: Interleaved) -> None:
        await asyncio.gather(lane.run(wait), lane.run(send))

    play(scene)
    assert happened == ["waits", "sends", "goes on"]


def test_who_asked_gets_what_is_returned_or_raised(play: Any) -> None:
    async def scene(lane: Interleaved) -> None:
        assert await lane.run(divmod, 7, 2) == (3, 1)
        with pytest.raises(ZeroDivisionError):
            await lane.run(divmod, 7, 0)
        assert await lane.run(str, "next") == "next"

    play(scene)


def test_no_more_run_than_there_are_places_and_in_the_order_of_arrival(play: Any, wire: Callable[[], Wire]) -> None:
    wires, began = [wire() for _ in range(PLACES + 2)], list[int]()

    def work(number: int) -> None:
        began.append(number)
        wires[number].wait()

    async def scene(lane: Interleaved) -> None:
        tasks = [asyncio.create_task(lane.run(work, number)) for number in range(len(wires))]
        for _ in range(100):
            await asyncio.sleep(0)
        assert (began, len(lane.backlog)) == ([*range(PLACES)], 2)
        wires[1].send()
        await tasks[1]
        for each in (0, 2, 3, 4):
            wires[each].send()
        await asyncio.gather(*tasks)

    play(scene)
    assert began == [*range(len(wires))]


def test_nobody_begins_while_somebody_can_go_on(
    play: Any, wire: Callable[[], Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interleaved, "MOMENT_SECONDS", SECONDS)
    running, most = set[int](), list[int]()

    def work(number: int) -> None:
        running.add(number)
        for _ in range(3):
            near = wire()
            near.send()
            near.wait()
            most.append(len(running))
        running.remove(number)

    async def scene(lane: Interleaved) -> None:
        await asyncio.gather(*(lane.run(work, number) for number in range(10)))

    play(scene)
    assert max(most) == 1


def test_nobody_waits_for_one_who_never_ends(play: Any, wire: Callable[[], Wire]) -> None:
    ended = list[str]()

    def work() -> None:
        while not ended:
            near = wire()
            near.send()
            near.wait()

    async def scene(lane: Interleaved) -> None:
        await asyncio.gather(lane.run(work), lane.run(ended.append, "well"))

    play(scene)


def test_another_thread_does_what_cannot_give_way(play: Any) -> None:
    happened: list[Any] = []
    told = threading.Event()

    def wait() -> None:
        happened.append(elsewhere(lambda: told.wait(SECONDS) and threading.current_thread() is not here))
        with pytest.raises(ZeroDivisionError):
            elsewhere(lambda: 1 // 0)

    here = threading.current_thread()

    async def scene(lane: Interleaved) -> None:
        await asyncio.gather(lane.run(wait), lane.run(told.set))

    play(scene)
    assert happened == [True]


def test_nothing_but_a_strand_gives_way() -> None:
    with pytest.raises(TypeError):
        elsewhere(list)


def test_who_gives_up_waiting_is_not_served(play: Any, wire: Callable[[], Wire]) -> None:
    hold, served = wire(), list[str]()

    async def scene(lane: Interleaved) -> None:
        holding = [asyncio.create_task(lane.run(hold.wait)) for _ in range(1)]
        holding += [asyncio.create_task(lane.run(wire().wait)) for _ in range(PLACES - 1)]
        leaving, staying = (asyncio.create_task(lane.run(served.append, name)) for name in ("leaving", "staying"))
        for _ in range(10):
            await asyncio.sleep(0)
        leaving.cancel()
        hold.send()
        await staying

    play(scene)
    assert served == ["staying"]


@pytest.mark.parametrize(
    ("each_look", "looks"), [(0, 1), (1, MOST_LOOKS)], ids=["nobody comes", "somebody always comes"]
)
def test_of_a_crowd_many_run_before_the_loop_looks_again_and_then_while_newcomers_come_in(
    play: Any, pressure: Pressure, each_look: int, looks: int
) -> None:
    happened = list[str]()

    async def scene(lane: Interleaved) -> None:
        loop, clock = asyncio.get_running_loop(), threading.Event()

        def serve() -> None:
            happened.append("r")
            clock.wait(0.001)  # what a request takes; a stretch has room for some

        def look() -> None:
            happened.append(".")
            pressure.newcomers += each_look
            if not all(task.done() for task in tasks):
                loop.call_soon(look)

        tasks = [loop.create_task(lane.run(serve)) for _ in range(3 * CROWD)]
        await asyncio.sleep(0)
        loop.call_soon(look)
        await asyncio.gather(*tasks)

    play(scene)
    stretches = "".join(happened).strip(".").split("r")
    between = [len(dots) for dots in stretches[: 2 * CROWD] if dots]  # while there was a crowd
    assert between
    assert {*between} <= {looks, looks + 1}
    assert max(len(each) for each in "".join(happened).split(".")) > 2


def test_it_follows_from_one_loop_to_the_next(dog: Watchdog, pressure: Pressure, wire: Callable[[], Wire]) -> None:
    lane, near = Interleaved(Strand, pressure, dog), wire()

    def work() -> str:
        near.send()
        near.wait()
        return "served"

    found = [asyncio.run(_bounded(lane.run(work))) for _ in range(2)]
    thread = threading.Thread(target=lambda: found.append(asyncio.run(_bounded(lane.run(work)))))
    thread.start()
    thread.join(SECONDS)
    assert found == ["served"] * 3


async def _bounded(what: Awaitable[str]) -> str:
    async with asyncio.timeout(SECONDS):
        return await what


def test_what_waits_is_not_told_to_stop_and_hears_it_when_it_computes_again(
    play: Any, dog: Watchdog, wire: Callable[[], Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "TOLD_EVERY_SECONDS", 0.0)
    near, happened = wire(), list[str]()

    def overdue() -> None:
        with dog.watched("rota", "request", 0):
            near.wait()
            _look_and_compute(dog)

    def in_time() -> None:
        with dog.watched("rota", "request", 3600):
            dog.look()
            sum(range(100))
            happened.append("well")
            near.send()

    async def scene(lane: Interleaved) -> None:
        found = await asyncio.gather(lane.run(overdue), lane.run(in_time), return_exceptions=True)
        assert [type(each) for each in found] == [Hung, type(None)]

    play(scene)
    assert happened == ["well"]


def test_what_was_told_and_then_waited_has_its_time_to_hear_afterwards(
    play: Any, dog: Watchdog, blamed: list[str], wire: Callable[[], Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "TOLD_EVERY_SECONDS", 0.0)
    near, happened = wire(), list[str]()

    def deaf_at_first() -> None:
        with dog.watched("rota", "request", 0):
            with pytest.raises(Hung):
                _look_and_compute(dog)
            near.wait()
            happened.append("goes on")
            _look_and_compute(dog)

    def an_hour_passes() -> None:
        later = SimpleNamespace(monotonic=lambda: time.monotonic() + 3600)
        monkeypatch.setattr(watchdog, "time", later)
        near.send()

    async def scene(lane: Interleaved) -> None:
        found = await asyncio.gather(lane.run(deaf_at_first), lane.run(an_hour_passes), return_exceptions=True)
        assert [type(each) for each in found] == [Hung, type(None)]

    play(scene)
    assert (happened, blamed) == (["goes on"], [])


def _look_and_compute(dog: Watchdog) -> None:
    dog.look()
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        sum(range(100))
