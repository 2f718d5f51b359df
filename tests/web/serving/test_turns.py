"""One request after the other on the event loop, several of a crowd between two looks at the sockets."""

import asyncio
import re

import pytest

from helpdesk_core.web.serving.pressure import Pressure
from helpdesk_core.web.serving.turns import CROWD, MOST_AT_ONCE, MOST_LOOKS, Turns


def test_one_turn_at_a_time_in_the_order_of_arrival_with_the_loop_in_between() -> None:
    happened = list[str]()

    async def play() -> None:
        turns, loop = Turns(Pressure(1.0)), asyncio.get_running_loop()
        tasks = [loop.create_task(turns.run(happened.append, name)) for name in "abc"]

        def elsewhere(times: int) -> None:
            happened.append(".")
            if times:
                loop.call_soon(elsewhere, times - 1)

        loop.call_soon(elsewhere, 4)
        await asyncio.gather(*tasks)
        assert not turns.backlog
        await turns.run(happened.append, "d")

    asyncio.run(play())
    assert "".join(happened).replace(".", "") == "abcd"
    assert "ab" not in "".join(happened)
    assert "bc" not in "".join(happened)


def test_several_of_a_crowd_run_between_two_looks_of_the_loop() -> None:
    happened = list[str]()

    async def play() -> None:
        turns, loop = Turns(Pressure(1.0)), asyncio.get_running_loop()
        tasks = [loop.create_task(turns.run(happened.append, "r")) for _ in range(3 * CROWD)]

        def elsewhere() -> None:
            happened.append(".")
            if len(happened) < 6 * CROWD:
                loop.call_soon(elsewhere)

        loop.call_soon(elsewhere)
        await asyncio.gather(*tasks)
        assert not turns.backlog

    asyncio.run(play())
    stretches = [len(stretch) for stretch in "".join(happened).split(".") if stretch]
    assert sum(stretches) == 3 * CROWD
    assert 1 < max(stretches) <= MOST_AT_ONCE
    assert set(stretches[-CROWD // 2 :]) == {1}


@pytest.mark.parametrize(
    ("each_look", "looks"), [(0, 1), (1, MOST_LOOKS)], ids=["nobody comes", "somebody always comes"]
)
def test_between_two_stretches_the_loop_looks_again_while_newcomers_come_in(each_look: int, looks: int) -> None:
    happened, pressure = list[str](), Pressure(1.0)

    async def play() -> None:
        turns, loop = Turns(pressure), asyncio.get_running_loop()
        tasks = [loop.create_task(turns.run(happened.append, "r")) for _ in range(6 * CROWD)]

        def look() -> None:
            happened.append(".")
            pressure.newcomers += each_look
            if not all(task.done() for task in tasks):
                loop.call_soon(look)

        loop.call_soon(look)
        await asyncio.gather(*tasks)

    asyncio.run(play())
    between = re.findall(r"rr(\.+)r", "".join(happened))  # what ran at once, and who came next
    assert {len(dots) for dots in between} == {looks}


def test_whoever_gives_up_waiting_keeps_nobody_else_waiting() -> None:
    async def play() -> None:
        turns = Turns(Pressure(1.0))
        await turns.run(str)
        first, second = asyncio.create_task(turns.run(str)), asyncio.create_task(turns.run(str))
        await asyncio.sleep(0)
        first.cancel()
        async with asyncio.timeout(10):
            await second
        assert not turns.backlog

    asyncio.run(play())
