"""The comparison of shapes itself: it must find what is wrong, and say where."""

import pytest

from tests.contract.shapes import assert_shape, differences

TICKET = {
    "id": "123e4567-e89b-12d3-a456-426614174000",
    "ticket_number": "TKT-001",
    "assigned_agent": None,
    "tags": ["login"],
    "comments": [],
    "created_at": "2024-01-01T00:00:00Z",
}


def same(found, example):
    return list(differences(found, example)) == []


class TestKeys:
    def test_other_values_of_the_same_shape_are_the_same(self):
        assert_shape({**TICKET, "ticket_number": "TKT-1000", "tags": ["a", "b"]}, TICKET)

    def test_a_missing_key_is_named(self):
        found = {name: TICKET[name] for name in TICKET if name != "tags"}
        assert list(differences(found, TICKET)) == ["answer.tags: missing, expected a list"]

    def test_an_undocumented_key_is_named(self):
        found = {**TICKET, "title": "Login"}
        expected = ["answer.title: not documented, found 'Login'"]
        assert list(differences(found, TICKET)) == expected

    def test_a_difference_deep_inside_has_its_whole_path(self):
        found = {"results": [{"customer": {"id": 1}}, {"customer": {"id": "1"}}]}
        example = {"results": [{"customer": {"id": 7}}]}
        expected = ["answer.results[1].customer.id: expected an integer, found '1'"]
        assert list(differences(found, example)) == expected

    def test_every_difference_is_in_the_message(self):
        with pytest.raises(AssertionError, match=r"(?s)answer\.a: .*answer\.b: "):
            assert_shape({"a": "x", "b": 1}, {"a": 1, "b": "x"})


class TestTypes:
    @pytest.mark.parametrize(
        ("found", "example"),
        [(0, 24.5), (24.5, 0.5), (0, 8), (True, False), ("", "Login issue"), ({}, {}), ([], [])],
        ids=repr,
    )
    def test_the_same_json_type_is_the_same(self, found, example):
        assert same(found, example)

    @pytest.mark.parametrize(
        ("found", "example"),
        [
            (1, "1"),
            ("1", 1),
            (True, 1),
            (1, True),
            (True, 1.5),
            (1.5, 1),
            (1.0, 1),
            ([], {}),
            ({}, []),
            ("", []),
            (None, "Login issue"),
            (None, {}),
            ({"id": 1}, [{"id": 1}]),
        ],
        ids=repr,
    )
    def test_another_json_type_differs(self, found, example):
        assert not same(found, example)


class TestNull:
    def test_a_field_that_may_be_null_is_null(self):
        assert same({"assigned_to": None}, {"assigned_to": {"id": 2}})

    def test_a_field_that_may_be_null_and_is_not_has_its_form(self):
        agent = {"id": 2, "email": "agent@example.com", "full_name": "Jane Agent"}
        assert same({"assigned_agent": agent}, {"assigned_agent": None})
        assert not same({"assigned_agent": 2}, {"assigned_agent": None})

    def test_a_field_of_another_name_may_not_be_null(self):
        assert not same({"subject": None}, {"subject": "Login issue"})

    def test_a_value_where_null_is_documented_for_an_unknown_field_differs(self):
        assert not same({"parent": 1}, {"parent": None})


class TestLists:
    def test_every_element_is_compared_with_the_first_of_the_example(self):
        assert same(["a", "b"], ["login", 2])
        assert not same(["a", 1], ["login"])

    def test_an_empty_answer_proves_nothing_and_differs(self):
        assert not same([], ["login"])

    def test_any_elements_match_an_empty_example(self):
        assert same([1, "a"], [])


class TestOpenObjects:
    def test_keys_that_are_data_are_free(self):
        assert same({"settings": {"theme": "dark"}}, {"settings": {"timezone": "UTC"}})

    def test_their_values_keep_their_form(self):
        example = {"tickets_by_category": {"Technical": 80}}
        assert same({"tickets_by_category": {"Billing": 1}}, example)
        assert not same({"tickets_by_category": {"Billing": "1"}}, example)

    def test_they_are_objects(self):
        assert not same({"settings": []}, {"settings": {"timezone": "UTC"}})


class TestForms:
    @pytest.mark.parametrize(
        ("found", "example"),
        [
            ("00000000-0000-4000-8000-000000000000", "123e4567-e89b-12d3-a456-426614174000"),
            ("2031-12-31T23:59:59Z", "2024-01-15T10:30:00Z"),
            ("TKT-1000", "TKT-001"),
            ("#000000", "#007bff"),
            ("just now", "2 hours ago"),
            ("1 minute ago", "2 hours ago"),
            ("30 minutes", "2.5 days"),
            ("http://localhost:8000/api/v1/tickets/?page=3", "http://api.example.com/?page=2"),
            ("Anything at all", "Login issue"),
        ],
    )
    def test_another_text_of_the_same_form_is_the_same(self, found, example):
        assert same(found, example)

    @pytest.mark.parametrize(
        ("found", "example"),
        [
            ("1", "123e4567-e89b-12d3-a456-426614174000"),
            ("2024-01-15T10:30:00+00:00", "2024-01-15T10:30:00Z"),
            ("2024-01-15T10:30:00.000Z", "2024-01-15T10:30:00Z"),
            ("TKT-1", "TKT-001"),
            ("TKT-0001", "TKT-001"),
            ("007bff", "#007bff"),
            ("2 hours", "2 hours ago"),
            ("2.55 days", "2.5 days"),
            ("/api/v1/tickets/?page=2", "http://api.example.com/?page=2"),
            ("nobody", "tech1@example.com"),
        ],
    )
    def test_a_text_of_another_form_differs(self, found, example):
        assert not same(found, example)

    def test_the_expected_form_is_named(self):
        example = {"color": "#007bff"}
        expected = ["answer.color: expected a colour like #007bff, found 'blue'"]
        assert list(differences({"color": "blue"}, example)) == expected
