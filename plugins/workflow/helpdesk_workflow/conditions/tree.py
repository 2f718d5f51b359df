"""Conditions as a tree that is held against facts: does it hold, why, and could it ever."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from helpdesk_core.api import api_time
from helpdesk_workflow.conditions.comparing import CategoryFact, Test
from helpdesk_workflow.conditions.fields import Field

UNKNOWN: Final = object()
"""A fact that nobody knows before something happens."""
SOMETHING: Final = object()
"""A fact of which is known only that there will be one."""


class Facts(Protocol):
    """What conditions are held against."""

    def value(self, name: str) -> Any:
        """Return what a field holds, or `UNKNOWN`."""

    def change(self, name: str) -> Any:
        """Return the field's values before and after the event; nothing if it did not change, or `UNKNOWN`."""


class Node(Protocol):
    """Conditions, or a part of them."""

    def holds(self, facts: Facts) -> bool:
        """Tell whether the facts satisfy it; none of them is unknown."""

    def could_hold(self, facts: Facts) -> bool | None:
        """Tell whether the facts, some of them unknown, certainly do, certainly do not, or may satisfy it."""

    def explained(self, facts: Facts) -> dict[str, Any]:
        """Return the tree with what was expected, what was found and what follows."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One comparison.

    Attributes:
        field: what is compared.
        operator: how.
        value: with what, as it was written.
        test: of a value; for operators about changes, the test of the value before or after.
    """

    field: Field
    operator: str
    value: Any
    test: Test

    def holds(self, facts: Facts) -> bool:
        """Compare."""
        if self.operator.startswith("changed"):
            return self._changed(facts.change(self.field.name)) is True
        return self.test(facts.value(self.field.name))

    def could_hold(self, facts: Facts) -> bool | None:
        """Compare what is known."""
        if self.operator.startswith("changed"):
            return self._changed(facts.change(self.field.name))
        value = facts.value(self.field.name)
        if value is SOMETHING and self.operator in {"is_empty", "is_not_empty"}:
            return self.operator == "is_not_empty"
        return None if _is_open(value) else self.test(value)

    def explained(self, facts: Facts) -> dict[str, Any]:
        """Say what was expected and what was found."""
        if self.operator.startswith("changed"):
            change = facts.change(self.field.name)
            actual = None if change is None else [shown(each) for each in change]
        else:
            actual = shown(facts.value(self.field.name))
        return {
            "field": self.field.name,
            "operator": self.operator,
            "expected": self.value,
            "actual": actual,
            "matched": self.holds(facts),
        }

    def _changed(self, change: Any) -> bool | None:
        if change is None:
            return False
        if change is UNKNOWN:
            return None
        before, after = change
        if self.operator == "changed":
            return True
        there, other = (after, before) if self.operator == "changed_to" else (before, after)
        if not _is_open(there) and not self.test(there):
            return False
        if not _is_open(other) and self.test(other):
            return False
        return None if _is_open(there) or _is_open(other) else True


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds; without parts it always does."""

    parts: Sequence[Node]

    def holds(self, facts: Facts) -> bool:
        """Ask until one does not."""
        return all(part.holds(facts) for part in self.parts)

    def could_hold(self, facts: Facts) -> bool | None:
        """Ask all."""
        answers = [part.could_hold(facts) for part in self.parts]
        return False if False in answers else None if None in answers else True

    def explained(self, facts: Facts) -> dict[str, Any]:
        """Explain all."""
        return {"all": [part.explained(facts) for part in self.parts], "matched": self.holds(facts)}


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: Sequence[Node]

    def holds(self, facts: Facts) -> bool:
        """Ask until one does."""
        return any(part.holds(facts) for part in self.parts)

    def could_hold(self, facts: Facts) -> bool | None:
        """Ask all."""
        answers = [part.could_hold(facts) for part in self.parts]
        return True if True in answers else None if None in answers else False

    def explained(self, facts: Facts) -> dict[str, Any]:
        """Explain all."""
        return {"any": [part.explained(facts) for part in self.parts], "matched": self.holds(facts)}


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Node

    def holds(self, facts: Facts) -> bool:
        """Ask."""
        return not self.part.holds(facts)

    def could_hold(self, facts: Facts) -> bool | None:
        """Ask."""
        answer = self.part.could_hold(facts)
        return None if answer is None else not answer

    def explained(self, facts: Facts) -> dict[str, Any]:
        """Explain."""
        return {"not": self.part.explained(facts), "matched": self.holds(facts)}


def _is_open(value: Any) -> bool:
    return value is UNKNOWN or value is SOMETHING


def shown(value: Any) -> Any:
    """Return a fact as JSON; long texts are cut."""
    if isinstance(value, datetime):
        return api_time(value)
    if isinstance(value, CategoryFact):
        return {"id": value.id, "name": value.name, "slug": value.slug}
    if isinstance(value, str) and len(value) > LONGEST_SHOWN:
        return value[:LONGEST_SHOWN] + "…"
    if isinstance(value, tuple):
        return list(value)
    return value


LONGEST_SHOWN = 200
"""Characters of a text that the run log keeps."""
