"""Interleaved rounds: every server is measured in turn, again and again, and the medians are compared."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median

import orjson

from tests.benchmarks.data import Login
from tests.benchmarks.load import Measured, Plan
from tests.benchmarks.servers import Server

LONGEST_LOAD = 120


@dataclass(frozen=True)
class Entry:
    """One row of a table.

    Attributes:
        name: what the row is called.
        server: what is measured.
        logins: who calls.
        paths: what is asked for, in turn.
        bodies: what is posted, if anything, in turn.
        connections: open at once, instead of those of the table.
        seconds: of each round at least, where an answer takes long.
    """

    name: str
    server: Server
    logins: Sequence[Login]
    paths: Sequence[str]
    bodies: Sequence[str] = ()
    connections: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Attributes:
        rounds: times that every row is measured.
        seconds: of each time.
        warm_up: seconds before each time.
    """

    rounds: int
    seconds: float
    warm_up: float


@dataclass
class Figures:
    """What the rounds of one row gave."""

    name: str
    rounds: list[Measured] = field(default_factory=list)

    def _median(self, of: Callable[[Measured], float]) -> float:
        return median(map(of, self.rounds))

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self._median(lambda each: max(each.requests, 0.5) / each.seconds)

    @property
    def cpu(self) -> float:
        """Milliseconds of the server's processor time for each request."""
        return self._median(lambda each: each.server_cpu / max(each.requests, 1) * 1000)

    @property
    def database_cpu(self) -> float:
        """Milliseconds of PostgreSQL's processor time for each request."""
        return self._median(lambda each: each.database_cpu / max(each.requests, 1) * 1000)

    @property
    def whole_cpu(self) -> float:
        """Milliseconds of the server's and the database's processor time for each request."""
        return self.cpu + self.database_cpu

    @property
    def p50(self) -> float:
        """Median time to the last byte, milliseconds."""
        return self._median(lambda each: each.p50)

    @property
    def p99(self) -> float:
        """Time that one request of a hundred exceeds, milliseconds."""
        return self._median(lambda each: each.p99)

    @property
    def foreign(self) -> float:
        """Cores that other programs kept busy."""
        return self._median(lambda each: each.foreign_cores)

    @property
    def range(self) -> tuple[float, float]:
        """Lowest and highest requests a second of the rounds."""
        rates = [each.requests / each.seconds for each in self.rounds]
        return min(rates), max(rates)

    @property
    def errors(self) -> int:
        """How many requests failed, in all rounds."""
        return sum(each.errors for each in self.rounds)

    @property
    def error(self) -> str:
        """The first failure."""
        return next((each.error for each in self.rounds if each.error), "")


def interleave(entries: Sequence[Entry], connections: int, effort: Effort) -> dict[str, Figures]:
    """Measure every entry once a round, in changing order, and return the figures by name."""
    figures = {entry.name: Figures(entry.name) for entry in entries}
    for number in range(effort.rounds):
        for entry in entries if number % 2 == 0 else reversed(entries):
            figures[entry.name].rounds.append(measure(entry, connections, effort))
    return figures


def measure(entry: Entry, connections: int, effort: Effort) -> Measured:
    """Put one server under load, from a process of its own."""
    server = entry.server
    plan = Plan(
        port=server.port,
        session=server.session,
        connections=entry.connections or connections,
        warm_up=effort.warm_up,
        seconds=max(effort.seconds, entry.seconds),
        paths=list(entry.paths),
        tokens=server.kind.tokens(entry.logins) or [""],
        bodies=list(entry.bodies),
        database=server.database,
    )
    command = [sys.executable, "-m", "tests.benchmarks.load"]
    done = subprocess.run(
        command, input=orjson.dumps(asdict(plan)), stdout=subprocess.PIPE, check=True, timeout=LONGEST_LOAD
    )
    return Measured(**orjson.loads(done.stdout))
