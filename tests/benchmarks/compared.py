"""Lists, details, new tickets and comments, side by side with a floor and with what is written in Django."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from tests.benchmarks import agreement, data, databases, report
from tests.benchmarks.bodies import comments, foreign_comments, foreign_tickets, tickets
from tests.benchmarks.results import Results, Say
from tests.benchmarks.rounds import Effort, Entry, Figures, interleave
from tests.benchmarks.servers import (
    DJANGO,
    DJANGO_HELPDESK,
    FLOOR,
    FLOOR_THREADS,
    HELPDESK_ALONE,
    TICKETS,
    Kind,
    Server,
    running,
)
from tests.benchmarks.size import CONNECTIONS, Size

FOREIGN = "/api/tickets/"
FOREIGN_LIST = f"{FOREIGN}?status=1&page_size=20"
FOREIGN_CONNECTIONS = 2
"""django-helpdesk's list takes a large part of a second; more callers would only wait for each other."""
SHARES = {databases.SQLITE: (0.35, 8.0), databases.POSTGRESQL: (0.6, 6.0)}
"""What is wanted of the list: of the floor, and times Django REST framework."""


@dataclass(frozen=True)
class Four:
    """The servers, each with its copy of the data, and the tickets that are asked for."""

    floor: Server
    helpdesk: Server
    django: Server
    other: Server
    calls: Sequence[tuple[data.Login, int, str]]

    @property
    def logins(self) -> list[data.Login]:
        """Return who calls."""
        return [login for login, _, _ in self.calls]

    @property
    def alike(self) -> tuple[Server, ...]:
        """Return those that give the same answers."""
        return self.floor, self.helpdesk, self.django

    def paths(self, ending: str = "") -> list[str]:
        """Return where each caller's ticket is, or what belongs to it."""
        return [f"{TICKETS}{uuid}/{ending}" for _, _, uuid in self.calls]


def measure(kind: str, path: Path, size: Size, say: Say) -> Results:
    """Measure all four, on one kind of database."""
    results = Results()
    with _servers(kind, path, size.trial) as four:
        say(f"{kind}: comparing with {four.floor.kind.name}, {four.django.kind.name} and {four.other.kind.name}")
        _list(results, kind, four, size, say)
        _detail(results, kind, four, size, say)
        _create(results, kind, four, size, say)
        _comment(results, kind, four, size, say)
    return results


@contextmanager
def _servers(kind: str, path: Path, trial: Effort) -> Iterator[Four]:
    """Run them, each on a copy of the data.

    The product's copy is as it was filled; on SQLite those of the others have statistics for the planner as well, which
    the product has to see to by itself.
    """
    logins = data.logins(path)
    own = [login for login in logins if login.organization == 1]
    with ExitStack() as stack:
        urls = {
            name: stack.enter_context(databases.copied(kind, path, name, analyzed=name != "helpdesk"))
            for name in ("floor", "helpdesk", "django")
        }
        foreign = stack.enter_context(databases.emptied(kind, "django_helpdesk"))
        DJANGO_HELPDESK.prepare("tests.benchmarks.django_helpdesk.fill", foreign, str(path), str(own[0].organization))
        floors = (FLOOR, FLOOR_THREADS) if kind == databases.POSTGRESQL else (FLOOR,)
        yield Four(
            stack.enter_context(
                running(_best(floors, urls["floor"], logins[0], trial, lambda each: -each.rate), urls["floor"])
            ),
            stack.enter_context(running(HELPDESK_ALONE, urls["helpdesk"])),
            stack.enter_context(
                running(_best(DJANGO, urls["django"], logins[0], trial, lambda each: each.cpu), urls["django"])
            ),
            stack.enter_context(running(DJANGO_HELPDESK, foreign)),
            list(_calls(path, logins)),
        )


def _best(kinds: Sequence[Kind], url: str, login: data.Login, trial: Effort, cost: Callable[[Figures], float]) -> Kind:
    """Return the way to serve the list that costs the least."""
    if len(kinds) == 1:
        return kinds[0]
    costs = {}
    for kind in kinds:
        with running(kind, url) as server:
            entry = Entry(kind.name, server, [login], [agreement.LIST])
            costs[kind.name] = cost(interleave([entry], CONNECTIONS, trial)[kind.name])
    return min(kinds, key=lambda kind: costs[kind.name])


def _calls(path: Path, logins: Sequence[data.Login]) -> Iterator[tuple[data.Login, int, str]]:
    """Yield each login several times, with a ticket of its organisation; organisations take turns."""
    found = {organization: data.tickets(path, organization, 100) for organization in {o.organization for o in logins}}
    turns = sorted(logins, key=lambda login: (login.id % 10, login.organization))
    for repetition in range(10):
        for place, login in enumerate(turns):
            own = found[login.organization]
            yield login, *own[(repetition * 10 + place // len(found)) % len(own)]


def _list(results: Results, kind: str, four: Four, size: Size, say: Say) -> None:
    compared = agreement.on_list(four.alike, four.logins[: len(four.logins) // 10 : 20])
    say(f"list: {compared} pages are the same everywhere")
    entries = [Entry(server.kind.name, server, four.logins, [agreement.LIST]) for server in four.alike]
    floor, helpdesk, django, other = interleave(
        [*entries, _foreign(four, size, [FOREIGN_LIST])], CONNECTIONS, size.effort
    ).values()
    results.show(f"list_{kind.lower()}", report.table([floor, helpdesk, django, other], floor), say)
    of_floor, of_django = SHARES[kind]
    results.goals += [
        report.times(f"list on {kind}, against the floor", of_floor, helpdesk, floor),
        report.times(f"list on {kind}, against Django REST framework", of_django, helpdesk, django),
        report.times(f"list on {kind}, against django-helpdesk", 8, helpdesk, other),
        report.at_most(f"list on {kind}, failed requests {helpdesk.error}".strip(), 0, helpdesk.errors),
    ]


def _detail(results: Results, kind: str, four: Four, size: Size, say: Say) -> None:
    agreement.on_detail(four.alike, four.calls[:2000:100])
    entries = [Entry(server.kind.name, server, four.logins, four.paths()) for server in four.alike]
    keys = [f"{FOREIGN}{key}/" for login, key, _ in four.calls if login.organization == 1]
    figures = list(interleave([*entries, _foreign(four, size, keys)], CONNECTIONS, size.effort).values())
    results.show(f"detail_{kind.lower()}", report.table(figures, figures[0]), say)
    _succeeded(results, f"detail on {kind}", figures[1])


def _create(results: Results, kind: str, four: Four, size: Size, say: Say) -> None:
    posted = list(tickets(1_000))
    agreement.on_create(four.alike, four.logins[0], orjson.loads(posted[0]))
    entries = [Entry(server.kind.name, server, four.logins, [TICKETS], posted) for server in four.alike]
    other = _foreign(four, size, [FOREIGN], list(foreign_tickets(1_000)))
    floor, helpdesk, django, foreign = interleave([*entries, other], CONNECTIONS, size.effort).values()
    results.show(f"create_{kind.lower()}", report.table([floor, helpdesk, django, foreign], floor), say)
    results.goals.append(report.times(f"create on {kind}, against Django REST framework", 3, helpdesk, django))
    spread = helpdesk.p99 / helpdesk.p50
    results.goals.append(report.at_most(f"create on {kind}, p99 against p50", 3, spread, " times"))
    _succeeded(results, f"create on {kind}", helpdesk)


def _comment(results: Results, kind: str, four: Four, size: Size, say: Say) -> None:
    posted = list(comments(1_000))
    servers = four.helpdesk, four.django
    agreement.on_comment(servers, four.calls[0], orjson.loads(posted[0]))
    entries = [Entry(server.kind.name, server, four.logins, four.paths("comments/"), posted) for server in servers]
    keys = [key for login, key, _ in four.calls if login.organization == 1]
    other = _foreign(four, size, ["/api/followups/"], list(foreign_comments(keys)))
    helpdesk, django, foreign = interleave([*entries, other], CONNECTIONS, size.effort).values()
    results.show(f"comment_{kind.lower()}", report.table([helpdesk, django, foreign], helpdesk), say)
    _succeeded(results, f"comment on {kind}", helpdesk)


def _foreign(four: Four, size: Size, paths: Sequence[str], bodies: Sequence[str] = ()) -> Entry:
    """Return the row of django-helpdesk, called by the agents of the one organisation that it has."""
    own = [login for login in four.logins if login.organization == 1][:10]
    return Entry(four.other.kind.name, four.other, own, paths, bodies, FOREIGN_CONNECTIONS, size.patience)


def _succeeded(results: Results, what: str, figures: Figures) -> None:
    results.goals.append(report.at_most(f"{what}, failed requests {figures.error}".strip(), 0, figures.errors))
