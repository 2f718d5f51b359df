"""What surrounds every request: its id, its headers, its line in the log, and the answer to a crash.

Plain ASGI: Starlette's `BaseHTTPMiddleware` costs about 125 microseconds a request, this costs two.
"""

import logging
import socket
import time
from collections.abc import Callable, Collection
from fnmatch import fnmatchcase
from typing import Any, Protocol

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from helpdesk_core.clock import Clock
from helpdesk_core.errors import BadRequest
from helpdesk_core.schemas import Dialect
from helpdesk_core.web.answers import ON_EVERY_ANSWER, Form
from helpdesk_core.web.dispatch import send_answer
from helpdesk_core.web.errors import render, told
from helpdesk_core.web.requests import new_request_id

log = logging.getLogger("helpdesk.web")

SOCKET_BUFFER = 65_536
"""Bytes that may wait in the kernel for a client of a socket, which by itself would take megabytes."""


class Watcher(Protocol):
    """Is told of requests, by the event loop."""

    def began(self) -> None:
        """Hear that one has arrived."""

    def ended(self, scope: Scope, status: int, seconds: float) -> None:
        """Hear that one was answered, with status 0 if it was not."""


class Unwatched:
    """Is told, and does nothing."""

    def began(self) -> None:
        """Do nothing."""

    def ended(self, scope: Scope, status: int, seconds: float) -> None:
        """Do nothing."""


UNWATCHED = Unwatched()


class Frame:
    """The outermost layer."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        clock: Clock,
        hosts: Collection[str],
        log_requests: bool,
        watcher: Watcher = UNWATCHED,
    ) -> None:
        """Wrap `app`.

        Args:
            app: what answers.
            clock: for the time in error bodies.
            hosts: host names that are served; `*` allows any, `*.example.com` those below it.
            log_requests: whether every request gets a line in the log.
            watcher: told of every request.
        """
        self._app = app
        self._clock = clock
        self._hosts = () if "*" in hosts else tuple(hosts)
        self._log_requests = log_requests
        self._watcher = watcher

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve HTTP and WebSockets; pass anything else through."""
        if scope["type"] == "websocket":
            await self._serve_socket(scope, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope["request_id"] = new_request_id()
        started = time.perf_counter()
        status = 0
        self._watcher.began()

        async def framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                    *(header for header in ON_EVERY_ANSWER if header[0] not in given),
                ]
            await send(message)

        try:
            if self._hosts and not self._served(scope):
                raise BadRequest("This host name is not served here.")
            await self._app(scope, receive, framed)
        except ClientDisconnect:
            pass  # in the middle of a body: nobody is there to be answered
        except Exception as error:
            if status:
                raise  # too late for an answer; the server closes the connection
            await self._crashed(error, scope, framed)
        finally:
            self._watcher.ended(scope, status, time.perf_counter() - started)
            if self._log_requests:
                self._log(scope, request_id, status, started)

    async def _serve_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a WebSocket: the same hosts, an id, and a line in the log when it ends."""
        scope["request_id"] = new_request_id()
        scope["abort"] = _bounded(send)
        started, status = time.perf_counter(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "websocket.accept":
                status = 101
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", scope["request_id"].encode())]
            await send(message)

        try:
            if self._hosts and not self._served(scope):
                await receive()
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._app(scope, receive, noted)
        finally:
            if self._log_requests:
                self._log({**scope, "method": "GET"}, scope["request_id"], status or 403, started)

    def _served(self, scope: Scope) -> bool:
        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in self._hosts)

    async def _crashed(self, error: Exception, scope: Scope, send: Send) -> None:
        form = Form(envelope=False, request_id=scope["request_id"], now=self._clock.now())
        refusal = told(error, form.request_id, scope["path"])
        await send_answer(render(refusal, Dialect.COMPREHENSIVE, form), send, head=False)

    def _log(self, scope: Scope, request_id: str, status: int, started: float) -> None:
        milliseconds = round((time.perf_counter() - started) * 1000, 2)
        client = scope.get("client")
        log.info(
            "request",
            extra={
                "request_id": request_id,
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "ms": milliseconds,
                "address": client[0] if client else None,
                **scope.get("trace", {}),
            },
        )


def _bounded(send: Send) -> Callable[[], None]:
    """Bound what the kernel keeps for a client that does not read; return what cuts the client off.

    The protocol between server and application has no such message, and closing waits until everything is read.
    """
    transport: Any = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        return lambda: None
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
    abort: Callable[[], None] = transport.abort
    return abort
