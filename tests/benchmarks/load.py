"""The load generator, a process of its own: so many connections, each sending its next request at once.

Reads a plan as JSON from standard input and writes what it measured as JSON. Sends to this machine only.
"""

import asyncio
import sys
import time
from dataclasses import asdict, dataclass, field
from itertools import cycle
from typing import Any

import orjson
import uvloop

from tests.benchmarks import machine
from tests.replies import Reply

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Plan:
    """What to send.

    Attributes:
        port: of the server.
        session: of the server's processes, whose CPU is counted.
        connections: open at once.
        warm_up: seconds before measuring.
        seconds: of measuring.
        paths: with their queries, asked for in turn.
        tokens: used in turn.
        bodies: JSON texts to post in turn; with none, the requests are GET.
        database: on PostgreSQL, whose processes are counted as well.
    """

    port: int
    session: int
    connections: int
    warm_up: float
    seconds: float
    paths: list[str]
    tokens: list[str]
    bodies: list[str] = field(default_factory=list)
    database: str = ""


@dataclass(frozen=True)
class Measured:
    """What came of it.

    Attributes:
        requests: answered as expected while measuring.
        errors: answered otherwise, or not at all.
        error: the first of them.
        seconds: measured.
        p50: median of the time to the last byte, milliseconds.
        p99: of which 1 % took longer.
        server_cpu: seconds of the server's processes.
        database_cpu: seconds of PostgreSQL's processes.
        foreign_cores: average number of cores that other programs kept busy.
        bytes: of one answer, on average.
    """

    requests: int
    errors: int
    error: str
    seconds: float
    p50: float
    p99: float
    server_cpu: float
    database_cpu: float
    foreign_cores: float
    bytes: float


class Tape:
    """Collects results while it runs."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.running = False
        self.times: list[float] = []
        self.bytes = 0
        self.errors = 0
        self.error = ""

    def note(self, seconds: float, head: bytes, size: int) -> None:
        """Keep one answer."""
        if not self.running:
            return
        if head[9:10] == b"2":
            self.times.append(seconds)
            self.bytes += size
        else:
            self.fail(head.partition(b"\r\n")[0].decode())

    def fail(self, reason: str) -> None:
        """Count what was no answer."""
        self.errors += 1
        self.error = self.error or reason


class Caller(asyncio.Protocol):
    """One connection: writes a request, waits for the whole answer, writes the next."""

    def __init__(self, requests: Any, tape: Tape) -> None:
        """Take requests from a source shared by all connections."""
        self._requests = requests
        self._tape = tape
        self._reply = Reply()
        self._began = 0.0
        self.stopped = False
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self._transport = transport
        self._next()

    def _next(self) -> None:
        self._reply.clear()
        self._began = time.perf_counter()
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        """Go on when the answer is complete."""
        if not self._reply.feed(data):
            return
        self._tape.note(time.perf_counter() - self._began, self._reply.head, self._reply.size)
        if self.stopped or self._reply.closes:
            self._transport.close()
        else:
            self._next()

    def connection_lost(self, error: Exception | None) -> None:
        """Report an answer that never came."""
        if not self.stopped and not self._reply.is_complete:
            self._tape.fail(f"connection lost: {error}")
        self.closed.set_result(None)


async def _keep_calling(plan: Plan, requests: Any, tape: Tape, callers: set[Caller], until: float) -> None:
    """Keep one connection open, anew when the server closes it."""
    loop = asyncio.get_running_loop()
    while time.perf_counter() < until:
        _, caller = await loop.create_connection(lambda: Caller(requests, tape), HOST, plan.port)
        callers.add(caller)
        await caller.closed
        callers.discard(caller)


async def run(plan: Plan) -> Measured:
    """Carry out a plan."""
    tape, callers = Tape(), set[Caller]()
    requests = cycle(_requests(plan))
    until = time.perf_counter() + plan.warm_up + plan.seconds
    tasks = [asyncio.create_task(_keep_calling(plan, requests, tape, callers, until)) for _ in range(plan.connections)]
    await asyncio.sleep(plan.warm_up)
    before, began, tape.running = machine.cpu(plan.session, plan.database), time.perf_counter(), True
    await asyncio.sleep(plan.seconds)
    tape.running, seconds, after = False, time.perf_counter() - began, machine.cpu(plan.session, plan.database)
    for caller in callers:
        caller.stopped = True
    await asyncio.wait_for(asyncio.gather(*tasks), 30)
    return _measured(tape, before, after, seconds)


def _requests(plan: Plan) -> list[bytes]:
    bodies = plan.bodies or [""]
    count = max(len(plan.tokens), len(plan.paths), len(bodies))
    return [
        _request(plan, plan.paths[i % len(plan.paths)], plan.tokens[i % len(plan.tokens)], bodies[i % len(bodies)])
        for i in range(count)
    ]


def _request(plan: Plan, path: str, token: str, text: str) -> bytes:
    body = text.encode()
    lines = [
        f"{'POST' if body else 'GET'} {path} HTTP/1.1",
        f"Host: {HOST}:{plan.port}",
        "Accept: application/json",
        *([f"Authorization: Bearer {token}"] if token else []),
        *(["Content-Type: application/json", f"Content-Length: {len(body)}"] if body else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _measured(tape: Tape, before: machine.Cpu, after: machine.Cpu, seconds: float) -> Measured:
    times = sorted(tape.times) or [0.0]
    server, own = after.server - before.server, after.self - before.self
    database = after.database - before.database
    return Measured(
        requests=len(tape.times),
        errors=tape.errors,
        error=tape.error,
        seconds=seconds,
        p50=times[len(times) // 2] * 1000,
        p99=times[min(int(len(times) * 0.99), len(times) - 1)] * 1000,
        server_cpu=server,
        database_cpu=database,
        foreign_cores=max(0.0, (after.busy - before.busy - server - database - own) / seconds),
        bytes=tape.bytes / max(len(tape.times), 1),
    )


def main() -> None:
    plan = Plan(**orjson.loads(sys.stdin.buffer.read()))
    measured = uvloop.run(run(plan))
    sys.stdout.buffer.write(orjson.dumps(asdict(measured)))


if __name__ == "__main__":
    main()
