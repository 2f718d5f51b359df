"""What parts of the product cost, measured on SQLite in one process: counting, listening, and many plugins."""

from pathlib import Path

from tests.benchmarks import accounting, data, many, publishing, report
from tests.benchmarks.bodies import tickets
from tests.benchmarks.results import Results, Say
from tests.benchmarks.size import Size


def measure(_: str, path: Path, size: Size, say: Say) -> Results:
    """Measure all three."""
    results = Results()
    logins = data.logins(path)
    _accounting(results, path, logins, size, say)
    _publishing(results, path, logins, size, say)
    _many_plugins(results, path, logins[0], size, say)
    return results


def _accounting(results: Results, path: Path, logins: list[data.Login], size: Size, say: Say) -> None:
    """Compare the list with and without limits, quotas and activity."""
    copy = data.copy(path, "accounting")
    data.analyze(copy)
    cost = accounting.measure(copy, logins, size.batches)
    rows = [
        ("without", f"{cost.uncounted:.0f}", ""),
        ("with", f"{cost.counted:.0f}", f"{cost.ratio:.3f}"),
    ]
    table = report.small_table(("limits, quotas, activity", "CPU a request, us", "ratio"), rows)
    goal = "list with limits, quotas and activity against without, CPU a request"
    results.goals.append(report.at_most(goal, 1.05, cost.ratio, " times"))
    results.show("accounting", table, say)


def _publishing(results: Results, path: Path, logins: list[data.Login], size: Size, say: Say) -> None:
    """Compare the creation of tickets with handlers of eleven plugins and with none."""
    posted = [body.encode() for body in tickets(1_000)]
    cost = publishing.measure(path, logins, posted, size.batches)
    rows = [("no handler", f"{cost.unheard:.0f}", ""), ("eleven plugins", f"{cost.heard:.0f}", f"{cost.ratio:.3f}")]
    table = report.small_table(("who listens", "CPU a request, us", "ratio"), rows)
    goal = "create with handlers of eleven plugins against none, CPU a request"
    results.goals.append(report.at_most(goal, 1.1, cost.ratio, " times"))
    results.show("publishing", table, say)


def _many_plugins(results: Results, path: Path, login: data.Login, size: Size, say: Say) -> None:
    """See what each of two hundred plugins adds to a start, and whether the last one answers like the first."""
    scale = many.measure(path, login, size.effort.rounds)
    rows = [
        ("the only one", f"{scale.alone:.0f}"),
        (f"the first of {many.PLUGINS}", f"{scale.first:.0f}"),
        (f"the last of {many.PLUGINS}", f"{scale.last:.0f}"),
    ]
    table = report.small_table(("a request to", "CPU, us"), rows)
    results.tables["each_plugin"] = f"{scale.each:.1f}"
    results.goals += [
        report.at_most(f"start with {many.PLUGINS} plugins, CPU for each more", 5, scale.each, " ms"),
        report.at_most(
            f"request to the last of {many.PLUGINS} plugins against the first, CPU", 1.1, scale.ratio, " times"
        ),
    ]
    results.show("many_plugins", table, say)
