"""What checks find, one line each."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

MOST_NAMED = 10
"""Things of one kind that a line names; it tells the number of the others."""


class State(StrEnum):
    """How a check went."""

    OK = "ok"
    NOTE = "note"
    """Nothing is wrong, but somebody may want to know."""
    WRONG = "WRONG"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Attributes:
        check: its name.
        state: how it went.
        told: what it found, in words.
    """

    check: str
    state: State
    told: str


def found(check: str, problems: Iterable[str], otherwise: str, *, state: State = State.WRONG) -> Finding:
    """Return what a check found: its problems, or what is said when there is none.

    Args:
        check: its name.
        problems: read only once.
        otherwise: what is told when there is no problem.
        state: when there are problems.
    """
    listed = iter(problems)
    named = list(islice(listed, MOST_NAMED))
    more = sum(1 for _ in listed)
    if not named:
        return Finding(check, State.OK, otherwise)
    return Finding(check, state, "; ".join(named) + (f"; and {more} more" if more else ""))


def all_well(findings: Iterable[Finding]) -> bool:
    """Tell whether nothing is wrong."""
    return all(each.state is not State.WRONG for each in findings)


def counted(number: int, thing: str) -> str:
    """Return a number of things in words: `1 table`, `2,300 rows`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
