"""The benchmark: prepares the data, measures one part after the other, and says which goals are met."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks import (
    compared,
    costs,
    data,
    delivery,
    logins,
    postgresql,
    refusals,
    sizes,
    sockets,
)
from tests.benchmarks.databases import KINDS, POSTGRESQL, SQLITE
from tests.benchmarks.results import Results, Say, joined
from tests.benchmarks.size import Size

VERSIONS = (
    *("uvicorn", "SQLAlchemy", "psycopg", "orjson"),
    *("Django", "djangorestframework", "django-helpdesk", "gunicorn"),
)
Measure = Callable[[str, Path, Size, Say], Results]


@dataclass(frozen=True)
class Scenario:
    """Something to measure.

    Attributes:
        name: to choose it by.
        measure: does it on one kind of database.
        kinds: where; what happens in the process alone is measured once.
        large: whether it needs the database with organisations of all sizes.
    """

    name: str
    measure: Measure
    kinds: Sequence[str] = KINDS
    large: bool = False


SCENARIOS = (
    Scenario("compared", compared.measure),
    Scenario("costs", costs.measure, (SQLITE,)),
    Scenario("refusals", refusals.measure, (SQLITE,)),
    Scenario("logins", logins.measure),
    Scenario("delivery", delivery.measure),
    Scenario("sockets", sockets.measure),
    Scenario("sizes", sizes.measure, large=True),
)
CHOICES = (*KINDS, *(scenario.name for scenario in SCENARIOS))


def measured(size: Size, only: Sequence[str], say: Say) -> Iterator[tuple[str, Results]]:
    """Measure, and yield each part with its name.

    Args:
        size: how much.
        only: names of databases and of scenarios; every one of those that are not named is left out.
        say: is told what happens.
    """
    kinds = [kind for kind in KINDS if kind in only] or list(KINDS)
    names = [name for name in only if name not in KINDS]
    server = postgresql.version() if POSTGRESQL in kinds else ""
    if POSTGRESQL in kinds and not server:
        say(f"PostgreSQL does not answer at {postgresql.ADDRESS}: what is measured there is left out")
        kinds.remove(POSTGRESQL)
    for scenario in SCENARIOS:
        for kind in scenario.kinds:
            if kind in kinds and (not names or scenario.name in names):
                results = scenario.measure(kind, _data(scenario, kind, size, say), size, say)
                results.notes |= {"PostgreSQL": server} if kind == POSTGRESQL else {}
                yield part(scenario, kind), results


def run(size: Size, say: Say) -> Results:
    """Measure everything."""
    return joined(results for _, results in measured(size, (), say))


def parts() -> list[str]:
    """Return the names of all parts, in the order of the page."""
    return [part(scenario, kind) for scenario in SCENARIOS for kind in scenario.kinds]


def part(scenario: Scenario, kind: str) -> str:
    """Return what a scenario on one kind of database is called."""
    return f"{scenario.name} {kind}"


def versions() -> dict[str, str]:
    """Return the versions of what is compared."""
    return {name: version(name) for name in VERSIONS}


def _data(scenario: Scenario, kind: str, size: Size, say: Say) -> Path:
    """Return the SQLite file that a scenario needs, and see to its like on PostgreSQL."""
    if scenario.large:
        path = data.database(f"{size.name}_large", list(size.tenants), say)
    else:
        path = data.database(f"{size.name}_main", [size.tickets] * size.organizations, say)
    if kind == POSTGRESQL:
        postgresql.database(path, say)
    return path
