"""The page in the documentation, written from what every part found when it was last measured."""

import re
from collections.abc import Mapping
from pathlib import Path

from tests.benchmarks import databases, machine, report, speed
from tests.benchmarks.results import Results, Say, joined
from tests.benchmarks.size import CONNECTIONS, Size

TEMPLATE = Path(__file__).with_name("page.md")
_NAMES = re.compile(r"\{(\w+)")


def write_page(size: Size, found: Mapping[str, Results], say: Say) -> None:
    """Write it, unless a part has never been measured; without PostgreSQL the page says so."""
    missing = [part for part in speed.parts() if part not in found]
    if any(not part.endswith(databases.POSTGRESQL) for part in missing):
        say(f"The page stays as it is until these are measured as well: {', '.join(missing)}")
        return
    whole = joined(found[part] for part in speed.parts() if part in found)
    facts = {**machine.description(), **whole.notes, **speed.versions(), "measured": ", ".join(whole.measured)}
    template = TEMPLATE.read_text(encoding="utf-8")
    absent = dict.fromkeys(_NAMES.findall(template), "PostgreSQL did not answer; this was not measured.")
    values = {
        "machine": report.small_table(("what", "which"), list(facts.items())),
        "goals": report.goals_table(whole.goals),
        "organizations": size.organizations,
        "tickets": f"{size.tickets:,}",
        "connections": CONNECTIONS,
        "callers": size.organizations * 10,
        "sockets": size.sockets,
        "rounds": size.effort.rounds,
        "seconds": size.effort.seconds,
        **whole.tables,
    }
    report.PAGE.write_text(template.format(**{**absent, **values}), encoding="utf-8")
