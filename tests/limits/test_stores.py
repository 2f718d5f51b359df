"""Counters are exact, whoever counts, and last as long as their window."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpdesk_core.limits.buckets import UNBOUNDED, Charge, Standing
from helpdesk_core.limits.sqlite import SqliteStore
from helpdesk_core.limits.stores import Store, StoreUnavailable
from tests.limits.conftest import SHARED

Charging = Callable[..., Charge]
every_kind = pytest.mark.parametrize("kind", ["memory", *SHARED])
shared_kinds = pytest.mark.parametrize("kind", SHARED)
ROOT = Path(__file__).parents[2]


@shared_kinds
@pytest.mark.parametrize("limit", [100, 1_000], ids=["one by one", "in advance"])
def test_two_processes_grant_exactly_the_limit(
    kind: str, where: str, store: Store, charging: Charging, limit: int
) -> None:
    small, large = charging(most=limit), charging(most=limit * 10)
    arguments = [kind, where, str(limit * 3 // 2), json.dumps([small, large])]
    spenders = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.limits.spender", *arguments],
            cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]  # fmt: skip
    for spender in spenders:
        assert spender.stdout is not None
        assert spender.stdout.readline() == "ready\n"
    for spender in spenders:
        assert spender.stdin is not None
        spender.stdin.write("go\n")
        spender.stdin.flush()
    granted = [int(spender.communicate(timeout=60)[0]) for spender in spenders]
    assert sum(granted) == limit
    assert store.look([small, large], 1_000) == [(limit, 1_060)] * 2, "a refused request took from the other"


@every_kind
def test_a_window_begins_with_the_first_request_and_ends_after_its_time(store: Store, charging: Charging) -> None:
    first, later, next_one = (charging("one", most=2, now=now) for now in (1_000, 1_059, 1_060))
    assert store.look([first], 1_000) == [(0, 1_060)]
    assert store.spend([first], 1_000) == (True, [(1, 1_060)])
    assert store.spend([later], 1_059) == (True, [(2, 1_060)])
    assert store.spend([later], 1_059) == (False, [(2, 1_060)])
    assert store.look([next_one], 1_060) == [(0, 1_120)]
    assert store.spend([next_one], 1_060) == (True, [(1, 1_120)])


@every_kind
def test_a_request_takes_from_all_counters_or_from_none(store: Store, charging: Charging) -> None:
    small, large = charging(most=1), charging(most=9)
    assert store.spend([large, small], 1_000) == (True, [(1, 1_060), (1, 1_060)])
    assert store.spend([large, small], 1_000) == (False, [(1, 1_060), (1, 1_060)])
    assert store.spend([small, large], 1_000)[0] is False
    assert store.look([large], 1_000) == [(1, 1_060)]


@every_kind
def test_what_is_given_back_can_be_taken_again(store: Store, charging: Charging) -> None:
    charge = charging(most=1)
    assert store.spend([charge], 1_000)[0]
    for _ in range(2):
        store.give_back([Standing(charge, 1, 1_060)])
    assert store.look([charge], 1_000) == [(0, 1_060)]
    assert store.spend([charge], 1_000)[0]
    assert not store.spend([charge], 1_000)[0]


@every_kind
def test_several_requests_are_taken_at_once_or_none(store: Store, charging: Charging) -> None:
    small, large = charging(most=5), charging(most=9)
    assert store.spend([small, large], 1_000, 3) == (True, [(3, 1_060), (3, 1_060)])
    assert store.spend([small, large], 1_000, 3) == (False, [(3, 1_060), (3, 1_060)])
    assert store.spend([small, large], 1_000, 2) == (True, [(5, 1_060), (5, 1_060)])
    store.give_back([Standing(each, 5, 1_060) for each in (small, large)], 4)
    assert store.look([small, large], 1_000) == [(1, 1_060), (1, 1_060)]
    store.give_back([Standing(small, 1, 1_060)], 2)
    assert store.look([small, large], 1_000) == [(0, 1_060), (1, 1_060)]
    assert store.spend([charging(begins=10, most=11)], 1_000, 2) == (True, [(11, 1_060)])
    assert store.spend([charging(begins=10, most=11)], 1_000, 3)[0] is False


@every_kind
def test_nothing_is_given_back_to_a_window_that_is_over(store: Store, charging: Charging) -> None:
    charge = charging("one")
    store.spend([charge], 1_000)
    store.spend([charging("one", now=2_000)], 2_000)
    store.give_back([Standing(charge, 1, 1_060)])
    assert store.look([charging("one", now=2_000)], 2_000) == [(1, 2_060)]


@every_kind
def test_a_new_counter_goes_on_from_what_was_counted_before(store: Store, charging: Charging) -> None:
    assert store.spend([charging("one", begins=100)], 1_000) == (True, [(100, 1_060)])
    assert store.spend([charging("one", begins=50)], 1_000) == (False, [(100, 1_060)])
    assert store.spend([charging("two", begins=101)], 1_000)[0] is False


@every_kind
def test_another_limit_counts_at_once(store: Store, charging: Charging) -> None:
    for _ in range(3):
        assert store.spend([charging("one", most=UNBOUNDED)], 1_000)[0]
    assert not store.spend([charging("one", most=2)], 1_000)[0]
    assert store.spend([charging("one", most=4)], 1_000) == (True, [(4, 1_060)])
    assert not store.spend([charging("one", most=4)], 1_000)[0]


@every_kind
def test_cleaning_forgets_what_is_over_and_nothing_else(store: Store, charging: Charging) -> None:
    old, new = charging("old"), charging("new", reset_at=2_000)
    store.spend([old, new], 1_000)
    store.clean(1_060)
    assert store.look([old, new], 1_000)[1] == (1, 2_000)
    if not type(store).__name__.startswith("Redis"):  # which forgets by its own clock
        assert store.look([old], 1_000) == [(0, 1_060)]


class TestSqlite:
    @pytest.fixture
    def kind(self) -> str:
        return "sqlite"

    def test_waits_for_another_process_no_longer_than_a_quarter_of_a_second(
        self, where: str, store: Store, charging: Charging
    ) -> None:
        charge = charging()
        store.spend([charge], 1_000)
        with sqlite3.connect(where, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable):
                store.spend([charge], 1_000)
            other.execute("ROLLBACK")
        assert store.spend([charge], 1_000) == (True, [(2, 1_060)])

    def test_replaces_a_file_that_is_damaged(self, where: str, store: Store, charging: Charging) -> None:
        Path(where).write_bytes(b"no database" * 1_000)
        with pytest.raises(StoreUnavailable):
            store.spend([charging()], 1_000)
        assert store.spend([charging()], 1_000)[0]

    def test_leaves_a_file_alone_that_replaced_the_damaged_one(
        self, where: str, store: Store, charging: Charging
    ) -> None:
        assert isinstance(store, SqliteStore)
        charge = charging()
        store.spend([charge], 1_000)
        Path(where).unlink()
        other = SqliteStore(Path(where))
        other.spend([charge], 1_000)
        store._discard()
        assert Path(where).exists()
        assert store.spend([charge], 1_000) == (True, [(2, 1_060)])
        other.close()

    def test_tells_when_there_is_no_place_for_it(self, tmp_path: Path, charging: Charging) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(StoreUnavailable):
            SqliteStore(tmp_path / "file" / "limits.db").spend([charging()], 1_000)
