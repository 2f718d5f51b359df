"""The product without HTTP: its own endpoints called in this process, with every statement timed at the driver."""

import cProfile
import pstats
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

from pydantic import SecretStr
from sqlalchemy import event
from starlette.routing import Mount

from helpdesk_core.app import assemble, create_app
from helpdesk_core.settings import Settings
from helpdesk_core.web.answers import Answer
from helpdesk_core.web.dispatch import Api
from helpdesk_core.web.requests import Incoming
from tests.benchmarks.data import FOLDER, Login
from tests.benchmarks.servers import HELPDESK
from tests.benchmarks.wire import KEY

Spent = list[tuple[str, float]]
"""Statements and the milliseconds that each took."""


class Product:
    """The product over one database, asked one request after the other."""

    def __init__(self, database: Path) -> None:
        """Assemble it, with its default settings."""
        settings = Settings(
            home=FOLDER / "home", database_url=f"sqlite:///{database.resolve()}", secret_key=SecretStr(KEY)
        )
        self._parts = assemble(settings)
        self.spent: Spent = []
        event.listen(self._parts.services.database.engine, "do_connect", self._time_statements)
        app = create_app(settings, parts=self._parts)
        self._api = next(route.app for route in app.routes if isinstance(route, Mount) and isinstance(route.app, Api))

    def close(self) -> None:
        """Give the database back."""
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

    def _time_statements(self, _dialect: Any, _record: Any, _arguments: Any, options: dict[str, Any]) -> None:
        spent = self.spent

        class Cursor(sqlite3.Cursor):
            def execute(self, sql: str, *parameters: Any) -> "Cursor":
                began = time.perf_counter()
                super().execute(sql, *parameters)
                spent.append((sql, (time.perf_counter() - began) * 1000))
                return self

            def fetchall(self) -> list[Any]:
                began = time.perf_counter()
                rows = super().fetchall()
                sql, milliseconds = spent[-1]
                spent[-1] = (sql, milliseconds + (time.perf_counter() - began) * 1000)
                return rows

        class Connection(sqlite3.Connection):
            def cursor(self, *_: Any) -> Cursor:  # type: ignore[override]
                return super().cursor(Cursor)

        options["factory"] = Connection


def statements(product: Product, login: Login, path: str, query: str = "", *, times: int = 15) -> Spent:
    """Return every statement that a request runs, with the median of its milliseconds over some repetitions."""
    runs: list[Spent] = []
    for _ in range(times + 2):
        product.spent.clear()
        product.ask(login, path, query)
        runs.append([(sql, spent) for sql, spent in product.spent if sql.lstrip()[:6].upper() in {"SELECT", "WITH"}])
    return [(same[0][0], median(spent for _, spent in same)) for same in zip(*runs[2:], strict=True)]


def profile(product: Product, requests: Iterable[Incoming], shown: int = 45) -> None:
    """Print how long each request takes, what its statements take of it, and where Python spends the rest."""
    requests = list(requests)
    half = len(requests) // 2
    for incoming in requests[:100]:
        product.run(incoming)
    product.spent.clear()
    began = time.process_time()
    for incoming in requests[100:half]:
        product.run(incoming)
    each = (time.process_time() - began) / (half - 100) * 1_000_000
    print(f"{each:.0f} us of processor time for each request")
    _print_statements(product.spent, half - 100)
    profiler = cProfile.Profile()
    profiler.enable()
    for incoming in requests[half:]:
        product.run(incoming)
    profiler.disable()
    pstats.Stats(profiler).strip_dirs().sort_stats("tottime").print_stats(shown)


def _print_statements(spent: Spent, requests: int) -> None:
    total: dict[str, list[float]] = {}
    for sql, milliseconds in spent:
        total.setdefault(" ".join(sql.split()), []).append(milliseconds)
    everything = sum(map(sum, total.values())) / requests * 1000
    print(f"{everything:.0f} us of them in {sum(map(len, total.values())) / requests:.1f} statements:")
    for sql, times in sorted(total.items(), key=lambda item: -sum(item[1])):
        print(f"  {sum(times) / requests * 1000:6.1f} us  {len(times) / requests:4.1f} x  {sql[:120]}")
