"""Searches in a large organisation and in one of a hundredth of its size, through the API and in the database."""

import http.client
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from statistics import median
from urllib.parse import quote_plus

from tests.benchmarks import data, databases, report, texts
from tests.benchmarks.inside import Product, Spent, statements
from tests.benchmarks.load import HOST
from tests.benchmarks.results import Results, Say
from tests.benchmarks.servers import TICKETS, Server
from tests.benchmarks.size import Size

STATISTICS = f"{TICKETS}statistics/".removeprefix("/api/v1")
MARKS = (" MATCH ", " @@ ")
"""What a full-text search looks like on either database."""


def through_the_api(
    results: Results, kind: str, server: Server, logins: Sequence[data.Login], size: Size, *, say: Say
) -> None:
    """Time whole answers, the two organisations in turn."""
    tokens = [_token(server, logins, size, number) for number in _compared(size)]
    rows, found = [], []
    with closing(http.client.HTTPConnection(HOST, server.port, timeout=60)) as connection:
        for words in searches():
            path = f"{TICKETS}?search={quote_plus(words)}&page_size=20"
            times = [[_asked(connection, path, token) for token in tokens] for _ in range(size.searches + 1)][1:]
            small, large = (median(turn) for turn in zip(*times, strict=True))
            found.append((small, large))
            rows.append((words, f"{small:.1f}", f"{large:.1f}", f"{large / small:.1f}"))
    small, large = (median(column) for column in zip(*found, strict=True))
    rows.append(("*median*", f"{small:.1f}", f"{large:.1f}", f"{large / small:.1f}"))
    few, many = (f"{number:,}" for number in _compared(size))
    heading = ("words", f"among {few} tickets, ms", f"among {many}, ms", "ratio")
    results.show(f"search_api_{kind.lower()}", report.small_table(heading, rows), say)
    goal = f"search on {kind}, {many} tickets against {few}, median of the words, at the API"
    results.goals.append(report.at_most(goal, 3, large / small, " times"))


def in_the_database(results: Results, kind: str, path: Path, size: Size, say: Say) -> None:
    """Time the statements alone."""
    logins = data.logins(path)
    rows, found, worst = [], [], 0.0
    with databases.copied(kind, path, "searching", analyzed=True) as url, closing(Product(url)) as product:
        callers = [next(o for o in logins if o.organization == _key(size, number)) for number in _compared(size)]
        for words in searches():
            times = [
                _hits(statements(product, login, "/tickets/", f"search={quote_plus(words)}", times=size.searches))
                for login in callers
            ]
            worst = max(worst, times[-1][0])
            found.append([sum(each) for each in times])
            rows.append((words, *(f"{part:.2f}" for each in times for part in each)))
        spent = sum(milliseconds for _, milliseconds in statements(product, callers[-1], STATISTICS))
    small, large = (median(column) for column in zip(*found, strict=True))
    few, many = (f"{number:,}" for number in _compared(size))
    heading = ("words", f"{few}: 20 newest hits, ms", "count, ms", f"{many}: 20 newest hits, ms", "count, ms")
    results.show(f"search_{kind.lower()}", report.small_table(heading, rows), say)
    goal = f"search on {kind}, {many} tickets against {few}, median of the words, in the database"
    results.goals += [
        report.at_most(goal, 3, large / small, " times"),
        report.at_most(f"20 newest hits on {kind} among {many} tickets, in the database", 10, worst, " ms"),
        report.at_most(f"statistics on {kind} of {many} tickets, in the database", 2, spent, " ms"),
    ]


def searches() -> tuple[str, ...]:
    """Return searches for frequent and rare words, and for both at once."""
    words = texts.make(Random(data.SEED)).words
    common, other, middling, rare = "the", "printer", words[500], words[15_000]
    return (common, other, middling, rare, f"{common} {other}", f"{other} {rare}", f"{common} {rare}", f"{rare[:3]}*")


def _compared(size: Size) -> tuple[int, int]:
    return size.tenants[1], size.tenants[-1]


def _key(size: Size, number: int) -> int:
    return size.tenants.index(number) + 1


def _token(server: Server, logins: Sequence[data.Login], size: Size, number: int) -> str:
    return server.token(next(login for login in logins if login.organization == _key(size, number)))


def _asked(connection: http.client.HTTPConnection, path: str, token: str) -> float:
    """Return how many milliseconds a whole answer takes."""
    began = time.perf_counter()
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}", "Accept": "application/json"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status} {body!r:.300}")
    return (time.perf_counter() - began) * 1000


def _hits(spent: Spent) -> tuple[float, float]:
    """Return the milliseconds that finding and counting took."""
    matching = [(sql, milliseconds) for sql, milliseconds in spent if any(mark in sql for mark in MARKS)]
    counting = sum(milliseconds for sql, milliseconds in matching if "count(" in sql.lower())
    return sum(milliseconds for _, milliseconds in matching) - counting, counting
