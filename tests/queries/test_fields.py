"""How fields of an answer are read."""

import pytest
from sqlalchemy import func, select

from helpdesk_core.permissions import unless
from helpdesk_core.queries import Column, Computed, Count, Many, ReadModel, Varying
from helpdesk_core.schemas import Dialect, Schema, UtcDateTime
from tests.library import NOW, SEE_HIDDEN, Author, Book, BookGenre, Genre, Review, viewer

shown_reviews = unless(SEE_HIDDEN, Review.is_hidden.is_(False))


class AuthorRead(Schema):
    id: int
    name: str


class ReviewRead(Schema):
    id: int
    words: str


class BookRead(Schema):
    id: int
    size: str
    author: AuthorRead | None
    is_lent: bool
    facts: dict[str, str] | None
    added_at: UtcDateTime
    removed_at: UtcDateTime | None
    age: str
    genres: list[str]
    reviews: list[ReviewRead]
    review_count: int
    known_reviews: int


class ShortRead(Schema):
    id: int
    size: str


class Extras(Schema):
    title: str
    all_reviews: list[ReviewRead]


def age(seen_by, added_at):
    return f"{added_at} seen at {seen_by.now:%H:%M}"


def counted_reviews(variant):
    counted = select(func.count()).where(Review.book_id == Book.id, Review.organization_id == Book.organization_id)
    allowed = shown_reviews.criterion(variant)
    return (counted if allowed is None else counted.where(allowed)).correlate(Book).scalar_subquery()


COMMON = {
    "age": Computed(age, Book.added_at),
    "genres": Many(BookGenre.book_id, Genre.name, order=(Genre.name,), join=(BookGenre.genre,)),
    "reviews": Many(Review.book_id, ReviewRead, order=(Review.id,), newest=2, visibility=shown_reviews),
    "all_reviews": Many(Review.book_id, ReviewRead, order=(Review.id.desc(),)),
    "review_count": Count(shown_reviews, Book.review_count, Book.shown_review_count),
    "known_reviews": Varying(shown_reviews, counted_reviews),
}
books = ReadModel(
    Book,
    schema={Dialect.COMPREHENSIVE: BookRead, Dialect.CLASSIC: ShortRead},
    fields={
        Dialect.COMPREHENSIVE: COMMON,
        Dialect.CLASSIC: {**COMMON, "size": Column(Book.size, {"small": "S", "medium": "M", "large": "L"})},
    },
    optional=Extras,
    ordering=["added_at"],
    default_order="added_at",
)


@pytest.fixture
def shelf(library):
    library.add(
        Author(id=1, name="Ada"),
        Book(
            id=1,
            title="One",
            size="large",
            author_id=1,
            facts={"a": "ä"},
            is_lent=True,
            review_count=3,
            shown_review_count=2,
        ),
        Book(id=2, title="Two", removed_at=NOW),
        *(Review(id=key, book_id=1, words=f"review {key}", is_hidden=key == 3) for key in (1, 2, 3)),
        *(Genre(id=key, name=name) for key, name in ((1, "z"), (2, "a"))),
        *(BookGenre(book_id=1, genre_id=key, added_at=NOW) for key in (1, 2)),
    )
    return library


def load(library, seen_by, *keys):
    with library.session(writes=False) as session:
        return books.load(session, seen_by, list(keys))


def test_values_are_as_the_answer_shows_them(shelf):
    (one,) = load(shelf, viewer(SEE_HIDDEN), 1)
    assert one == {
        "id": 1,
        "size": "large",
        "author": {"id": 1, "name": "Ada"},
        "is_lent": True,
        "facts": {"a": "ä"},
        "added_at": "2026-03-02T10:01:00Z",
        "removed_at": None,
        "age": "2026-03-02T10:01:00Z seen at 10:00",
        "genres": ["a", "z"],
        "reviews": [{"id": 2, "words": "review 2"}, {"id": 3, "words": "review 3"}],
        "review_count": 3,
        "known_reviews": 3,
    }


def test_what_is_not_there_is_null_or_empty(shelf):
    (two,) = load(shelf, viewer(), 2)
    assert (two["author"], two["facts"], two["genres"], two["reviews"]) == (None, None, [], [])
    assert (two["is_lent"], two["removed_at"]) == (False, "2026-03-02T10:00:00Z")


def test_rows_come_in_the_order_of_the_keys_and_without_unknown_ones(shelf):
    assert [row["id"] for row in load(shelf, viewer(), 2, 99, 1)] == [2, 1]
    assert load(shelf, viewer()) == []


def test_collections_hold_what_the_viewer_may_see(shelf):
    (one,) = load(shelf, viewer(), 1)
    assert [review["id"] for review in one["reviews"]] == [1, 2]
    assert one["review_count"] == one["known_reviews"] == 2


def test_the_dialect_chooses_schema_and_words(shelf):
    assert load(shelf, viewer(dialect=Dialect.CLASSIC), 1, 2) == [{"id": 1, "size": "L"}, {"id": 2, "size": "M"}]


def test_extras_are_read_only_when_they_are_asked_for(shelf):
    (one,) = load(shelf, viewer(dialect=Dialect.CLASSIC, include="title"), 1)
    assert one == {"id": 1, "size": "L", "title": "One"}
    (one,) = load(shelf, viewer(dialect=Dialect.CLASSIC, include="all_reviews"), 1)
    assert [review["id"] for review in one["all_reviews"]] == [3, 2, 1]


def test_nothing_of_another_organization_is_read(shelf):
    with shelf.session(2, writes=False) as session:
        assert books.load(session, viewer(organization=2), [1, 2]) == []


class TestTags:
    """Of single objects tell whether what is stored has changed."""

    def tag(self, library, seen_by, model=books):
        with library.session(writes=False) as session:
            return model.load_one(session, seen_by, 1).etag

    def test_stay_while_nothing_changes_and_time_passes(self, shelf):
        assert self.tag(shelf, viewer()) == self.tag(shelf, viewer())

    def test_change_with_the_row_and_with_what_belongs_to_it(self, shelf):
        seen = [self.tag(shelf, viewer())]
        for change in (
            "UPDATE library_book SET title = 'Uno', is_lent = NOT is_lent",
            "DELETE FROM library_review WHERE id = 2",
        ):
            with shelf.session() as session:
                session.connection().exec_driver_sql(change)
                session.commit()
            seen.append(self.tag(shelf, viewer()))
        assert len(set(seen)) == 3

    def test_differ_between_dialects(self, shelf):
        assert self.tag(shelf, viewer()) != self.tag(shelf, viewer(dialect=Dialect.CLASSIC))

    @pytest.mark.parametrize(
        "field", [Column(Book.size, volatile=True), Computed(lambda _, size: size, Book.size, volatile=True)]
    )
    def test_leave_out_what_changes_by_itself(self, shelf, field):
        short = ReadModel(
            Book,
            schema=ShortRead,
            fields={"size": field},
            ordering=["added_at"],
            default_order="added_at",
        )
        before = self.tag(shelf, viewer(), short)
        shelf_size = "UPDATE library_book SET size = 0"
        with shelf.session() as session:
            session.connection().exec_driver_sql(shelf_size)
            session.commit()
        assert self.tag(shelf, viewer(), short) == before


def test_a_field_that_nothing_declares_is_refused_by_name(shelf):
    class Wrong(Schema):
        publisher: str

    wrong = ReadModel(Book, schema=Wrong, ordering=["added_at"], default_order="added_at")
    with shelf.session(writes=False) as session, pytest.raises(TypeError, match="Book has no publisher"):
        wrong.load(session, viewer(), [1])
