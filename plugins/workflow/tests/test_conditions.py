"""The language of conditions, by itself: what each operator says, and what may not be said."""

from datetime import UTC, datetime

import pytest

from helpdesk_core.api import Invalid
from helpdesk_workflow.conditions import SOMETHING, UNKNOWN, Field, Kind, read_conditions
from helpdesk_workflow.conditions.comparing import CategoryFact

PRIORITIES = ("low", "medium", "high", "urgent")
FIELDS = {
    each.name: each
    for each in (
        Field("subject", Kind.TEXT, changes=True),
        Field("status", Kind.WORD, words=("new", "open", "in_progress"), also={"open": ("open", "in_progress")}),
        Field("priority", Kind.RANK, words=PRIORITIES, changes=True),
        Field("hours", Kind.NUMBER),
        Field("internal", Kind.BOOLEAN),
        Field("due", Kind.INSTANT),
        Field("tags", Kind.LIST),
        Field("category", Kind.CATEGORY, changes=True),
        Field("agent", Kind.USER),
    )
}
BILLING = CategoryFact(7, "Billing & more", "billing_more")


class Facts:
    def __init__(self, values=None, changes=None, otherwise=None):
        self.values, self.changes, self.otherwise = values or {}, changes or {}, otherwise

    def value(self, name):
        return self.values.get(name, self.otherwise)

    def change(self, name):
        return self.changes.get(name)


def holds(conditions, **values):
    root = read_conditions(conditions, FIELDS).root
    facts = Facts(values)
    assert root.explained(facts)["matched"] is root.holds(facts)
    assert root.could_hold(facts) is root.holds(facts)
    return root.holds(facts)


def comparison(field, operator, *value):
    return {"field": field, "operator": operator, **({"value": value[0]} if value else {})}


@pytest.mark.parametrize(
    ("field", "operator", "value", "right", "wrong"),
    [
        ("subject", "is", " printer ", ["Printer"], ["printers", None, ""]),
        ("subject", "is_not", "printer", ["x", None], ["PRINTER"]),
        ("subject", "in", ["a", "b"], ["A"], ["c", None]),
        ("subject", "not_in", ["a", "b"], ["c", None], ["b"]),
        ("subject", "contains", "FIRE", ["on fire!"], ["fir", None]),
        ("subject", "not_contains", "fire", ["water", None], ["Fire"]),
        ("subject", "starts_with", "re:", ["RE: hi"], ["hi re:", None]),
        ("subject", "ends_with", "!", ["hi!"], ["!hi", None]),
        ("subject", "contains", ".*", ["a.*b"], ["abc"]),
        ("status", "is", "open", ["open", "in_progress"], ["new"]),
        ("status", "is_not", "open", ["new"], ["open", "in_progress"]),
        ("status", "is", "in_progress", ["in_progress"], ["open"]),
        ("priority", "in", ["low", "high"], ["low", "high"], ["medium"]),
        ("priority", "greater", "medium", ["high", "urgent"], ["medium", "low", None]),
        ("priority", "at_least", "medium", ["medium", "urgent"], ["low"]),
        ("priority", "less", "medium", ["low"], ["medium"]),
        ("priority", "at_most", "medium", ["medium", "low"], ["high"]),
        ("hours", "is", 2, [2, 2.0], [3, None]),
        ("hours", "greater", 1.5, [2], [1.5, 1, None]),
        ("hours", "at_most", 2, [2, 1], [2.01]),
        ("internal", "is", True, [True], [False, None]),
        ("internal", "is_not", True, [False, None], [True]),
        ("tags", "contains", "VIP", [("vip", "x")], [("x",), (), None]),
        ("tags", "not_contains", "vip", [("x",), ()], [("Vip",)]),
        ("tags", "in", ["a", "b"], [("b", "c")], [("c",)]),
        ("tags", "not_in", ["a", "b"], [("c",), ()], [("a",)]),
        ("category", "is", 7, [BILLING], [None, CategoryFact(8, "x", "x")]),
        ("category", "is", "billing_more", [BILLING], [None]),
        ("category", "is", "BILLING & more", [BILLING], [CategoryFact(8, "x", "x")]),
        ("category", "not_in", [7, "x"], [None], [BILLING, CategoryFact(8, "X", "y")]),
        ("agent", "is", 3, [3], [4, None]),
        ("agent", "is", None, [None], [3]),
        ("agent", "is_not", None, [3], [None]),
    ],
)
def test_an_operator_means_what_it_says(field, operator, value, right, wrong):
    conditions = comparison(field, operator, value)
    assert [each for each in right if not holds(conditions, **{field: each})] == []
    assert [each for each in wrong if holds(conditions, **{field: each})] == []


@pytest.mark.parametrize("empty", [None, "", ()])
def test_what_is_empty(empty):
    assert holds(comparison("subject", "is_empty"), subject=empty)
    assert not holds(comparison("subject", "is_not_empty"), subject=empty)


def test_instants():
    due = datetime(2026, 3, 2, tzinfo=UTC)
    assert holds(comparison("due", "before", "2026-03-02T01:00:00+00:00"), due=due)
    assert not holds(comparison("due", "after", "2026-03-02T00:00:00Z"), due=due)
    assert not holds(comparison("due", "before", "2026-03-02T01:00:00Z"), due=None)


def test_a_flat_map_asks_for_all_of_it():
    conditions = {"priority": "high", "subject": "x", "tags": ["a", "b"]}
    assert holds(conditions, priority="high", subject="x", tags=("b",))
    assert not holds(conditions, priority="high", subject="y", tags=("b",))
    assert holds({}, priority="low")


def test_trees():
    conditions = {
        "priority": "high",
        "any": [{"subject": "a"}, {"not": comparison("hours", "less", 5)}, {"all": [{"agent": 1}, {"internal": True}]}],
    }
    assert holds(conditions, priority="high", subject="a", hours=1)
    assert holds(conditions, priority="high", subject="b", hours=9)
    assert holds(conditions, priority="high", subject="b", hours=1, agent=1, internal=True)
    assert not holds(conditions, priority="high", subject="b", hours=1, agent=1, internal=False)
    assert not holds(conditions, priority="low", subject="a", hours=1)


class TestChanges:
    def told(self, operator, *value, change):
        root = read_conditions(comparison("priority", operator, *value), FIELDS).root
        return root.holds(Facts(changes={"priority": change} if change else {}))

    def test_changed(self):
        assert self.told("changed", change=("low", "high"))
        assert not self.told("changed", change=None)

    def test_changed_to(self):
        assert self.told("changed_to", "high", change=("low", "high"))
        assert self.told("changed_to", ["high", "urgent"], change=("low", "high"))
        assert not self.told("changed_to", "high", change=("high", "low"))
        assert not self.told("changed_to", ["high", "urgent"], change=("urgent", "high"))
        assert not self.told("changed_to", "high", change=None)

    def test_changed_from(self):
        assert self.told("changed_from", "low", change=("low", "high"))
        assert not self.told("changed_from", "high", change=("low", "high"))

    def test_of_a_category(self):
        root = read_conditions(comparison("category", "changed_to", "billing_more"), FIELDS).root
        assert root.holds(Facts(changes={"category": (None, BILLING)}))
        assert not root.holds(Facts(changes={"category": (BILLING, None)}))
        assert root.explained(Facts(changes={"category": (None, BILLING)}))["actual"][1]["id"] == 7


class TestWhatIsNotKnownYet:
    @pytest.mark.parametrize(
        ("conditions", "values", "expected"),
        [
            ({"priority": "high"}, {}, None),
            ({"priority": "high"}, {"priority": "low"}, False),
            ({"priority": "high", "subject": "x"}, {"priority": "low"}, False),
            ({"priority": "high", "subject": "x"}, {"priority": "high"}, None),
            ({"any": [{"priority": "high"}, {"subject": "x"}]}, {"priority": "high"}, True),
            ({"any": [{"priority": "high"}, {"subject": "x"}]}, {"priority": "low"}, None),
            ({"not": {"priority": "high"}}, {"priority": "high"}, False),
            ({"not": {"subject": "x"}}, {}, None),
            (comparison("agent", "is_empty"), {"agent": SOMETHING}, False),
            (comparison("agent", "is_not_empty"), {"agent": SOMETHING}, True),
            ({"agent": 3}, {"agent": SOMETHING}, None),
        ],
    )
    def test_may_hold_or_not(self, conditions, values, expected):
        root = read_conditions(conditions, FIELDS).root
        assert root.could_hold(Facts(values, otherwise=UNKNOWN)) is expected

    @pytest.mark.parametrize(
        ("value", "change", "expected"),
        [
            ("high", (UNKNOWN, "low"), False),
            ("high", (UNKNOWN, "high"), None),
            ("high", ("low", "high"), True),
            ("high", (UNKNOWN, UNKNOWN), None),
            ("high", None, False),
        ],
    )
    def test_about_a_change(self, value, change, expected):
        root = read_conditions(comparison("priority", "changed_to", value), FIELDS).root
        assert root.could_hold(Facts(changes={"priority": change})) is expected


@pytest.mark.parametrize(
    "conditions",
    [
        {"unknown": 1},
        {"subject": 1},
        {"subject": {"is": "x"}},
        {"internal": "yes"},
        {"internal": None},
        {"hours": True},
        {"hours": "2"},
        {"priority": "huge"},
        {"priority": []},
        {"agent": -1},
        {"agent": True},
        {"all": {}},
        {"any": "x"},
        {"not": []},
        {"not": [{"subject": "x"}]},
        comparison("subject", "greater", "x"),
        comparison("subject", "changed_into", "x"),
        comparison("hours", "contains", 1),
        comparison("due", "before", "tomorrow"),
        comparison("due", "before", 5),
        comparison("subject", "in", "x"),
        comparison("subject", "is_empty", "x"),
        comparison("subject", "is"),
        {**comparison("subject", "is", "x"), "more": 1},
        {"field": 1, "operator": "is", "value": 1},
        {"field": "subject", "operator": ["is"], "value": 1},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_by_its_place(conditions):
    with pytest.raises(Invalid) as refusal:
        read_conditions(conditions, FIELDS)
    assert refusal.value.errors[0].field.startswith("trigger.conditions")


def test_references_are_collected_with_their_places():
    conditions = {"any": [{"category": [1, "billing"]}, {"agent": 3}]}
    found = [(path, value) for path, _, value in read_conditions(conditions, FIELDS).references]
    first = "trigger.conditions.any.0.category"
    assert found == [(first, 1), (first, "billing"), ("trigger.conditions.any.1.agent", 3)]
