"""The benchmark: prepares the data, measures one scenario after the other, and says which goals are met."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from random import Random

import orjson

from tests.benchmarks import accounting, agreement, data, many, publishing, report, signing_in, texts
from tests.benchmarks.inside import Product, Spent, statements
from tests.benchmarks.report import Goal
from tests.benchmarks.rounds import Effort, Entry, interleave
from tests.benchmarks.servers import DJANGO, FLOOR, HELPDESK, TICKETS, Server, running
from tests.benchmarks.wire import PRIORITIES

CONNECTIONS = 16
STATISTICS = f"{TICKETS}statistics/".removeprefix("/api/v1")


@dataclass(frozen=True)
class Size:
    """How large the benchmark is.

    Attributes:
        organizations: of the first database.
        tickets: of each of them.
        small: tickets of the small organisation in the second database.
        large: tickets of the large one.
        effort: of measuring.
        batches: of lists, with accounting and without.
        refusals: logins of each kind.
    """

    organizations: int
    tickets: int
    small: int
    large: int
    effort: Effort
    batches: int
    refusals: int


FULL = Size(20, 5_000, 1_000, 1_000_000, Effort(rounds=5, seconds=6, warm_up=1), batches=600, refusals=60)
QUICK = Size(20, 1_000, 1_000, 50_000, Effort(rounds=3, seconds=2, warm_up=0.5), batches=200, refusals=20)


@dataclass
class Results:
    """What was found: named tables in Markdown, and the goals."""

    tables: dict[str, str] = field(default_factory=dict)
    goals: list[Goal] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)


def run(size: Size, say: Callable[[str], None]) -> Results:
    """Measure everything."""
    results = Results()
    path = data.database("main", [size.tickets] * size.organizations, say)
    logins = data.logins(path)
    with _three(path, logins[0]) as servers:
        say(f"comparing with {servers[-1].kind.name}")
        _list(results, servers, logins, size.effort, say)
        _create(results, servers, logins, size.effort, say)
    _accounting(results, path, logins, size, say)
    _publishing(results, path, logins, size, say)
    _many_plugins(results, path, logins[0], size, say)
    _signing_in(results, size, say)
    large = data.database("large", [size.small, size.large], say)
    _sizes(results, large, size, say)
    _in_the_database(results, large, size, say)
    results.notes = {
        name: version(name) for name in ("uvicorn", "SQLAlchemy", "orjson", "Django", "djangorestframework", "gunicorn")
    }
    return results


@contextmanager
def _three(path: Path, login: data.Login) -> Iterator[list[Server]]:
    """Run the floor, the product and the comparison, each on a copy of the data.

    The product's copy is as it was filled; those of the others have statistics for SQLite's planner as well, which
    the product has to see to by itself.
    """
    with ExitStack() as stack:
        copies = {name: data.copy(path, name) for name in ("floor", "helpdesk", "django")}
        data.analyze(copies["floor"])
        data.analyze(copies["django"])
        floor = stack.enter_context(running(FLOOR, copies["floor"]))
        helpdesk = stack.enter_context(running(HELPDESK, copies["helpdesk"]))
        trial = Effort(rounds=1, seconds=2, warm_up=0.5)
        costs = {}
        for kind in DJANGO:
            with running(kind, copies["django"]) as server:
                entries = [Entry(kind.name, server, [login], agreement.LIST)]
                costs[kind.name] = interleave(entries, CONNECTIONS, trial)[kind.name].cpu
        fastest = min(DJANGO, key=lambda kind: costs[kind.name])
        yield [floor, helpdesk, stack.enter_context(running(fastest, copies["django"]))]


def _list(
    results: Results, servers: list[Server], logins: list[data.Login], effort: Effort, say: Callable[[str], None]
) -> None:
    compared = agreement.on_list(servers, logins[:: max(1, len(logins) // 10)])
    say(f"list: {compared} pages are the same everywhere")
    entries = [Entry(server.kind.name, server, logins, agreement.LIST) for server in servers]
    floor, helpdesk, django = interleave(entries, CONNECTIONS, effort).values()
    results.tables["list"] = report.table([floor, helpdesk, django], floor)
    results.goals += [
        report.times("list, against the floor", 0.35, helpdesk, floor),
        report.times("list, against Django REST framework", 8, helpdesk, django),
        report.at_most("list, failed requests", 0, helpdesk.errors),
    ]
    say(results.tables["list"])


def _create(
    results: Results, servers: list[Server], logins: list[data.Login], effort: Effort, say: Callable[[str], None]
) -> None:
    posted = list(bodies(1_000))
    agreement.on_create(servers, logins[0], orjson.loads(posted[0]))
    say("create: what comes back is the same everywhere")
    entries = [Entry(server.kind.name, server, logins, TICKETS, posted) for server in servers]
    floor, helpdesk, django = interleave(entries, CONNECTIONS, effort).values()
    results.tables["create"] = report.table([floor, helpdesk, django], floor)
    results.goals += [
        report.times("create, against Django REST framework", 3, helpdesk, django),
        report.at_most("create, p99 against p50", 3, helpdesk.p99 / helpdesk.p50, " times"),
        report.at_most(f"create, failed requests {helpdesk.error}".strip(), 0, helpdesk.errors),
    ]
    say(results.tables["create"])


def _accounting(results: Results, path: Path, logins: list[data.Login], size: Size, say: Callable[[str], None]) -> None:
    """Compare the list with and without limits, quotas and activity."""
    copy = data.copy(path, "accounting")
    data.analyze(copy)
    cost = accounting.measure(copy, logins, size.batches)
    rows = [
        ("without", f"{cost.uncounted:.0f}", ""),
        ("with", f"{cost.counted:.0f}", f"{cost.ratio:.3f}"),
    ]
    results.tables["accounting"] = report.small_table(("limits, quotas, activity", "CPU a request, us", "ratio"), rows)
    goal = "list with limits, quotas and activity against without, CPU a request"
    results.goals.append(report.at_most(goal, 1.05, cost.ratio, " times"))
    say(results.tables["accounting"])


def _publishing(results: Results, path: Path, logins: list[data.Login], size: Size, say: Callable[[str], None]) -> None:
    """Compare the creation of tickets with handlers of eleven plugins and with none."""
    posted = [body.encode() for body in bodies(1_000)]
    cost = publishing.measure(path, logins, posted, size.batches)
    rows = [("no handler", f"{cost.unheard:.0f}", ""), ("eleven plugins", f"{cost.heard:.0f}", f"{cost.ratio:.3f}")]
    results.tables["publishing"] = report.small_table(("who listens", "CPU a request, us", "ratio"), rows)
    goal = "create with handlers of eleven plugins against none, CPU a request"
    results.goals.append(report.at_most(goal, 1.1, cost.ratio, " times"))
    say(results.tables["publishing"])


def _many_plugins(results: Results, path: Path, login: data.Login, size: Size, say: Callable[[str], None]) -> None:
    """See what each of two hundred plugins adds to a start, and whether the last one answers like the first."""
    scale = many.measure(path, login, size.effort.rounds)
    rows = [
        ("the only one", f"{scale.alone:.0f}"),
        (f"the first of {many.PLUGINS}", f"{scale.first:.0f}"),
        (f"the last of {many.PLUGINS}", f"{scale.last:.0f}"),
    ]
    results.tables["many_plugins"] = report.small_table(("a request to", "CPU, us"), rows)
    results.tables["each_plugin"] = f"{scale.each:.1f}"
    results.goals += [
        report.at_most(f"start with {many.PLUGINS} plugins, CPU for each more", 5, scale.each, " ms"),
        report.at_most(
            f"request to the last of {many.PLUGINS} plugins against the first, CPU", 1.1, scale.ratio, " times"
        ),
    ]
    say(results.tables["many_plugins"])


def _signing_in(results: Results, size: Size, say: Callable[[str], None]) -> None:
    """Compare how long logins of accounts that exist, that do not and that are closed take to be refused."""
    spent = signing_in.medians(size.refusals)
    results.tables["signing_in"] = report.small_table(
        ("account", "refused after, ms"), [(kind, f"{milliseconds:.1f}") for kind, milliseconds in spent.items()]
    )
    ratio = max(spent.values()) / min(spent.values())
    results.goals.append(report.at_most("refused logins, the slowest kind against the quickest", 1.05, ratio, " times"))
    say(results.tables["signing_in"])


def bodies(number: int) -> Iterator[str]:
    random = Random(data.SEED + 1)
    stock = texts.make(random)
    for place in range(number):
        body = {
            "subject": stock.sentence(random)[:200],
            "description": stock.paragraph(random, 3, 8),
            "priority": PRIORITIES[place % len(PRIORITIES)],
            "tags": random.sample(texts.TAGS, 3),
            "attachments": [],
        }
        yield orjson.dumps(body).decode()


def _sizes(results: Results, path: Path, size: Size, say: Callable[[str], None]) -> None:
    """Compare lists of a small and a large organisation of one database, one request at a time."""
    data.forget_statistics(path)
    logins = data.logins(path)
    small, large = ([login for login in logins if login.organization == key] for key in (1, 2))
    with running(HELPDESK, path) as server:
        entries = [
            Entry(f"{size.small:,} tickets", server, small, agreement.LIST),
            Entry(f"{size.large:,} tickets", server, large, agreement.LIST),
        ]
        first, second = interleave(entries, 1, size.effort).values()
    results.tables["sizes"] = report.table([first, second], first)
    goal = f"list of {size.large:,} tickets against {size.small:,}, CPU a request"
    results.goals.append(report.at_most(goal, 1.5, second.cpu / first.cpu, " times"))
    results.goals.append(report.at_most(goal.replace("CPU a request", "p50"), 1.5, second.p50 / first.p50, " times"))
    say(results.tables["sizes"])


def _in_the_database(results: Results, path: Path, size: Size, say: Callable[[str], None]) -> None:
    login = next(login for login in data.logins(path) if login.organization == 2)
    rows, worst = [], 0.0
    with closing(Product(path)) as product:
        for search in _searches():
            spent = statements(product, login, "/tickets/", f"search={search.replace(' ', '+')}")
            found, counted = _hits(spent)
            worst = max(worst, found)
            rows.append((search, f"{found:.2f}", f"{counted:.2f}"))
        statistics = sum(milliseconds for _, milliseconds in statements(product, login, STATISTICS))
    results.tables["search"] = report.small_table(("words", "20 newest hits, ms", "count, ms"), rows)
    results.goals += [
        report.at_most(f"20 newest hits among {size.large:,} tickets, in the database", 10, worst, " ms"),
        report.at_most(f"statistics of {size.large:,} tickets, in the database", 2, statistics, " ms"),
    ]
    say(results.tables["search"])


def _searches() -> tuple[str, ...]:
    """Return searches for frequent and rare words, and for both at once."""
    words = texts.make(Random(data.SEED)).words
    common, other, middling, rare = "the", "printer", words[500], words[15_000]
    return (common, other, middling, rare, f"{common} {other}", f"{other} {rare}", f"{common} {rare}", f"{rare[:3]}*")


def _hits(spent: Spent) -> tuple[float, float]:
    """Return the milliseconds that finding and counting took."""
    matching = [(sql, milliseconds) for sql, milliseconds in spent if " MATCH " in sql]
    counting = sum(milliseconds for sql, milliseconds in matching if "count(" in sql.lower())
    return sum(milliseconds for _, milliseconds in matching) - counting, counting
