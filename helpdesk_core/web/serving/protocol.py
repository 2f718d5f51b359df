"""Connections: uvicorn's protocol, with a deadline for the head of a request, refusals under load, and retirement.

An ASGI application never sees a request whose head does not end, hence no middleware can do the first; and what the
second costs decides how many others are answered.
"""

import asyncio
from typing import Any, ClassVar

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from helpdesk_core.web.serving.refusals import Refusals, is_plain
from helpdesk_core.web.serving.state import RETIREMENT_SECONDS, Serving

API = b"/api/v1/"
READING = frozenset({b"GET", b"HEAD", b"OPTIONS"})

_TOO_SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: 38\r\nconnection: close\r\n\r\nThe request took too long to arrive.\r\n"
)


class _Refused:
    """Stands where the answer to a request would be made, when it was refused."""

    response_started: ClassVar[bool] = True
    response_complete: ClassVar[bool] = True
    message_event: ClassVar[asyncio.Event] = asyncio.Event()


class Protocol(HttpToolsProtocol):
    """One connection."""

    # Python keeps up to thirty attributes of an object side by side, and uvicorn's come close. With ours among them,
    # each would be looked for in a table of its own; of a thousand connections, none of those would be in a cache.
    __slots__ = ("_deadline", "_in_head", "_in_message", "_is_a_socket", "_refusals", "_refused_at", "_serving")

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Prepare; the application has put `serving` and `refusals` into its state."""
        super().__init__(config, server_state, app_state, _loop)
        self._serving: Serving = app_state["serving"]
        self._refusals: Refusals = app_state["refusals"]
        self._deadline: asyncio.TimerHandle | None = None
        self._in_head = False
        self._in_message = False
        self._is_a_socket = False
        self._refused_at = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._serving.pressure.newcomers += 1
        self._expect_a_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        super().connection_lost(exc)
        self._forget_deadline()

    def data_received(self, data: bytes) -> None:
        """Read on. Whoever sends something must come to the end of a head, however slowly they do the rest."""
        if self._is_too_much_and_plain(data):
            self._refuse_plainly()
            return
        super().data_received(data)
        waits = self._deadline is None and self.timeout_keep_alive_task is None and not self._is_a_socket
        if waits and self._is_idle():  # while an answer is awaited, the next request may lie unread
            self._expect_a_head()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over."""
        self._is_a_socket = True
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._in_head = self._in_message = True

    def on_headers_complete(self) -> None:
        """Hand the request on, unless there are too many."""
        self._in_head = False
        self._forget_deadline()
        if self.url.startswith(API):
            writes = self.parser.get_method() not in READING
            if self._is_too_much(writes=writes):
                self._refuse()
                return
            self._serving.pressure.let_in(self.loop, writes=writes)
        super().on_headers_complete()
        if self._serving.retiring and self.cycle is not None:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """End a request; what comes next begins another."""
        self._in_message = False
        super().on_message_complete()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, unless its client was refused something since the timer was set.

        To set it anew with each refusal would be an eighth of what one costs.
        """
        rest = self._refused_at + self.timeout_keep_alive - self.loop.time()
        if rest > 0:
            self._keep_alive_for(rest)
        else:
            super().timeout_keep_alive_handler()

    def shutdown(self) -> None:
        """End the connection, at once if nobody has asked for anything.

        A client that knows of no restart may be sending at this very moment. While another process has taken over there
        is no hurry: the next answer tells the client that it is the last one.
        """
        if self._serving.retiring:
            self.config.timeout_graceful_shutdown = RETIREMENT_SECONDS  # the server looks at it next
            if self.cycle is not None and not self.cycle.response_started and not self.cycle.response_complete:
                self.cycle.keep_alive = False
            return
        super().shutdown()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _is_too_much_and_plain(self, data: bytes) -> bool:
        serving = self._serving
        return (
            not serving.pressure.lets_in(writes=False)
            and not (self._in_message or serving.retiring or self._is_a_socket)
            and self._is_idle()
            and is_plain(data)
        )

    def _refuse_plainly(self) -> None:
        self._forget_deadline()
        self._serving.pressure.refused += 1
        self.server_state.total_requests += 1
        self._refused_at = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._keep_alive_for(self.timeout_keep_alive)
        self.transport.write(self._refusals.plain())

    def _keep_alive_for(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _is_too_much(self, *, writes: bool) -> bool:
        return (
            not self._serving.pressure.lets_in(writes=writes)
            and self._can_be_refused_here()
            and not (self.parser.should_upgrade() and self._should_upgrade())
        )

    def _can_be_refused_here(self) -> bool:
        """Tell whether nothing else is being answered, and no script of another origin must be allowed to read it."""
        return self._is_idle() and not any(name == b"origin" for name, _ in self.headers)

    def _refuse(self) -> None:
        """Answer without asking the application. A body that follows is read over."""
        self._serving.pressure.refused += 1
        accept = next((value.decode("latin-1") for name, value in self.headers if name == b"accept"), "")
        close = self._serving.retiring or self.expect_100_continue or not self.parser.should_keep_alive()
        self.transport.write(self._refusals.of(accept, close=close, head=self.parser.get_method() == b"HEAD"))
        self.cycle = _Refused  # type: ignore[assignment] # all that is asked of it
        if close:
            self.transport.close()
        else:
            self.on_response_complete()

    def _expect_a_head(self) -> None:
        self._deadline = self.loop.call_later(self._serving.header_seconds, self._is_too_slow)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _is_too_slow(self) -> None:
        self._deadline = None
        if self.transport.is_closing():
            return
        if self._in_head and self._is_idle():
            self.transport.write(_TOO_SLOW)
        self.transport.close()
