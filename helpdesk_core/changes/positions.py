"""Where an event stands in the order of all events."""

import re
from typing import NamedTuple

_FORM = re.compile(r"([0-9]{1,19})-([0-9]{1,19})", re.ASCII)
LARGEST = 2**63 - 1


class Position(NamedTuple):
    """A place in the order in which events can be followed without missing one.

    Keys alone will not do on PostgreSQL: they are handed out before the commit, so that a larger one may be seen first.

    Attributes:
        tx: number of the transaction that published it; 0 on SQLite, whose writers are alone.
        id: key of the event.
    """

    tx: int
    id: int

    def __str__(self) -> str:
        """Return the text that clients keep."""
        return f"{self.tx}-{self.id}"

    @classmethod
    def read(cls, text: str) -> "Position | None":
        """Return the position that `text` names; nothing if it has no such form."""
        found = _FORM.fullmatch(text)
        if found is None:
            return None
        tx, key = int(found[1]), int(found[2])
        return cls(tx, key) if max(tx, key) <= LARGEST else None


BEGINNING = Position(0, 0)
"""Before the first event."""
