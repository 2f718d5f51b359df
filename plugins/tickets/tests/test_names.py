"""Names that are unique without case."""

import pytest

from helpdesk_tickets.names import key_of, slug_of


@pytest.mark.parametrize(
    ("one", "other"),
    [("Network", "NETWORK"), ("Straße", "STRASSE"), ("a  b", " A B "), ("ﬁx", "FIX"), ("é", "e\u0301")],
)
def test_names_are_the_same_however_they_are_written(one, other):
    assert key_of(one) == key_of(other)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Technical Support", "technical_support"),
        ("  Café & Catering! ", "cafe_catering"),
        ("請求", "請求"),
        ("!!!", "category"),
        ("x" * 300, "x" * 100),
    ],
)
def test_a_slug_is_one_word(name, slug):
    assert slug_of(name) == slug
