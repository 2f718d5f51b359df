"""Kinds of notifications: a mistake in one is found at start."""

import pytest

from helpdesk_core.notifications.kinds import NotificationKind, Wording


def kind(**changes):
    values = {"name": "a_kind", "title": "A", "subject": "{who}", "text": "{who} {recipient_name}"}
    return NotificationKind(**{**values, "variables": ("who",), **changes})


def test_knows_its_languages():
    made = kind(translations={"de": Wording("B", "{who}", "")})
    assert made.wording("de").title == "B"
    assert made.wording("fr") == made.wording("en") == Wording("A", "{who}", "{who} {recipient_name}")


@pytest.mark.parametrize("name", ["", "A", "1a", "a-b", "a b", "a" * 61])
def test_names_are_words(name):
    with pytest.raises(ValueError, match="must be lower case"):
        kind(name=name)


@pytest.mark.parametrize(
    "changes",
    [{"subject": "{whom}"}, {"text": "{whom}"}, {"translations": {"de": Wording("B", "{whom}", "")}}],
)
def test_texts_name_no_unknown_variable(changes):
    with pytest.raises(ValueError, match="whom is no variable"):
        kind(**changes)
