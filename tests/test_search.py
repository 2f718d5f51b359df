"""Full-text search: what is found, in which fields, of whom, and in which order."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from helpdesk_core.queries import Criteria, Found, FullText, ReadModel, finding
from helpdesk_core.queries import hits as hits_of_search
from helpdesk_core.schemas import Schema
from helpdesk_core.search import MOST_CHARACTERS, MOST_TERMS, relevance, terms
from helpdesk_core.statements import Prepared
from tests.databases import NOW
from tests.library import Book, Library, books_index, open_library, viewer


class Key(Schema):
    id: int


def model(*fields: str) -> ReadModel[Key]:
    return ReadModel(
        Book,
        schema=Key,
        ordering=["added_at"],
        default_order="-added_at",
        search=FullText(books_index, lambda _: fields),
    )


books = model("title", "note")
titles = model("title")


@pytest.fixture
def library(tmp_path: Path, worker_id: str) -> Iterator[Library]:
    with open_library(tmp_path, worker_id) as opened:
        yield opened


def put(library: Library, key: int, title: str, note: str = "", organization: int = 1) -> None:
    library.add(Book(id=key, title=title[:100]), organization=organization)
    with library.session(organization) as session:
        books_index.put(session, key, {"title": title, "note": note}, is_new=True)
        session.commit()


def found(library: Library, words: str, read_model: ReadModel[Key] = books, organization: int = 1) -> list[int]:
    return list(find(library, words, read_model, organization).keys)


def find(
    library: Library, words: str, read_model: ReadModel[Key] = books, organization: int = 1, ordering: str = ""
) -> Found:
    criteria = Criteria({}, words, read_model.parse_ordering(ordering))
    with library.session(organization, writes=False) as session:
        return read_model.find(session, viewer(organization=organization), criteria)


@pytest.fixture
def shelf(library: Library) -> Library:
    put(library, 1, "Printer on fire", "called the brigade")
    put(library, 2, "Café Zürich", "printers")
    put(library, 3, "TKT-001", "mail to ada@example.com")
    put(library, 1001, "Printer of another library", organization=2)
    return library


class TestWords:
    @pytest.mark.parametrize(
        ("words", "keys"),
        [
            ("printer", [2, 1]),
            ("PRINTERS", [2, 1]),
            ("printer fire", [1]),
            ("fire brigade", [1]),
            ("print*", [2, 1]),
            ("brig*", [1]),
            ("cafe zurich", [2]),
            ("CAFÉ", [2]),
            ("tkt-001", [3]),
            ("tkt 001", [3]),
            ("ada@example.com", [3]),
            ("printer water", []),
        ],
    )
    def test_must_all_occur_in_any_case_form_and_spelling(self, shelf: Library, words: str, keys: list[int]) -> None:
        assert found(shelf, words) == keys

    @pytest.mark.parametrize("words", ["", "  ", "%", "*", '"', "'", "(", "--", "🔥", "\\", ":", "&|!", "^"])
    def test_without_a_letter_or_digit_find_nothing(self, shelf: Library, words: str) -> None:
        assert found(shelf, words) == []

    @pytest.mark.parametrize(
        "words", ['fire" OR "1', "title:fire", "NEAR(fire on)", "fire & !on", "fire:*A", "o1", "=1", "organization:o2"]
    )
    def test_are_no_language(self, shelf: Library, words: str) -> None:
        assert set(found(shelf, words)) <= {1}

    def test_beyond_ten_are_ignored(self) -> None:
        assert len(terms("a b c d e f g h i j k l m")) == MOST_TERMS


class TestFields:
    def test_that_the_viewer_may_not_search_match_nothing(self, shelf: Library) -> None:
        assert found(shelf, "printers", titles) == [1]
        assert found(shelf, "brigade", titles) == []

    def test_are_searched_together(self, shelf: Library) -> None:
        assert found(shelf, "fire brigade") == [1]


def test_organizations_find_their_own_alone(shelf: Library) -> None:
    assert found(shelf, "printer", organization=2) == [1001]
    assert found(shelf, "fire", organization=2) == []
    assert find(shelf, "printer").count == 2


class TestChanges:
    def test_replace_what_was_known(self, shelf: Library) -> None:
        with shelf.session() as session:
            books_index.put(session, 1, {"title": "Flood"})
            session.commit()
        assert found(shelf, "fire") == found(shelf, "brigade") == []
        assert found(shelf, "flood") == [1]

    def test_add_to_a_field(self, shelf: Library) -> None:
        with shelf.session() as session:
            books_index.append(session, 1, "note", "Then the TKT-777 flood")
            session.commit()
        assert found(shelf, "flood brigade") == [1]
        assert found(shelf, "777 fire") == [1]
        assert found(shelf, "flood", titles) == []

    def test_forget(self, shelf: Library) -> None:
        with shelf.session() as session:
            books_index.remove(session, 1)
            session.commit()
        assert found(shelf, "fire") == []

    def test_of_very_long_text_index_its_beginning(self, library: Library) -> None:
        put(library, 1, "Start " + "x" * MOST_CHARACTERS + " end", " ".join(f"w{n}" for n in range(20_000)))
        for number in range(5):
            with library.session() as session:
                books_index.append(session, 1, "note", f"more{number} " * MOST_CHARACTERS)
                session.commit()
        assert found(library, "start w1") == [1]
        assert found(library, "end") == []


class TestOrder:
    def test_is_newest_first(self, library: Library) -> None:
        for key in (3, 1, 2):
            put(library, key, "fire")
        assert found(library, "fire") == [3, 2, 1]

    def test_may_be_any_other(self, library: Library) -> None:
        for key in (1, 2, 3):
            put(library, key, "fire")
        assert list(find(library, "fire", ordering="added_at").keys) == [1, 2, 3]

    def test_by_relevance_puts_the_densest_first(self, library: Library) -> None:
        put(library, 1, "fire fire fire")
        put(library, 2, "a long text in which there is one fire among many other words of no interest to anybody")
        put(library, 3, "fire and water")
        assert list(find(library, "fire", ordering="relevance").keys) == [1, 3, 2]

    def test_by_relevance_is_newest_first_where_nothing_is_searched(self, library: Library) -> None:
        put(library, 1, "fire")
        put(library, 2, "fire")
        with library.session(writes=False) as session:
            criteria = Criteria({}, None, books.parse_ordering("relevance"))
            assert list(books.find(session, viewer(), criteria).keys) == [2, 1]

    def test_of_nothing_is_nothing(self) -> None:
        assert relevance([]) == []


def test_hits_are_counted_up_to_a_limit(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "COUNTED_HITS", 3)
    monkeypatch.setattr(hits_of_search, "COUNTED_HITS", 3)
    for key in range(1, 6):
        put(library, key, "fire")
    hits = find(library, "fire")
    assert (len(hits.keys), hits.count, hits.capped) == (5, 3, True)


def ranked(library: Library, words: str, organization: int = 1) -> list[int]:
    """The keys of hits that hold some of the words, best first; the title counts five times as much."""

    def build(kind: str) -> Any:
        hits = books_index.join(select(Book.id), Book.id, kind)
        return hits.order_by(books_index.best_first(kind, {"title": 5, "note": 1}))

    match = books_index.expression(library.kind, words, ("title", "note"), organization, some=True)
    with library.session(organization, writes=False) as session:
        rows = Prepared(build).rows(session, {"match": match, "organization_id": organization})
    return [row[0] for row in rows]


@pytest.mark.parametrize("ordering", ["", "added_at", "relevance"])
def test_rows_that_do_not_exist_for_a_model_are_neither_found_nor_counted(library: Library, ordering: str) -> None:
    there = ReadModel(
        Book,
        schema=Key,
        ordering=["added_at"],
        default_order="-added_at",
        search=FullText(books_index, lambda _: ("title", "note")),
        where=Book.removed_at.is_(None),
    )
    for key in (1, 2, 3):
        put(library, key, "fire")
    put(library, 1001, "fire", organization=2)
    with library.session() as session:
        session.execute(update(Book).where(Book.id == 2).values(removed_at=NOW))
        session.commit()
    hits = find(library, "fire", there, ordering=ordering)
    assert (sorted(hits.keys), hits.count) == ([1, 3], 2)
    assert find(library, "fire", there, organization=2, ordering=ordering).keys == [1001]


class TestSomeOfTheWords:
    def test_are_enough(self, shelf: Library) -> None:
        assert sorted(ranked(shelf, "printer brigade water")) == [1, 2]
        assert ranked(shelf, "water") == []

    def test_are_those_of_the_organization_alone(self, shelf: Library) -> None:
        assert ranked(shelf, "printer fire", organization=2) == [1001]

    def test_put_first_what_holds_more_of_them(self, library: Library) -> None:
        put(library, 1, "fire and water")
        put(library, 2, "fire brigade here")
        assert ranked(library, "fire brigade") == [2, 1]

    def test_put_a_hit_in_the_title_before_one_below(self, library: Library) -> None:
        put(library, 1, "brigade", "fire")
        put(library, 2, "fire", "brigade")
        put(library, 3, "flood", "water")
        assert ranked(library, "fire") == [2, 1]
