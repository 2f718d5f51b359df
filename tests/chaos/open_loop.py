"""A load generator whose clients do not wait for each other: so many requests a second, whatever becomes of them.

A process of its own: reads a plan as JSON from standard input, and writes what came of it as JSON. Sends to this
machine only, for a bounded time. Server and client share the machine, so it asks the system itself: with a transport
and a protocol for each connection, a request took the client as long as a refusal takes the server.
"""

import gc
import select
import socket
import subprocess
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from itertools import cycle

import orjson

from tests.replies import Reply

BURST = 32
"""Requests that are sent before answers are read again: a client without time must not blame the server for it."""

LAST_SECONDS = 15
"""How long the last answers have to come."""

PAUSE_SECONDS = 0.001
"""How long answers are waited for before it is looked at what is due."""

MOST_AT_ONCE = 262_144
"""Bytes that are read in one go; a list has some 25,000. They are read into one piece of memory for all: to get so much
anew for each answer took the system three times as long as a refusal's bytes do."""


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


class Caller:
    """One connection, which asks for one thing at a time.

    Attributes:
        socket: its own.
        asked_at: when it asked for what is not answered yet; 0 if nothing is.
        reply: what came so far.
    """

    def __init__(self, port: int) -> None:
        """Connect; the system does so at once, whether or not the server takes the connection already."""
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.asked_at = 0.0
        self.reply = Reply()

    def ask(self, text: bytes) -> None:
        self.reply.clear()
        self.asked_at = time.perf_counter()
        self.socket.send(text)  # some hundred bytes always fit


class Load:
    """Sends what is due, over connections that nobody uses."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._texts = cycle([text.encode() for text in plan.requests])
        self._idle: deque[Caller] = deque()
        self._callers: dict[int, Caller] = {}
        self._asking = 0
        self._poll = select.epoll()
        self._memory = memoryview(bytearray(MOST_AT_ONCE))
        self.outcome = Outcome()

    def run(self) -> None:
        plan, outcome = self._plan, self.outcome
        for _ in range(min(64, plan.connections)):
            self._open()
        began, sent, before, spent = time.perf_counter(), 0, 0.0, time.process_time()
        while (passed := time.perf_counter() - began) < plan.seconds:
            outcome.late, before = max(outcome.late, passed - before), passed
            due = min(int(passed * plan.rate) - sent, BURST)
            self._send(due)
            sent += due
            self._read()
        outcome.behind = int(plan.seconds * plan.rate) - sent
        until = time.perf_counter() + LAST_SECONDS
        while self._asking and time.perf_counter() < until:
            self._read()
        outcome.seconds = time.perf_counter() - began
        outcome.cpu = time.process_time() - spent
        outcome.lost += self._asking

    def _send(self, number: int) -> None:
        for _ in range(number):
            if not self._idle and len(self._callers) < self._plan.connections:
                self._open()
            if not self._idle:
                self.outcome.unsent += 1
                continue
            caller = self._idle.popleft()
            self._asking += 1
            try:
                caller.ask(next(self._texts))
            except OSError as error:
                self._lose(caller, error)

    def _open(self) -> None:
        try:
            caller = Caller(self._plan.port)
        except OSError as error:
            self.outcome.error = self.outcome.error or f"cannot connect: {error}"
            return
        self._callers[caller.socket.fileno()] = caller
        self._poll.register(caller.socket, select.EPOLLIN)
        self._idle.append(caller)

    def _read(self) -> None:
        for number, _ in self._poll.poll(PAUSE_SECONDS):
            caller = self._callers[number]
            try:
                size = caller.socket.recv_into(self._memory)
            except OSError as error:
                self._lose(caller, error)
                continue
            if not size:
                self._lose(caller)
            elif caller.reply.feed(bytes(self._memory[:size])):
                self._note(caller)

    def _note(self, caller: Caller) -> None:
        took = (time.perf_counter() - caller.asked_at) * 1000
        status = caller.reply.head[9:12].decode()
        self.outcome.milliseconds.setdefault(status, []).append(took)
        caller.asked_at = 0.0
        self._asking -= 1
        if caller.reply.closes:
            self._close(caller)
        else:
            self._idle.append(caller)

    def _lose(self, caller: Caller, error: OSError | None = None) -> None:
        if caller.asked_at:
            self.outcome.lost += 1
            self.outcome.error = self.outcome.error or f"connection lost: {error}"
            self._asking -= 1
        else:
            self._idle.remove(caller)
        self._close(caller)

    def _close(self, caller: Caller) -> None:
        del self._callers[caller.socket.fileno()]
        caller.socket.close()


def main() -> None:
    gc.disable()  # pauses of ours would be taken for those of the server
    load = Load(Plan(**orjson.loads(sys.stdin.buffer.read())))
    load.run()
    sys.stdout.buffer.write(orjson.dumps(asdict(load.outcome)))


if __name__ == "__main__":
    main()
