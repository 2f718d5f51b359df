"""A store that does not answer costs little, and only passwords cannot be tried meanwhile."""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from helpdesk_core.limits.buckets import Charge, Standing
from helpdesk_core.limits.redis import RedisStore
from helpdesk_core.limits.sqlite import MEMORY, SqliteStore
from helpdesk_core.limits.stores import NOTHING, Chain, Counts, Store, StoreUnavailable

Charging = Callable[..., Charge]


class Down:
    """A store that never answers, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def spend(self, charges: Sequence[Charge], now: int, units: int = 1) -> tuple[bool, Counts]:
        self.asked += 1
        raise StoreUnavailable

    def look(self, charges: Sequence[Charge], now: int) -> Counts:
        self.asked += 1
        raise StoreUnavailable

    def give_back(self, standings: Sequence[Standing], units: int = 1) -> None:
        raise StoreUnavailable

    def clean(self, now: int) -> None:
        raise StoreUnavailable

    def close(self) -> None:
        pass


class Monotonic:
    """Seconds that pass by hand."""

    def __init__(self) -> None:
        self.seconds = 50.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def memory() -> Iterator[Store]:
    """A store that always answers."""
    store = SqliteStore(MEMORY)
    yield store
    store.close()


def test_without_a_store_requests_pass_uncounted(memory: Store, charging: Charging) -> None:
    chain = Chain([Down(), memory])
    charge = charging(most=1)
    assert [chain.spend([charge], 1_000) for _ in range(3)] == [NOTHING] * 3
    assert memory.look([charge], 1_000) == [(0, 1_060)]


def test_without_a_store_attempts_are_counted_by_the_next(memory: Store, charging: Charging) -> None:
    chain = Chain([Down(), memory])
    strict, other = charging(most=2, strict=True), charging(most=1)
    found = [chain.spend([other, strict], 1_000) for _ in range(3)]
    assert [each.granted for each in found] == [True, True, False]
    assert [standing.charge for standing in found[0].standings] == [strict]
    assert found[0].store is memory


def test_what_was_taken_is_given_back_to_the_store_that_took_it(memory: Store, charging: Charging) -> None:
    chain = Chain([Down(), memory])
    charge = charging(most=2, strict=True)
    spent = chain.spend([charge], 1_000)
    assert spent.store is not None
    chain.give_back(spent.store, spent.standings)
    assert memory.look([charge], 1_000) == [(0, 1_060)]


def test_a_store_that_does_not_answer_is_left_alone_for_five_seconds(memory: Store, charging: Charging) -> None:
    down, clock = Down(), Monotonic()
    chain = Chain([down, memory], clock)
    for _ in range(5):
        chain.spend([charging()], 1_000)
        chain.look([charging()], 1_000)
    assert down.asked == 1
    clock.seconds += 4.9
    chain.spend([charging()], 1_000)
    assert down.asked == 1
    clock.seconds += 0.1
    chain.spend([charging()], 1_000)
    assert down.asked == 2


def test_no_failure_of_a_store_gets_out(memory: Store, charging: Charging) -> None:
    down = Down()
    chain = Chain([down, memory])
    assert chain.look([charging()], 1_000) == []
    chain.give_back(down, [Standing(charging(), 1, 1_060)])
    chain.clean(1_000)
    chain.close()


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a server that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept = []
        closing = threading.Event()

        def accept() -> None:
            server.settimeout(0.1)
            while not closing.is_set():
                try:
                    kept.append(server.accept()[0])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=accept)
        thread.start()
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/1"
        closing.set()
        thread.join()
        for connection in kept:
            connection.close()


@pytest.fixture
def nobody() -> str:
    """The URL of a server that is not there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"redis://127.0.0.1:{server.getsockname()[1]}/1"


@pytest.mark.parametrize("server", ["silent", "nobody"])
def test_a_redis_that_does_not_answer_gives_up_once_and_soon(
    server: str, request: pytest.FixtureRequest, charging: Charging
) -> None:
    store = RedisStore(request.getfixturevalue(server))
    asked = 0
    spend = store.spend

    def counted(charges: Sequence[Charge], now: int, units: int = 1) -> tuple[bool, Counts]:
        nonlocal asked
        asked += 1
        return spend(charges, now, units)

    store.spend = counted  # type: ignore[method-assign]
    chain = Chain([store, SqliteStore(MEMORY)], Monotonic())
    done = threading.Event()
    found = []

    def request_many() -> None:
        found.extend(chain.spend([charging(strict=True)], 1_000).granted for _ in range(50))
        done.set()

    threading.Thread(target=request_many, daemon=True).start()
    assert done.wait(30), "it waits without end"
    assert (asked, len(found)) == (1, 50)
    chain.close()


def test_redis_is_asked_with_a_quarter_of_a_second_of_patience_and_no_second_try(nobody: str) -> None:
    connection = RedisStore(nobody)._redis.connection_pool.make_connection()
    assert (connection.socket_timeout, connection.socket_connect_timeout) == (0.25, 0.25)
    assert connection.retry.get_retries() == 0
