"""Placeholders: what is one, and what filling in does."""

import pytest

from helpdesk_core.placeholders import fill, filled_length, is_variable, variables_in


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Hello {name}", ["name"]),
        ("{b} {a} {b}", ["b", "a"]),
        ("{{name}}", []),
        ("{{{name}}}", ["name"]),
        ("{kundenname_ä}", ["kundenname_ä"]),
        ("{} {0} {a.b} {a[0]} {a!r} {a:>9} {a b}", []),
        ("{" + "a" * 51 + "}", []),
        ("no braces", []),
    ],
)
def test_variables_are_plain_names_between_single_braces(text, names):
    assert variables_in(text) == names


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{a}{b}", "12"),
        ("{{a}} {{{a}}}", "{a} {1}"),
        ("{unknown}", "{unknown}"),
        ("{a.__class__}", "{a.__class__}"),
        ("} { }} {{", "} { } {"),
    ],
)
def test_filling_in_is_one_pass(text, filled):
    assert fill(text, {"a": "1", "b": "2"}) == filled


def test_what_was_filled_in_is_not_filled_in_again():
    assert fill("{a} {b}", {"a": "{b}", "b": "{{a}}"}) == "{b} {{a}}"


@pytest.mark.parametrize("text", ["{a}{a}{{x}}", "}}", "{unknown} {a}", "{{{a}}} plain {{"])
def test_the_length_is_known_beforehand(text):
    values = {"a": "quite a long value", "b": ""}
    assert filled_length(text, values) == len(fill(text, values))


@pytest.mark.parametrize("name", ["", "0a", "a b", "a.b", "a" * 51, "a\n"])
def test_other_names_are_no_variables(name):
    assert not is_variable(name)
