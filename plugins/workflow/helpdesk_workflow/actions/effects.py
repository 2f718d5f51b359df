"""What actions may cause, as far as it is known before they run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Effect:
    """One event that an action may publish.

    Attributes:
        event: its type.
        facts: what is known of its payload and, by field, of what it says; everything else is unknown.
        changes: the fields that it says have changed, with the value that they have then, if that is known;
            nothing where it tells of no changes.
        writes: the field that is written with the value that it gets. To write what is there already publishes
            nothing, so such an effect ends by itself unless somebody writes something else. Without it, the
            effect can be repeated for ever.
        leaves: what is known of the ticket afterwards, by field.
    """

    event: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] | None = None
    writes: tuple[str, Any] | None = None
    leaves: Mapping[str, Any] = field(default_factory=dict)
