"""The product without HTTP: its own endpoints called in this process, with every statement timed at the driver."""

import cProfile
import pstats
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Engine, event
from starlette.routing import Mount

from helpdesk_core.app import create_app
from helpdesk_core.assembly import assemble
from helpdesk_core.plugins import PluginHost
from helpdesk_core.settings import Settings
from helpdesk_core.web.answers import Answer
from helpdesk_core.web.dispatch import Api
from helpdesk_core.web.limits import Limits
from helpdesk_core.web.requests import Incoming
from tests.benchmarks.data import FOLDER, Login
from tests.benchmarks.databases import url_of
from tests.benchmarks.servers import HELPDESK
from tests.benchmarks.wire import KEY

Spent = list[tuple[str, float]]
"""Statements and the milliseconds that each took."""
BATCH = 100


class Product:
    """The product over one database, asked one request after the other."""

    def __init__(
        self, database: Path | str, *, timed: bool = True, host: PluginHost | None = None, **settings: Any
    ) -> None:
        """Assemble it, with its default settings but for limits, which it would meet, and for those that are given.

        Args:
            database: what it works on: a SQLite file, or the URL of a database.
            timed: whether the time of each statement is taken, which costs some as well.
            host: the plugins; those that are installed when it is left out.
            settings: others than the default.
        """
        url = database if isinstance(database, str) else url_of(database)
        values: dict[str, Any] = {"home": FOLDER / "home", "limits": "count", "log_requests": False, **settings}
        self._parts = assemble(Settings(database_url=url, secret_key=SecretStr(KEY), **values), host=host)
        self.spent: Spent = []
        if timed:
            self._time_statements(self._parts.services.database.engine)
        app = self.app = create_app(self._parts.settings, parts=self._parts)
        self._api = next(route.app for route in app.routes if isinstance(route, Mount) and isinstance(route.app, Api))

    def close(self) -> None:
        """Give the databases back."""
        self._parts.services.get(Limits).close(self._parts.services.clock.now())
        self._parts.services.database.dispose()

    def ask(self, login: Login, path: str, query: str = "", body: bytes | None = None) -> Answer:
        """Answer one request as a database thread does."""
        (token,) = HELPDESK.tokens([login])
        return self.run(self.request(token, path, query, body))

    def request(self, token: str, path: str, query: str = "", body: bytes | None = None) -> Incoming:
        """Return a request, ready to run."""
        headers = {"accept": "application/json", "authorization": f"Bearer {token}", "content-type": "application/json"}
        method = "GET" if body is None else "POST"
        return Incoming("req_0", method, path, query, headers, body or b"", "http://127.0.0.1", "127.0.0.1")

    def run(self, incoming: Incoming) -> Answer:
        """Run the endpoint of a request; anything but success raises."""
        methods, _ = self._api._find(incoming.path)
        answer: Answer = self._api._unit_of_work.run(methods[incoming.method], incoming)
        if answer.status >= 300:
            raise RuntimeError(f"{incoming.path}?{incoming.query}: {answer.status} {answer.body!r:.300}")
        return answer

    def _time_statements(self, engine: Engine) -> None:
        if engine.dialect.name == "sqlite":
            event.listen(engine, "do_connect", self._time_sqlite)
        else:
            event.listen(engine, "connect", self._time_psycopg)
        engine.dispose()  # assembling has opened connections

    def _time_psycopg(self, connection: Any, _record: Any) -> None:
        connection.cursor_factory = _timed(connection.cursor_factory, self.spent)

    def _time_sqlite(self, _dialect: Any, _record: Any, _arguments: Any, options: dict[str, Any]) -> None:
        cursor = _timed(sqlite3.Cursor, self.spent)

        class Connection(sqlite3.Connection):
            def cursor(self, *_: Any) -> Any:
                return super().cursor(cursor)

        options["factory"] = Connection


def _timed(cursor: Any, spent: Spent) -> Any:
    """Return a driver's class of cursors that notes how long statements take."""

    class Cursor(cursor):  # type: ignore[misc]
        def execute(self, sql: Any, *parameters: Any, **options: Any) -> Any:
            began = time.perf_counter()
            super().execute(sql, *parameters, **options)
            spent.append((str(sql), (time.perf_counter() - began) * 1000))
            return self

        def fetchall(self) -> Any:
            began = time.perf_counter()
            rows = super().fetchall()
            sql, milliseconds = spent[-1]
            spent[-1] = (sql, milliseconds + (time.perf_counter() - began) * 1000)
            return rows

    return Cursor


def statements(product: Product, login: Login, path: str, query: str = "", *, times: int = 15) -> Spent:
    """Return every statement that a request runs, with the median of its milliseconds over some repetitions."""
    runs: list[Spent] = []
    for _ in range(times + 2):
        product.spent.clear()
        product.ask(login, path, query)
        runs.append([(sql, spent) for sql, spent in product.spent if sql.lstrip()[:6].upper() in {"SELECT", "WITH"}])
    return [(same[0][0], median(spent for _, spent in same)) for same in zip(*runs[2:], strict=True)]


def profile(product: Product, requests: Sequence[Incoming], shown: int = 45) -> None:
    """Print how long each request takes, what its statements take of it, and where Python spends the rest."""
    warm, timed, profiled = requests[:BATCH], requests[BATCH : len(requests) // 2], requests[len(requests) // 2 :]
    _seconds(product, warm)
    product.spent.clear()
    costs = [_seconds(product, timed[i : i + BATCH]) / BATCH for i in range(0, len(timed) - BATCH + 1, BATCH)]
    print(f"{min(costs) * 1e6:.0f} us of processor time for each request, {median(costs) * 1e6:.0f} on average")
    _print_statements(product.spent, len(costs) * BATCH)
    profiler = cProfile.Profile()
    profiler.enable()
    for incoming in profiled:
        product.run(incoming)
    profiler.disable()
    pstats.Stats(profiler).strip_dirs().sort_stats("tottime").print_stats(shown)


def _seconds(product: Product, requests: Sequence[Incoming]) -> float:
    began = time.process_time()
    for incoming in requests:
        product.run(incoming)
    return time.process_time() - began


def _print_statements(spent: Spent, requests: int) -> None:
    by_text: dict[str, list[float]] = {}
    for sql, milliseconds in spent:
        by_text.setdefault(" ".join(sql.split()), []).append(milliseconds)
    costs = {
        sql: (median(times) * len(times) / requests * 1000, len(times) / requests) for sql, times in by_text.items()
    }
    print(f"{sum(cost for cost, _ in costs.values()):.0f} us of them in {len(spent) / requests:.1f} statements:")
    for sql, (cost, times) in sorted(costs.items(), key=lambda item: -item[1][0]):
        print(f"  {cost:6.1f} us  {times:4.1f} x  {sql[:120]}")
