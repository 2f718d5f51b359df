"""A load generator whose clients do not wait for each other: so many requests a second, whatever becomes of them.

A process of its own: reads a plan as JSON from standard input, and writes what came of it as JSON. Sends to this
machine only, for a bounded time.
"""

import asyncio
import gc
import os
import subprocess
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from itertools import cycle
from typing import Any

import orjson
import uvloop

from tests.replies import Reply

BURST = 32
"""Requests that are sent before answers are read again: a client without time must not blame the server for it."""

LAST_SECONDS = 15
"""How long the last answers have to come."""


@dataclass(frozen=True)
class Plan:
    """What to send.

    Attributes:
        port: of the server on this machine.
        rate: requests a second.
        seconds: for how long.
        connections: the most that are open at once.
        requests: whole HTTP requests as text, sent in turn.
    """

    port: int
    rate: float
    seconds: float
    connections: int
    requests: list[str]


@dataclass
class Outcome:
    """What came of it.

    Attributes:
        milliseconds: by status, how long each answer took to come; in the order in which they came.
        lost: requests that were sent and not answered.
        unsent: requests for which every connection was busy.
        behind: requests that the client itself had no time to send.
        late: the longest time, in seconds, that the client did not come to sending and reading.
        error: the first that was lost.
        seconds: from the first request to the last answer.
        cpu: seconds of processor time that the client itself took.
    """

    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    lost: int = 0
    unsent: int = 0
    behind: int = 0
    late: float = 0.0
    error: str = ""
    seconds: float = 0.0
    cpu: float = 0.0

    def answered(self, status: int) -> list[float]:
        return self.milliseconds.get(str(status), [])


def send(plan: Plan) -> Outcome:
    """Carry out a plan in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.open_loop"],
        input=orjson.dumps(asdict(plan)),
        stdout=subprocess.PIPE,
        check=True,
        timeout=plan.seconds + 60,
    )
    return Outcome(**orjson.loads(done.stdout))


def request(path: str, token: str, body: bytes = b"") -> str:
    """Return a whole request as text."""
    lines = [
        f"{'POST' if body else 'GET'} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {token}",
        *(["Content-Type: application/json", f"Content-Length: {len(body)}"] if body else []),
    ]
    return "\r\n".join([*lines, "", ""]) + body.decode()


class Caller(asyncio.Protocol):
    """One connection, which answers to one request at a time."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._outcome = load.outcome
        self._reply = Reply()
        self._sent_at = 0.0
        self.asked = False
        self.gone = False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def ask(self, text: bytes) -> None:
        self._reply.clear()
        self.asked, self._sent_at = True, time.perf_counter()
        self._transport.write(text)

    def data_received(self, data: bytes) -> None:
        if not self._reply.feed(data):
            return
        self.asked = False
        took = (time.perf_counter() - self._sent_at) * 1000
        self._outcome.milliseconds.setdefault(self._reply.head[9:12].decode(), []).append(took)
        if self._reply.closes:
            self.gone = True
            self._transport.close()
        else:
            self._load.idle.append(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.gone = True
        self._load.callers.discard(self)
        if self.asked:
            self._outcome.lost += 1
            self._outcome.error = self._outcome.error or f"connection lost: {error}"


class Load:
    """Sends what is due, over connections that nobody uses."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._texts = cycle([text.encode() for text in plan.requests])
        self.idle: deque[Caller] = deque()
        self.callers: set[Caller] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self.outcome = Outcome()

    async def run(self) -> None:
        plan, outcome = self._plan, self.outcome
        for _ in range(min(64, plan.connections)):
            self._open()
        await asyncio.gather(*self._opening)
        began, sent, before, spent = time.perf_counter(), 0, 0.0, time.process_time()
        while (passed := time.perf_counter() - began) < plan.seconds:
            outcome.late, before = max(outcome.late, passed - before), passed
            due = min(int(passed * plan.rate) - sent, BURST)
            self._send(due)
            sent += due
            await asyncio.sleep(0.001)
        outcome.behind = int(plan.seconds * plan.rate) - sent
        for _ in range(LAST_SECONDS * 100):
            if not any(caller.asked for caller in self.callers):
                break
            await asyncio.sleep(0.01)
        outcome.seconds = time.perf_counter() - began
        outcome.cpu = time.process_time() - spent
        outcome.lost += sum(caller.asked and not caller.gone for caller in self.callers)

    def _send(self, number: int) -> None:
        for _ in range(number):
            while self.idle and self.idle[0].gone:
                self.idle.popleft()
            if self.idle:
                self.idle.popleft().ask(next(self._texts))
                continue
            self.outcome.unsent += 1
            if len(self.callers) + len(self._opening) < self._plan.connections:
                self._open()

    def _open(self) -> None:
        task = asyncio.create_task(self._connect())
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, caller = await loop.create_connection(lambda: Caller(self), "127.0.0.1", self._plan.port)
        except OSError as error:
            self.outcome.error = self.outcome.error or f"cannot connect: {error}"
            return
        self.callers.add(caller)
        self.idle.append(caller)


async def run(plan: Plan) -> Outcome:
    """Carry out a plan."""
    load = Load(plan)
    await load.run()
    return load.outcome


def main() -> None:
    gc.disable()  # pauses of ours would be taken for those of the server
    outcome = uvloop.run(run(Plan(**orjson.loads(sys.stdin.buffer.read()))))
    os.set_blocking(sys.stdout.fileno(), True)  # what is longer than the pipe would be cut off
    sys.stdout.buffer.write(orjson.dumps(asdict(outcome)))


if __name__ == "__main__":
    main()
