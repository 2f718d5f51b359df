"""What was found, kept part by part, so that one can be measured again without the others."""

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson

from tests.benchmarks.report import Goal

Say = Callable[[str], None]


@dataclass
class Results:
    """What one part, or all of them, found.

    Attributes:
        tables: in Markdown, and single figures, by the name of their place in the page.
        goals: what was wanted and found.
        notes: facts about what was measured.
        measured: the days.
    """

    tables: dict[str, str] = field(default_factory=dict)
    goals: list[Goal] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    measured: list[str] = field(default_factory=lambda: [time.strftime("%Y-%m-%d")])

    def show(self, name: str, table: str, say: Say) -> None:
        """Keep a table, and print it."""
        self.tables[name] = table
        say(f"**{name.replace('_', ' ')}**\n\n{table}")


def keep(path: Path, part: str, results: Results) -> None:
    """Write down what a part found, in place of what it found before."""
    kept = orjson.loads(path.read_bytes()) if path.exists() else {}
    kept[part] = asdict(results)
    path.write_bytes(orjson.dumps(kept, option=orjson.OPT_INDENT_2))


def kept(path: Path) -> dict[str, Results]:
    """Return what each part found when it was last measured."""
    stored = orjson.loads(path.read_bytes()) if path.exists() else {}
    return {
        part: Results(**{**values, "goals": [Goal(**goal) for goal in values["goals"]]})
        for part, values in stored.items()
    }


def joined(parts: Iterable[Results]) -> Results:
    """Return everything together, in the order given."""
    whole = Results(measured=[])
    for part in parts:
        whole.tables |= part.tables
        whole.goals += part.goals
        whole.notes |= part.notes
        whole.measured = sorted({*whole.measured, *part.measured})
    return whole
