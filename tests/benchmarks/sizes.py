"""The same requests to a small, a middling and a large organisation of one database, one request at a time."""

from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks import agreement, data, databases, report, searching
from tests.benchmarks.bodies import comments, tickets
from tests.benchmarks.results import Results, Say
from tests.benchmarks.rounds import Entry, Figures, interleave
from tests.benchmarks.servers import HELPDESK_ALONE, TICKETS, Server, running
from tests.benchmarks.size import Size

STATISTICS = f"{TICKETS}statistics/"
ASKED = 250
"""Tickets of each organisation that are read and commented on."""
GOALS = {"list": 1.5, "detail": 1.5, "create": 1.5, "comment": 1.5, "statistics": 2.0}
"""How many times of the small organisation's the large one's may cost and take."""


def measure(kind: str, path: Path, size: Size, say: Say) -> Results:
    """Measure each kind of request, and searches."""
    results, rows = Results(), []
    data.forget_statistics(path)
    with databases.copied(kind, path, "sizes") as url, running(HELPDESK_ALONE, url) as server:
        for name, wanted in GOALS.items():
            figures = _figures(name, server, path, size)
            rows += _rows(name, figures)
            results.goals += _goals(
                f"{name} on {kind}, {figures[-1].name} tickets against {figures[0].name}", wanted, figures
            )
        heading = (
            "request",
            "tickets",
            "CPU, ms",
            "PostgreSQL's, ms",
            "ratio",
            "p50, ms",
            "ratio",
            "p99, ms",
            "errors",
        )
        results.show(f"sizes_{kind.lower()}", report.small_table(heading, rows), say)
        searching.through_the_api(results, kind, server, data.logins(path), size, say=say)
    searching.in_the_database(results, kind, path, size, say)
    return results


def _figures(name: str, server: Server, path: Path, size: Size) -> list[Figures]:
    """Measure one kind of request for each organisation but that of the searches; they take turns."""
    entries = []
    for key, number in enumerate(size.tenants, start=1):
        if number != size.tenants[1]:
            logins = [login for login in data.logins(path) if login.organization == key]
            paths, bodies = _asked(name, [uuid for _, uuid in data.tickets(path, key, ASKED)])
            entries.append(Entry(f"{number:,}", server, logins, paths, bodies))
    return list(interleave(entries, 1, size.effort).values())


def _asked(name: str, uuids: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Return the paths of a kind of request, and what is posted there."""
    addresses = [f"{TICKETS}{uuid}/" for uuid in uuids]
    return {
        "list": ([agreement.LIST], ()),
        "detail": (addresses, ()),
        "statistics": ([STATISTICS], ()),
        "create": ([TICKETS], list(tickets(500))),
        "comment": ([f"{address}comments/" for address in addresses], list(comments(500))),
    }[name]


def _rows(name: str, figures: Sequence[Figures]) -> list[tuple[str, ...]]:
    smallest = figures[0]
    return [
        (
            *(name, each.name, f"{each.cpu:.2f}", f"{each.database_cpu:.2f}"),
            *(f"{each.whole_cpu / smallest.whole_cpu:.2f}", f"{each.p50:.2f}", f"{each.p50 / smallest.p50:.2f}"),
            *(f"{each.p99:.1f}", str(each.errors)),
        )
        for each in figures
    ]


def _goals(what: str, wanted: float, figures: Sequence[Figures]) -> list[report.Goal]:
    small, large = figures[0], figures[-1]
    return [
        report.at_most(f"{what}, CPU a request", wanted, large.whole_cpu / small.whole_cpu, " times"),
        report.at_most(f"{what}, p50", wanted, large.p50 / small.p50, " times"),
    ]
