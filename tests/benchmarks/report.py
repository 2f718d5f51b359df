"""The tables, the goals, and the page in the documentation."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.rounds import Figures

PAGE = Path("docs/performance.md")
BUSY = 0.25
"""With more foreign cores than this, requests a second say more about the neighbours than about the server."""


@dataclass(frozen=True)
class Goal:
    """Something that must hold.

    Attributes:
        what: in words.
        wanted: in words.
        found: in words.
        met: whether it holds.
    """

    what: str
    wanted: str
    found: str
    met: bool


def table(figures: Sequence[Figures], base: Figures) -> str:
    """Return a table of measured rows, compared with `base`."""
    shared = any(each.database_cpu for each in figures)
    numbers = (
        "CPU a request, ms",
        *(("PostgreSQL's, ms",) if shared else ()),
        f"against {base.name} by CPU",
        "by requests a second",
        *("requests a second", "lowest to highest", "p50, ms", "p99, ms", "errors", "foreign cores"),
    )
    lines = [f"| server | {' | '.join(numbers)} |", "| --- " + "| --: " * len(numbers) + "|"]
    for each in figures:
        low, high = each.range
        cells = (
            f"{each.cpu:.2f}",
            *((f"{each.database_cpu:.2f}",) if shared else ()),
            f"{base.whole_cpu / each.whole_cpu:.3f}",
            f"{each.rate / base.rate:.3f}",
            f"{each.rate:.0f}" if each.rate > 10 else f"{each.rate:.1f}",
            f"{low:.0f} to {high:.0f}" if high > 10 else f"{low:.1f} to {high:.1f}",
            *(f"{each.p50:.1f}", f"{each.p99:.1f}", str(each.errors), f"{each.foreign:.2f}"),
        )
        lines.append(f"| {each.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def small_table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of words."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (heading, ["---"] * len(heading), *rows))


def goals_table(goals: Sequence[Goal]) -> str:
    """Return what was wanted and what was found."""
    rows = [(goal.what, goal.wanted, goal.found, "yes" if goal.met else "**no**") for goal in goals]
    return small_table(("goal", "wanted", "found", "met"), rows)


def times(goal: str, wanted: float, first: Figures, second: Figures) -> Goal:
    """Return the goal that `first` is `wanted` times as fast as `second`, by CPU a request and by requests a second.

    The database's processor time counts as well: a server that lets it do the work has saved nothing.
    """
    by_cpu, by_rate = second.whole_cpu / first.whole_cpu, first.rate / second.rate
    found = f"{by_cpu:.2f} by CPU, {by_rate:.2f} by requests a second"
    quiet = max(first.foreign, second.foreign) <= BUSY
    return Goal(goal, f"at least {wanted:g} times", found, by_cpu >= wanted and (by_rate >= wanted or not quiet))


def at_most(goal: str, wanted: float, found: float, unit: str = "") -> Goal:
    """Return the goal that a figure is at most `wanted`."""
    return Goal(goal, f"at most {wanted:g}{unit}", f"{found:.3g}{unit}", found <= wanted)
