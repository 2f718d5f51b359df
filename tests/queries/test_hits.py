"""Hits of a search: which statement finds them."""

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from helpdesk_core.queries.hits import Hits, hidden_by
from tests.library import Book, books_index

DIALECTS = {"postgresql": postgresql.dialect(), "sqlite": sqlite.dialect()}
REMOVED = hidden_by(Book.removed_at.is_(None))


def sql(kind, hidden, build):
    conditions = [Book.removed_at.is_(None)]
    return str(build(Hits(books_index, Book, kind, conditions, hidden)).compile(dialect=DIALECTS[kind]))


@pytest.mark.parametrize("build", [Hits.counted, Hits.newest, Hits.ranked])
def test_postgresql_looks_only_for_hidden_rows_where_all_others_are_shown(build):
    found = sql("postgresql", REMOVED, build)
    assert "JOIN" not in found
    assert "removed_at IS NOT NULL" in found


@pytest.mark.parametrize(("kind", "hidden"), [("postgresql", None), ("sqlite", REMOVED)])
def test_otherwise_every_row_is_looked_at(kind, hidden):
    found = sql(kind, hidden, Hits.counted)
    assert "JOIN" in found
    assert "removed_at IS NULL" in found


def test_columns_of_rows_to_order_by_need_the_rows():
    assert "JOIN" in sql("postgresql", REMOVED, lambda hits: hits.ordered([Book.added_at.desc()]))


@pytest.mark.parametrize("where", [None, Book.is_lent, Book.size == "large", Book.removed_at.is_not(None)])
def test_only_a_missing_value_has_an_opposite(where):
    assert hidden_by(where) is None
