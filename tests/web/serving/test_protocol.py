"""One connection: deadlines for its requests, refusals under load, and its end when the process is replaced."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from helpdesk_core.clock import SystemClock
from helpdesk_core.web.serving.backlog import Backlog
from helpdesk_core.web.serving.pressure import Pressure
from helpdesk_core.web.serving.protocol import Protocol
from helpdesk_core.web.serving.refusals import Refusals, is_plain
from helpdesk_core.web.serving.state import Serving

REQUEST = b"GET /api/v1/tickets/ HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /api/v1/tickets/ HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"
PATIENT = 60.0


class Transport:
    """What the protocol writes to."""

    def __init__(self) -> None:
        self.written = b""
        self.protocol: Any = None
        self.closed = asyncio.Event()
        self.answered = asyncio.Event()

    def write(self, data: bytes) -> None:
        self.written += data
        self.answered.set()

    def close(self) -> None:
        self.closed.set()

    def is_closing(self) -> bool:
        return self.closed.is_set()

    def get_extra_info(self, name: str) -> None:
        return None

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Connection:
    """A client's connection to an application that answers everything at once, without reading the body."""

    def __init__(self, header_seconds: float) -> None:
        self.serving = Serving(Pressure(1.0), header_seconds)
        self.asked: list[str] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        state = {"serving": self.serving, "refusals": Refusals(SystemClock())}
        config = Config(self._app, log_config=None, access_log=False, ws="none", interface="asgi3")
        config.load()
        self.protocol = Protocol(config, ServerState(), state)
        self.transport = Transport()
        self.protocol.connection_made(self.transport)  # type: ignore[arg-type] # what is needed of one

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(f"{scope['method']} {scope['path']}")
        await self.may_answer.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    def feel_pressure(self) -> None:
        self.backlog = self.serving.pressure.watch(Backlog([time.monotonic() - 100]))

    async def ask(self, data: bytes) -> bytes:
        """Send, and return what comes back."""
        self.transport.written = b""
        self.transport.answered.clear()
        self.protocol.data_received(data)
        async with asyncio.timeout(10):
            await self.transport.answered.wait()
        return self.transport.written

    async def until_closed(self) -> bytes:
        async with asyncio.timeout(10):
            await self.transport.closed.wait()
        return self.transport.written


def connected(scenario: Callable[[Connection], Awaitable[None]], header_seconds: float = PATIENT) -> None:
    """Play a scenario with a connection."""

    async def play() -> None:
        await scenario(Connection(header_seconds))

    asyncio.run(play())


def test_half_a_head_is_waited_for_a_while_and_no_longer() -> None:
    async def scenario(connection: Connection) -> None:
        connection.protocol.data_received(REQUEST[:-4])
        assert (await connection.until_closed()).startswith(b"HTTP/1.1 408 Request Timeout\r\n")

    connected(scenario, header_seconds=0.01)


@pytest.mark.parametrize("sent", [b"", b"\r\n"], ids=["nothing", "a line break"])
def test_whoever_sends_no_request_is_cut_off_without_a_word(sent: bytes) -> None:
    async def scenario(connection: Connection) -> None:
        if sent:
            connection.protocol.data_received(sent)
        assert await connection.until_closed() == b""

    connected(scenario, header_seconds=0.01)


def test_a_second_head_that_does_not_end_is_not_waited_for_either() -> None:
    async def scenario(connection: Connection) -> None:
        assert (await connection.ask(REQUEST)).startswith(b"HTTP/1.1 200")
        connection.transport.written = b""
        connection.protocol.data_received(REQUEST[:10])
        assert b" 408 " in await connection.until_closed()

    connected(scenario, header_seconds=0.05)


def test_whoever_has_begun_the_next_request_still_gets_the_answer_to_this_one() -> None:
    async def scenario(connection: Connection) -> None:
        connection.may_answer.clear()
        asyncio.get_running_loop().call_later(0.05, connection.may_answer.set)
        assert (await connection.ask(REQUEST + REQUEST[:10])).startswith(b"HTTP/1.1 200")
        assert not connection.transport.is_closing()

    connected(scenario, header_seconds=0.01)


def test_a_body_that_nobody_reads_any_more_ends_as_well() -> None:
    async def scenario(connection: Connection) -> None:
        await connection.ask(POST)
        while not connection.transport.is_closing():
            connection.protocol.data_received(b"")  # however much of it arrives
            await asyncio.sleep(0)

    connected(scenario, header_seconds=0.01)


class Socket:
    """Stands for the protocol of sockets."""

    def __init__(self, **_: Any) -> None: ...

    def connection_made(self, _: Any) -> None: ...

    def data_received(self, _: bytes) -> None: ...


@pytest.mark.parametrize("under_pressure", [False, True])
def test_a_socket_that_was_opened_stays_open(*, under_pressure: bool) -> None:
    async def scenario(connection: Connection) -> None:
        if under_pressure:
            connection.feel_pressure()
        connection.protocol.ws_protocol_class = Socket  # type: ignore[assignment]
        upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        connection.protocol.data_received(REQUEST[:-2] + upgrade)
        assert isinstance(connection.transport.protocol, Socket)
        assert connection.protocol._deadline is None

    connected(scenario)


def test_under_pressure_requests_are_refused_in_the_documented_form_and_served_again_later() -> None:
    async def scenario(connection: Connection) -> None:
        connection.feel_pressure()
        head, _, body = (await connection.ask(REQUEST)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        assert (fields[b"retry-after"], fields[b"x-api-version"]) == (b"1", b"v1")
        assert int(fields[b"content-length"]) == len(body)
        error = orjson.loads(body)["error"]
        assert error["code"] == "OVERLOADED"
        assert error["request_id"].encode() == fields[b"x-request-id"] != b"req_000000000000000000"
        assert (connection.asked, connection.serving.pressure.refused) == ([], 1)
        connection.backlog.leave(time.monotonic())
        assert (await connection.ask(REQUEST)).startswith(b"HTTP/1.1 200")

    connected(scenario)


def test_whoever_is_let_in_counts_for_those_who_come_with_the_same_look_at_the_sockets() -> None:
    async def scenario(connection: Connection) -> None:
        pressure, now = connection.serving.pressure, time.monotonic()
        pressure.watch(Backlog([now - 0.9, now - 0.5]), writes=False).leave(now)  # there is room for one more
        connection.protocol.data_received(REQUEST)
        assert not pressure.lets_in(writes=False)
        assert b" 200 " in await connection.ask(b"")
        assert pressure.lets_in(writes=False)

    connected(scenario)


def test_the_body_of_a_refused_request_is_read_over() -> None:
    async def scenario(connection: Connection) -> None:
        connection.feel_pressure()
        assert b" 503 " in await connection.ask(POST)
        connection.backlog.leave(time.monotonic())
        assert (await connection.ask(b"abcd" + REQUEST)).startswith(b"HTTP/1.1 200")
        assert connection.asked == ["GET /api/v1/tickets/"]

    connected(scenario)


def test_a_body_that_looks_like_a_request_is_none() -> None:
    async def scenario(connection: Connection) -> None:
        connection.feel_pressure()
        assert b" 503 " in await connection.ask(POST.replace(b"Length: 4", b"Length: %d" % len(REQUEST)))
        connection.transport.written = b""
        connection.protocol.data_received(REQUEST)
        assert connection.transport.written == b""
        assert b" 503 " in await connection.ask(REQUEST)

    connected(scenario)


def test_a_request_in_two_pieces_is_refused_once() -> None:
    async def scenario(connection: Connection) -> None:
        connection.feel_pressure()
        connection.protocol.data_received(REQUEST[:20])
        assert (await connection.ask(REQUEST[20:])).count(b" 503 ") == 1

    connected(scenario)


def test_a_request_that_is_not_taken_apart_gets_the_same_refusal() -> None:
    async def scenario(connection: Connection) -> None:
        connection.feel_pressure()
        assert not is_plain(b"\r\n" + REQUEST)
        answers = [await connection.ask(each) for each in (REQUEST, b"\r\n" + REQUEST)]
        plain, thorough = (re.sub(rb"req_\d{18}|\d\d:\d\d:\d\d", b"", answer) for answer in answers)
        assert plain == thorough
        assert connection.serving.pressure.refused == 2

    connected(scenario)


@pytest.mark.parametrize(
    "line",
    [
        b"Accept: */*",
        b"accept-encoding: gzip",
        b"Connection: keep-alive",
        b"Authorization: Bearer x",
        b"X-Original-Upgrade: 1",
    ],
)
def test_what_most_clients_send_is_plain(line: bytes) -> None:
    assert is_plain(REQUEST[:-2] + line + b"\r\n\r\n")


@pytest.mark.parametrize(
    "line",
    [
        b"Accept: text/html",
        b"Connection: close",
        b"CONTENT-LENGTH: 4",
        b"Content-Length : 4",
        b"Transfer-Encoding: chunked",
        b"Expect: 100-continue",
        b"Origin: https://app.example.com",
        b"Upgrade: websocket",
        b" folded: into the line before",
        b"A: b\nContent-Length: 4",
    ],
)
def test_what_decides_about_a_refusal_or_about_what_follows_is_not_plain(line: bytes) -> None:
    assert not is_plain(REQUEST[:-2] + line + b"\r\n\r\n")


@pytest.mark.parametrize(
    "data",
    [b"", REQUEST[:-1], REQUEST + REQUEST, REQUEST.replace(b"1.1", b"1.0"), REQUEST.replace(b"GET", b"HEAD"), POST],
    ids=["nothing", "a part", "two", "1.0", "HEAD", "POST"],
)
def test_what_is_not_one_whole_question_is_not_plain(data: bytes) -> None:
    assert not is_plain(data)


def test_whoever_was_refused_keeps_the_connection_for_as_long_as_anybody_who_is_idle() -> None:
    async def scenario(connection: Connection) -> None:
        connection.feel_pressure()
        await connection.ask(REQUEST)
        await connection.ask(REQUEST)
        connection.protocol.timeout_keep_alive_handler()  # of the first one
        assert not connection.transport.is_closing()
        connection.protocol.timeout_keep_alive = 0
        connection.protocol.timeout_keep_alive_handler()
        assert connection.transport.is_closing()

    connected(scenario)


def test_a_connection_on_which_all_was_refused_is_closed_in_the_end() -> None:
    async def scenario(connection: Connection) -> None:
        connection.protocol.timeout_keep_alive = 0.02  # type: ignore[assignment] # uvicorn has whole seconds
        connection.feel_pressure()
        await connection.ask(REQUEST)
        await connection.until_closed()

    connected(scenario)


def test_a_refusal_speaks_the_document_that_is_asked_for() -> None:
    async def scenario(connection: Connection) -> None:
        connection.feel_pressure()
        wanted = b"Accept: application/vnd.helpdesk.classic.v1+json\r\n\r\n"
        _, _, body = (await connection.ask(REQUEST[:-2] + wanted)).partition(b"\r\n\r\n")
        assert orjson.loads(body)["error"].startswith("There are more requests")

    connected(scenario)


def test_a_refusal_of_a_head_has_no_body() -> None:
    async def scenario(connection: Connection) -> None:
        connection.feel_pressure()
        assert (await connection.ask(REQUEST.replace(b"GET", b"HEAD"))).endswith(b"\r\n\r\n")

    connected(scenario)


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /help/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /api/v1/tickets/ HTTP/1.1\r\nHost: a\r\nOrigin: https://app.example.com\r\n\r\n",
    ],
    ids=["a page", "health", "a script of another origin, which the application has to allow"],
)
def test_what_needs_more_than_a_ready_answer_reaches_the_application(request_: bytes) -> None:
    async def scenario(connection: Connection) -> None:
        connection.feel_pressure()
        assert (await connection.ask(request_)).startswith(b"HTTP/1.1 200")

    connected(scenario)


@pytest.mark.parametrize(
    "request_", [REQUEST.replace(b"1.1", b"1.0"), POST[:-2] + b"Expect: 100-continue\r\n\r\n"], ids=["1.0", "expecting"]
)
def test_a_refusal_is_the_last_answer_where_the_next_request_could_not_be_told_apart(request_: bytes) -> None:
    async def scenario(connection: Connection) -> None:
        connection.feel_pressure()
        assert b"connection: close" in await connection.ask(request_)
        assert connection.transport.is_closing()

    connected(scenario)


def test_a_process_that_was_replaced_answers_once_more_and_says_that_this_was_all() -> None:
    async def scenario(connection: Connection) -> None:
        await connection.ask(REQUEST)
        connection.serving.retiring = True
        connection.protocol.shutdown()
        assert not connection.transport.is_closing()
        answer = await connection.ask(REQUEST)
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"connection: close" in answer
        assert connection.transport.is_closing()

    connected(scenario)


def test_a_process_that_was_replaced_under_pressure_waits_for_those_it_has_refused() -> None:
    async def scenario(connection: Connection) -> None:
        connection.feel_pressure()
        await connection.ask(REQUEST)
        connection.serving.retiring = True
        connection.protocol.shutdown()
        assert not connection.transport.is_closing()
        assert b"connection: close" in await connection.ask(REQUEST)

    connected(scenario)


def test_a_process_that_is_stopped_closes_what_is_idle() -> None:
    async def scenario(connection: Connection) -> None:
        await connection.ask(REQUEST)
        connection.protocol.shutdown()
        assert connection.transport.is_closing()

    connected(scenario)
