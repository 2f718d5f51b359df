"""Requests taken in advance: fewer questions to the store, and the same answers."""

from collections.abc import Callable, Iterator, Sequence

import pytest

from helpdesk_core.limits.buckets import Charge
from helpdesk_core.limits.leases import KEPT_SECONDS, MOST, Leases
from helpdesk_core.limits.sqlite import MEMORY, SqliteStore
from helpdesk_core.limits.stores import NOTHING, Chain, Counts, StoreUnavailable

Charging = Callable[..., Charge]


class Store(SqliteStore):
    """A store that remembers how many units were asked for each time."""

    def __init__(self) -> None:
        super().__init__(MEMORY)
        self.asked: list[int] = []
        self.answers = True

    def spend(self, charges: Sequence[Charge], now: int, units: int = 1) -> tuple[bool, Counts]:
        if not self.answers:
            raise StoreUnavailable("down")
        self.asked.append(units)
        return super().spend(charges, now, units)


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.close()


@pytest.fixture
def leases(store: Store) -> Leases:
    """The process under test."""
    return Leases(Chain([store]))


@pytest.fixture
def other(store: Store) -> Leases:
    """Another process with the same store."""
    return Leases(Chain([store]))


def spend(leases: Leases, charge: Charge, times: int = 1, now: int = 1_000) -> list[bool]:
    return [leases.spend([charge], now).granted for _ in range(times)]


def used(leases: Leases, charge: Charge, now: int = 1_000) -> int:
    (standing,) = leases.look([charge], now)
    return standing.used


def test_who_keeps_asking_takes_more_at_once(leases: Leases, store: Store, charging: Charging) -> None:
    assert all(spend(leases, charging(most=100_000), 1 + 2 + 4 + 8 + MOST + MOST))
    assert store.asked == [1, 2, 4, 8, MOST, MOST]


def test_every_request_is_told_how_the_counter_stands(leases: Leases, charging: Charging) -> None:
    charge = charging(most=1_000)
    told = [leases.spend([charge], 1_000).standings for _ in range(50)]
    assert [standing.used for (standing,) in told] == list(range(1, 51))
    assert used(leases, charge) == 50


def test_near_the_limit_every_request_is_asked_for(leases: Leases, store: Store, charging: Charging) -> None:
    charge = charging(most=1_000)
    assert spend(leases, charge, 1_010) == [True] * 1_000 + [False] * 10
    last = store.asked[-200:]
    assert last == [1] * 200
    assert store.look([charge], 1_000) == [(1_000, 1_060)]


def test_small_limits_are_never_taken_in_advance(leases: Leases, store: Store, charging: Charging) -> None:
    spend(leases, charging(most=199), 199)
    assert set(store.asked) == {1}


def test_strict_buckets_are_never_taken_in_advance(leases: Leases, store: Store, charging: Charging) -> None:
    spend(leases, charging(most=100_000, strict=True), 20)
    assert set(store.asked) == {1}


def test_counters_without_a_limit_are_never_taken_in_advance(leases: Leases, store: Store, charging: Charging) -> None:
    spend(leases, charging(limit=None), 20)
    assert set(store.asked) == {1}


def test_what_others_took_meanwhile_is_respected(leases: Leases, other: Leases, charging: Charging) -> None:
    charge = charging(most=1_000)
    granted = [spend(each, charge)[0] for _ in range(700) for each in (leases, other)]
    assert sum(granted) == 1_000


def test_a_question_for_too_much_is_repeated_for_one(leases: Leases, store: Store, charging: Charging) -> None:
    charge = charging(most=1_000)
    spend(leases, charge, 3)
    store.spend([charge], 1_000, 996)
    store.asked.clear()
    assert spend(leases, charge, 2) == [True, False]
    assert store.asked == [4, 1, 1], "the second knows how little is left"


def test_what_is_not_used_goes_back_after_a_while(leases: Leases, store: Store, charging: Charging) -> None:
    charge = charging(most=1_000)
    spend(leases, charge, 2)
    spend(leases, charge, now=1_001)
    spend(leases, charge, now=1_002)
    assert store.look([charge], 1_002) == [(7, 1_060)]
    leases.release(1_001 + KEPT_SECONDS - 1)
    assert store.look([charge], 1_002) == [(7, 1_060)]
    leases.release(1_001 + KEPT_SECONDS + 1)
    assert store.look([charge], 1_002) == [(4, 1_060)]
    assert used(leases, charge) == 4


def test_what_is_not_used_goes_back_when_the_process_ends(leases: Leases, other: Leases, charging: Charging) -> None:
    charge = charging(most=1_000)
    spend(leases, charge, 4)
    leases.release(1_000, seconds=0)
    assert used(other, charge) == 4


def test_nothing_goes_back_into_the_next_window(leases: Leases, other: Leases, charging: Charging) -> None:
    spend(leases, charging("one", most=1_000), 4)
    charge = charging("one", most=1_000, now=1_060)
    spend(other, charge, now=1_060)
    leases.release(1_060)
    assert used(other, charge, now=1_060) == 1


def test_the_next_window_begins_with_nothing_in_hand(leases: Leases, store: Store, charging: Charging) -> None:
    spend(leases, charging("one", most=1_000), 4)
    store.asked.clear()
    charge = charging("one", most=1_000, now=1_060)
    assert leases.spend([charge], 1_060).standings[0].used == 1
    assert store.asked == [1]


def test_a_request_takes_from_all_counters_or_from_none(leases: Leases, store: Store, charging: Charging) -> None:
    large, small = charging(most=1_000), charging(most=2)
    spend(leases, large, 2)
    assert [leases.spend([large, small], 1_000).granted for _ in range(3)] == [True, True, False]
    assert (used(leases, large), used(leases, small)) == (4, 2)
    refused = leases.spend([large, small], 1_000)
    assert [each.charge for each in refused.standings] == [large, small]


def test_a_request_that_is_given_back_can_be_sent_again(leases: Leases, store: Store, charging: Charging) -> None:
    charge = charging(most=1_000)
    spend(leases, charge, 10)
    spent = leases.spend([charge], 1_000)
    leases.give_back(spent.store, spent.standings)
    assert used(leases, charge) == 10
    strict = charging(most=9, strict=True)
    spent = leases.spend([strict], 1_000)
    leases.give_back(spent.store, spent.standings)
    assert used(leases, strict) == 0


def test_a_request_that_is_given_back_late_is_not_lost(leases: Leases, other: Leases, charging: Charging) -> None:
    charge = charging(most=1_000)
    spend(leases, charge, 5)
    spent = [leases.spend([charge], 1_000) for _ in range(2)]
    assert [each.store for each in spent] == [None, None], "they were taken in advance"
    leases.release(1_000 + KEPT_SECONDS)
    for each in spent:
        leases.give_back(each.store, each.standings)
    assert used(other, charge) == 5


@pytest.mark.parametrize("most", [5, 1_000])
def test_nothing_is_given_back_to_another_window(leases: Leases, other: Leases, charging: Charging, most: int) -> None:
    spent = [leases.spend([charging("one", most=most, now=now)], now) for now in (1_000, 1_059, 1_059)]
    charge = charging("one", most=most, now=1_061)
    assert spend(leases, charge, 5, now=1_061) == [True] * 5
    for each in spent:
        leases.give_back(each.store, each.standings)
    leases.release(1_061, seconds=0)
    assert used(other, charge, now=1_061) == 5


def test_without_a_store_what_was_taken_is_used_up_and_the_rest_passes(
    leases: Leases, store: Store, charging: Charging
) -> None:
    charge = charging(most=1_000)
    spend(leases, charge, 6)
    store.answers = False
    assert leases.spend([charge], 1_000).standings[0].used == 7
    assert leases.spend([charge], 1_000) == NOTHING
