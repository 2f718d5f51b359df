"""What lists find: exactly the rows that the filters describe, in order, and how many there are."""

import random
from datetime import timedelta

import pytest

from helpdesk_core.errors import Invalid, NotFound
from helpdesk_core.permissions import own_or
from helpdesk_core.queries import (
    Criteria,
    Order,
    ReadModel,
    Totals,
    any_of,
    at_least,
    at_most,
    equals,
    matches,
    through,
    words_in,
)
from helpdesk_core.schemas import Schema
from tests.library import NOW, SEE_ALL, SIZES, Book, BookCount, BookGenre, Genre, viewer

NUMBER = 60


class Key(Schema):
    id: int


FILTERS = {
    "size": equals(Book.size),
    "owner": equals(Book.owner_id),
    "mine": any_of(Book.owner_id, Book.reader_id),
    "after": at_least(Book.added_at),
    "before": at_most(Book.added_at),
    "lent": matches(lambda: Book.is_lent.is_(True)),
    "genre": through(
        BookGenre.genre_id, key=BookGenre.book_id, target=Book.id, order=(BookGenre.added_at, BookGenre.book_id)
    ),
    "linked": through(BookGenre.genre_id, key=BookGenre.book_id, target=Book.id),
}


def model(**options):
    return ReadModel(
        Book,
        schema=Key,
        filters=FILTERS,
        ordering={
            "added_at": Book.added_at,
            "title": Book.title,
            "size": Book.size,
            "mirrored": Order(Book.id, Book.added_at),
        },
        default_order="-added_at",
        tie=(Book.added_at, Book.id),
        search=words_in(Book.title),
        **options,
    )


everything = model()
own = model(visible=own_or(SEE_ALL, Book.owner_id, Book.reader_id))


@pytest.fixture
def shelf(library):
    """Sixty books by chance; the same in both organisations, so that any leak shows."""
    for organization in (1, 2):
        chance = random.Random(7)
        offset = (organization - 1) * 1000
        library.add(*(Genre(id=offset + key, name=f"{offset + key}") for key in (1, 2, 3)), organization=organization)
        for key in range(1, NUMBER + 1):
            book = Book(
                id=offset + key,
                title=chance.choice(["Red fox", "Red hen", "Blue fox", "100% fox_hen"]),
                size=chance.choice(SIZES),
                owner_id=chance.randrange(1, 4),
                reader_id=chance.choice([None, 1, 2, 3]),
                is_lent=chance.random() < 0.5,
                added_at=NOW + timedelta(minutes=chance.randrange(20)),
            )
            genres = chance.sample([1, 2, 3], chance.randrange(3))
            links = [BookGenre(book_id=book.id, genre_id=offset + genre, added_at=book.added_at) for genre in genres]
            library.add(book, *links, organization=organization)
    return library


def all_books(library):
    with library.session(writes=False) as session:
        rows = session.query(Book).all()
        genres = {
            row.id: {link.genre_id for link in session.query(BookGenre).filter_by(book_id=row.id)} for row in rows
        }
    return rows, genres


def wanted(row, genres, values, words=()):
    """Whether a book is what the filters describe, said in Python."""
    checks = {
        "size": lambda value: row.size in value,
        "owner": lambda value: row.owner_id in value,
        "mine": lambda value: value in {row.owner_id, row.reader_id},
        "after": lambda value: row.added_at >= value,
        "before": lambda value: row.added_at <= value,
        "lent": lambda value: row.is_lent is value,
        "genre": lambda value: genres[row.id] & set(value),
        "linked": lambda value: genres[row.id] & set(value),
    }
    return all(checks[name](value) for name, value in values.items()) and all(
        word.lower() in row.title.lower() for word in words
    )


def find(library, read_model, seen_by=None, **criteria):
    given = Criteria(criteria.pop("values", {}), **criteria)
    with library.session(writes=False) as session:
        return read_model.find(session, seen_by or viewer(), given)


class TestAnyCombinationOfFilters:
    CHOICES = (
        ("size", [("small",), ("small", "large")]),
        ("owner", [(1,), (1, 2), (99,)]),
        ("mine", [1, 3]),
        ("after", [NOW + timedelta(minutes=5)]),
        ("before", [NOW + timedelta(minutes=15)]),
        ("lent", [True, False]),
        ("genre", [(1,), (1, 2), (1, 2, 3)]),
        ("linked", [(2,), (1, 3)]),
    )

    def combinations(self):
        chance = random.Random(1)
        for _ in range(60):
            names = chance.sample(self.CHOICES, chance.randrange(4))
            yield {name: chance.choice(values) for name, values in names}, chance.choice([True, False])

    @pytest.mark.parametrize("seen_by", [viewer(SEE_ALL), viewer(user=2)], ids=["all", "own"])
    def test_finds_and_counts_exactly_what_it_describes(self, shelf, seen_by):
        rows, genres = all_books(shelf)
        visible = [row for row in rows if seen_by.actor.can(SEE_ALL) or 2 in {row.owner_id, row.reader_id}]
        for values, descending in self.combinations():
            expected = [row for row in visible if wanted(row, genres, values)]
            expected.sort(key=lambda row: (row.added_at, row.id), reverse=descending)
            keys = [row.id for row in expected]
            ordering = (("added_at", descending),)
            found = find(shelf, own, seen_by, values=values, ordering=ordering, limit=7, offset=3)
            assert found.keys == keys[3:10], values
            assert found.count == len(keys), values


class TestOrder:
    def test_is_total_whatever_it_is_by(self, shelf):
        rows, _ = all_books(shelf)
        for descending in (False, True):
            found = find(shelf, everything, ordering=(("title", descending),), limit=NUMBER)
            expected = sorted(rows, key=lambda row: (row.title, row.added_at, row.id), reverse=descending)
            assert found.keys == [row.id for row in expected]

    def test_follows_the_rank_of_words(self, shelf):
        rows, _ = all_books(shelf)
        found = find(shelf, everything, ordering=(("size", True), ("added_at", False)), limit=NUMBER)
        expected = sorted(rows, key=lambda row: (-SIZES.index(row.size), row.added_at, row.id))
        assert found.keys == [row.id for row in expected]

    def test_may_use_another_column_in_each_direction(self, shelf):
        up = find(shelf, everything, ordering=(("mirrored", False),), limit=3)
        down = find(shelf, everything, ordering=(("mirrored", True),), limit=3)
        newest = find(shelf, everything, limit=3)
        assert (up.keys, down.keys) == ([1, 2, 3], newest.keys)

    def test_is_parsed_or_refused_with_what_is_known(self):
        assert everything.parse_ordering("-size, title") == (("size", True), ("title", False))
        assert everything.parse_ordering(None) == ()
        with pytest.raises(Invalid) as refusal:
            everything.parse_ordering("titel")
        (problem,) = refusal.value.errors
        assert problem.field == "ordering"
        assert "Did you mean title?" in problem.message
        assert "added_at" in problem.message


class TestWords:
    @pytest.mark.parametrize("text", ["fox", "RED", "red fox", "ox", "100%", "fox_hen", "%", "_", "\\", "hen red"])
    def test_must_all_occur_and_signs_are_only_signs(self, shelf, text):
        rows, genres = all_books(shelf)
        expected = {row.id for row in rows if wanted(row, genres, {}, text.split())}
        found = find(shelf, everything, search=text, limit=NUMBER)
        assert set(found.keys) == expected

    def test_without_any_everything_is_found(self, shelf):
        assert find(shelf, everything, search="  ", limit=1).count == NUMBER


class TestTotals:
    def test_answer_what_they_cover_and_nothing_else(self, shelf):
        counted = model(
            visible=own_or(SEE_ALL, Book.owner_id), totals=Totals(BookCount.total, {"size": BookCount.size})
        )
        shelf.add(BookCount(size="small", total=500), BookCount(size="large", total=70))
        sees_all = viewer(SEE_ALL)
        assert find(shelf, counted, sees_all, limit=1).count == 570
        assert find(shelf, counted, sees_all, values={"size": ("small",)}, limit=1).count == 500
        assert find(shelf, counted, sees_all, values={"size": ("small", "large")}, limit=1).count == 570
        for partly in (
            find(shelf, counted, sees_all, values={"owner": (1,)}, limit=1),
            find(shelf, counted, sees_all, search="fox", limit=1),
            find(shelf, counted, viewer(user=1), limit=1),
        ):
            assert partly.count < NUMBER

    def test_are_not_needed_where_the_page_shows_everything(self, shelf):
        counted = model(totals=Totals(BookCount.total, {}))
        assert find(shelf, counted, limit=100).count == NUMBER


class TestOne:
    def test_is_found_by_any_column(self, shelf):
        with shelf.session(writes=False) as session:
            assert everything.find_one(session, viewer(), Book.id, 5) == 5

    @pytest.mark.parametrize("key", [0, 99, 1001])
    def test_of_another_organization_is_as_unknown_as_none(self, shelf, key):
        with shelf.session(writes=False) as session, pytest.raises(NotFound):
            everything.find_one(session, viewer(), Book.id, key)

    def test_of_somebody_else_is_unknown_too(self, shelf):
        rows, _ = all_books(shelf)
        other = next(row.id for row in rows if 2 not in {row.owner_id, row.reader_id})
        with shelf.session(writes=False) as session:
            assert own.find_one(session, viewer(SEE_ALL, user=2), Book.id, other) == other
            with pytest.raises(NotFound):
                own.find_one(session, viewer(user=2), Book.id, other)


def test_rows_that_do_not_exist_for_a_model_are_not_found(shelf):
    small = model(where=Book.size == "small")
    rows, _ = all_books(shelf)
    assert find(shelf, small, limit=1).count == sum(row.size == "small" for row in rows)
    large = next(row.id for row in rows if row.size == "large")
    with shelf.session(writes=False) as session, pytest.raises(NotFound):
        small.find_one(session, viewer(), Book.id, large)
