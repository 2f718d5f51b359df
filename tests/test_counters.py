"""Counters and series: exact, whoever writes at the same time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from helpdesk_core.counters import adjust, next_number
from tests.library import BookCount, Library, ShelfMark, open_library


@pytest.fixture
def library(tmp_path: Path, worker_id: str) -> Iterator[Library]:
    with open_library(tmp_path, worker_id) as opened:
        yield opened


def totals(library: Library, organization: int = 1) -> dict[str, int]:
    with library.session(organization, writes=False) as session:
        return {row.size: row.total for row in session.scalars(select(BookCount))}


def move(library: Library, before: dict[tuple[str], int], after: dict[tuple[str], int], organization: int = 1) -> None:
    with library.session(organization) as session:
        adjust(session, BookCount, before, after)
        session.commit()


def test_a_new_row_adds_and_a_changed_one_moves(library: Library) -> None:
    move(library, {}, {("small",): 1})
    move(library, {}, {("small",): 1})
    assert totals(library) == {"small": 2}
    move(library, {("small",): 1}, {("large",): 1})
    assert totals(library) == {"small": 1, "large": 1}
    move(library, {("small",): 1}, {})
    assert totals(library) == {"small": 0, "large": 1}


def test_what_stays_the_same_writes_nothing(library: Library) -> None:
    move(library, {("small",): 1}, {("small",): 1})
    assert totals(library) == {}


def test_organizations_count_apart(library: Library) -> None:
    move(library, {}, {("small",): 1})
    move(library, {}, {("small",): 5}, organization=2)
    assert (totals(library), totals(library, 2)) == ({"small": 1}, {"small": 5})


def test_what_is_rolled_back_was_not_counted(library: Library) -> None:
    with library.session() as session:
        adjust(session, BookCount, {}, {("small",): 1})
        assert next_number(session, ShelfMark) == 1
        session.rollback()
    assert totals(library) == {}
    with library.session() as session:
        assert next_number(session, ShelfMark) == 1


def test_many_writers_lose_nothing_and_leave_no_gap(library: Library) -> None:
    def write(number: int) -> int:
        before, after = ({("small",): 1}, {("large",): 1}) if number % 2 else ({("large",): 1}, {("small",): 1})
        with library.session() as session:
            adjust(session, BookCount, before, {**after, ("medium",): 1})
            taken = next_number(session, ShelfMark)
            session.commit()
        return taken

    with ThreadPoolExecutor(6) as pool:
        numbers = list(pool.map(write, range(60)))
    assert sorted(numbers) == list(range(1, 61))
    assert totals(library) == {"small": 0, "medium": 60, "large": 0}
