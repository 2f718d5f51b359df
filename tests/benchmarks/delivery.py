"""How fast one worker delivers events: how many in a second, and how soon after a commit a handler is called."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
from sqlalchemy import create_engine

from tests.benchmarks import data, databases, machine, report, stopwatch
from tests.benchmarks.bodies import tickets
from tests.benchmarks.results import Results, Say
from tests.benchmarks.rounds import Effort, Entry
from tests.benchmarks.rounds import measure as load
from tests.benchmarks.servers import HELPDESK, SCRIPT, TICKETS, Kind, Server, running
from tests.benchmarks.size import CONNECTIONS, Size
from tests.benchmarks.stopwatch import Stopwatch, spread

PAUSE = 0.05
"""Between tickets whose way to the handler is timed."""
_LEFT = """
SELECT (SELECT count(*) FROM core_event WHERE due_at IS NOT NULL)
    + (SELECT count(*) FROM core_job WHERE event_id IS NOT NULL AND arguments IS NULL AND state = 'waiting')
"""
PATIENCE = 120.0
"""When what was published is not delivered after so long, something is wrong."""


def measure(kind: str, path: Path, size: Size, say: Say) -> Results:
    """Leave a worker a backlog, then open tickets one by one."""
    results = Results()
    logins = data.logins(path)
    with ExitStack() as stack:
        watch = stopwatch.install(Path(stack.enter_context(TemporaryDirectory())))
        url = stack.enter_context(databases.copied(kind, path, "delivery", analyzed=True))
        serving = with_stopwatch(watch, "--no-jobs")
        server = stack.enter_context(running(serving, url))
        entry = Entry("backlog", server, logins, [TICKETS], list(tickets(1_000)))
        load(entry, CONNECTIONS, Effort(rounds=1, seconds=size.effort.seconds * 2, warm_up=0.1))
        worker = stack.enter_context(_worker(serving, url))
        handled = _delivered(watch, url).values()
        rate, spent = len(handled) / (time.time() - min(handled)), machine.cpu(worker)
        lags = _lags(watch, server, logins, size.told, url)
    first, last = spread(lags)
    each = spent.server / len(handled) * 1000
    figures = (f"{len(handled):,}", f"{rate:.0f}", f"{each:.1f}", f"{first:.0f}", f"{last:.0f}")
    heading = (
        *("events left", "delivered in a second", "the worker's CPU for each, its start included, ms"),
        *("commit to handler, p50, ms", "p99, ms"),
    )
    results.show(f"delivery_{kind.lower()}", report.small_table(heading, [figures]), say)
    return results


def with_stopwatch(watch: Stopwatch, *options: str) -> Kind:
    """Return the product with the stopwatch, and with a home of its own."""
    environment = {**HELPDESK.environment, **watch.environment, "HELPDESK_HOME": str(watch.folder / "home")}
    return replace(HELPDESK, command=(*HELPDESK.command, *options), environment=environment)


def opened_one_by_one(server: Server, logins: list[data.Login], number: int) -> Iterator[tuple[float, float]]:
    """Open tickets, and yield when each request was sent and when it was answered."""
    for place, body in enumerate(tickets(number)):
        token = server.token(logins[place % len(logins)])
        began = time.time()
        server.ask(TICKETS, token, orjson.loads(body))
        yield began, time.time()


def _lags(watch: Stopwatch, server: Server, logins: list[data.Login], number: int, url: str) -> list[float]:
    spans = []
    for span in opened_one_by_one(server, logins, number):
        spans.append(span)
        time.sleep(PAUSE)
    handled = _delivered(watch, url)
    moments = [handled[ticket] for ticket in sorted(handled)[-number:]]
    committed = watch.committed()
    return [
        moment - max(commit for commit in committed if first <= commit <= last)
        for moment, (first, last) in zip(moments, spans, strict=True)
    ]


def _delivered(watch: Stopwatch, url: str) -> dict[int, float]:
    """Wait until every event has been delivered to every handler, and return when ours was called for each ticket."""
    engine = create_engine(url)
    until = time.monotonic() + PATIENCE
    with engine.connect() as connection:
        while left := connection.exec_driver_sql(_LEFT).scalar():
            connection.rollback()  # the next look is at what there is then
            if time.monotonic() > until:
                raise RuntimeError(f"{left} events and deliveries are left")
            time.sleep(0.1)
    engine.dispose()
    return watch.handled()


@contextmanager
def _worker(kind: Kind, url: str) -> Iterator[int]:
    """Run `helpdesk worker`, and return the session of its processes."""
    environment = {name: value.format(database=url) for name, value in kind.environment.items()}
    with (data.FOLDER / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [SCRIPT, "worker"], env={**os.environ, **environment}, stdout=log, stderr=log, start_new_session=True
        )
        try:
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
