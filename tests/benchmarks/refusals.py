"""Whether the time of a refused login tells who has an account; see `signing_in`."""

from pathlib import Path

from tests.benchmarks import report, signing_in
from tests.benchmarks.results import Results, Say
from tests.benchmarks.size import Size


def measure(_: str, __: Path, size: Size, say: Say) -> Results:
    """Compare how long logins of accounts that exist, that do not and that are closed take to be refused."""
    results = Results()
    spent = signing_in.medians(size.refusals)
    rows = [(kind, f"{milliseconds:.1f}") for kind, milliseconds in spent.items()]
    results.show("signing_in", report.small_table(("account", "refused after, ms"), rows), say)
    ratio = max(spent.values()) / min(spent.values())
    results.goals.append(report.at_most("refused logins, the slowest kind against the quickest", 1.05, ratio, " times"))
    return results
