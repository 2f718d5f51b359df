"""Statements on the driver's cursor: typed parameters, plain rows, the organisation of the session, known errors."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import bindparam, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlalchemy.orm import Session

from helpdesk_core import statements
from helpdesk_core.statements import Among, Prepared, among_keys, insertion, key_parameters
from tests.databases import NOW
from tests.library import Book, Genre, Library, open_library

_BOOKS = select(Book.id, Book.size).where(Book.organization_id == bindparam("organization_id"))
add_book = insertion(Book, returning="id")


@pytest.fixture
def library(tmp_path: Path, worker_id: str) -> Iterator[Library]:
    with open_library(tmp_path, worker_id) as opened:
        yield opened


@pytest.fixture
def session(library: Library) -> Iterator[Session]:
    with library.session() as opened:
        yield opened


def books(session: Session) -> list[tuple[int, int]]:
    return [(row[0], row[1]) for row in Prepared(_BOOKS.order_by(Book.id)).rows(session, {})]


def test_insertions_fill_in_defaults_and_the_organization(session: Session) -> None:
    ((key,),) = add_book.rows(session, {"title": "One", "added_at": NOW})
    book = session.scalars(select(Book)).one()
    assert (book.id, book.size, book.is_lent, book.author_id, book.organization_id) == (key, "medium", False, None, 1)
    assert book.added_at == NOW


def test_insertions_of_several_rows_run_at_once(session: Session) -> None:
    insertion(Book).run(session, *({"title": f"{n}", "size": "large", "added_at": NOW} for n in range(3)))
    assert [size for _, size in books(session)] == [2, 2, 2]


def test_what_must_be_given_is_missed(session: Session) -> None:
    with pytest.raises((StatementError, KeyError)):
        add_book.rows(session, {"title": "One"})


def test_a_taken_row_is_left_out_or_refused(session: Session) -> None:
    careful = insertion(Genre, returning="id", unless_taken=True)
    assert len(careful.rows(session, {"name": "crime"})) == 1
    assert careful.rows(session, {"name": "crime"}) == []
    with pytest.raises(IntegrityError):
        insertion(Genre).run(session, {"name": "crime"})


def test_a_statement_that_failed_disturbs_none_after_it(session: Session) -> None:
    add_book.rows(session, {"title": "One", "added_at": NOW})
    session.commit()
    with pytest.raises(DBAPIError):
        Prepared(text("SELECT nothing FROM nowhere")).rows(session, {})
    session.rollback()
    assert len(books(session)) == 1


def test_a_large_result_is_not_kept(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "KEPT_RESULT", 1)
    insertion(Book).run(session, *({"title": f"{n}", "added_at": NOW} for n in range(3)))
    assert len(books(session)) == 3
    assert "cursor" not in session.connection().info
    assert len(Prepared(_BOOKS.limit(1)).rows(session, {})) == 1
    assert "cursor" in session.connection().info


@pytest.mark.parametrize("numbers", [[], [1], [1, 2, 3]], ids=len)
def test_keys_are_looked_for_at_once(session: Session, numbers: list[int]) -> None:
    keys = [add_book.rows(session, {"title": f"{n}", "added_at": NOW})[0][0] for n in range(4)]
    kind = session.get_bind().dialect.name
    found = Prepared(_BOOKS.where(among_keys(Book.id, kind, len(numbers))))
    wanted = [keys[number] for number in numbers]
    assert sorted(row[0] for row in found.rows(session, key_parameters(wanted, kind))) == wanted


def test_statements_see_what_the_session_has_not_written_yet(session: Session) -> None:
    session.add(Book(title="One", added_at=NOW))
    assert len(books(session)) == 1


def test_statements_work_in_the_organization_of_the_session(library: Library) -> None:
    with library.session(1) as session:
        add_book.rows(session, {"title": "One", "added_at": NOW})
        session.commit()
    rename = Prepared(
        update(Book).where(Book.organization_id == bindparam("organization_id")).values(title=bindparam("given"))
    )
    with library.session(2) as session:
        assert books(session) == []
        rename.run(session, {"given": "Mine"})
        session.commit()
    with library.session(1) as session:
        assert session.scalars(select(Book.title)).all() == ["One"]


def test_parameters_go_through_the_type_of_their_column(session: Session) -> None:
    add_book.rows(session, {"title": "One", "size": "large", "added_at": NOW})
    of_size = Prepared(_BOOKS.where(Book.size == bindparam("size"), Book.added_at >= bindparam("after")))
    assert len(of_size.rows(session, {"size": "large", "after": NOW})) == 1
    assert of_size.rows(session, {"size": "small", "after": NOW}) == []
    listed = Prepared(_BOOKS.where(Book.size.in_(("small", "large"))))
    assert len(listed.rows(session, {})) == 1


def test_rows_among_values_are_found_whatever_their_number(session: Session) -> None:
    keys = [add_book.rows(session, {"title": f"{n}", "added_at": NOW})[0][0] for n in range(9)]
    among = Among(_BOOKS, Book.id)
    for number in (0, 1, 2, 3, 5, 8, 9):
        assert sorted(row[0] for row in among.rows(session, keys[:number])) == keys[:number]
    assert [row[0] for row in among.rows(session, [keys[0], 999_999])] == keys[:1]
