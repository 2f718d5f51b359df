"""The answer to those who come while the process is behind with its work, ready to be sent.

It is made once a second, and costs a request next to nothing: at three times the load that a process can serve, two
thirds of all requests get it, and whatever each costs is taken from the others.
"""

import math
import re
import time
from email.utils import formatdate

from helpdesk_core.clock import Clock
from helpdesk_core.errors import NotAcceptable
from helpdesk_core.schemas import Dialect
from helpdesk_core.web.answers import ON_EVERY_ANSWER, Form
from helpdesk_core.web.dialects import Wanted, choose, wanted_by
from helpdesk_core.web.errors import Overloaded, render
from helpdesk_core.web.requests import new_request_id

NO_ID = "req_000000000000000000"

_MATTERS = re.compile(
    rb"\r\n(?:accept:(?! \*/\*\r)|connection:(?! keep-alive\r)"
    rb"|content-length|expect|origin|transfer-encoding|upgrade|[ \t])"
)
"""What a refusal depends on: its form, whether scripts may read it, and what comes after the head."""


def is_plain(data: bytes) -> bool:
    """Tell whether `data` is one request to the API, whole and no more, whose refusal depends on nothing in it.

    That is what most clients send. To take it apart would be two thirds of what a refusal costs.
    """
    return (
        data.startswith(b"GET /api/v1/")
        and data.find(b"\r\n\r\n") == len(data) - 4
        and data.endswith(b" HTTP/1.1", 0, data.find(b"\r\n"))
        and data.count(b"\n") == data.count(b"\r\n")
        and _MATTERS.search(data.lower()) is None
    )


class Refusals:
    """Makes the bytes of a refusal."""

    def __init__(self, clock: Clock) -> None:
        """Prepare; `clock` is for the time in bodies."""
        self._clock = clock
        self._made: dict[Wanted, bytes] = {}
        self._around_the_id: list[bytes] = []
        self._made_at = -math.inf

    def plain(self) -> bytes:
        """Return the answer to a plain request on a connection that stays open."""
        self._forget_what_is_old()
        if not self._around_the_id:
            self._around_the_id = self._make(Wanted()).split(NO_ID.encode())
        return new_request_id().encode().join(self._around_the_id)

    def of(self, accept: str, *, close: bool, head: bool) -> bytes:
        """Return a whole response in the form that `accept` asks for; who asks is not looked up.

        Args:
            accept: the request's header.
            close: whether the connection ends with it.
            head: whether only the head of the response is asked for.
        """
        self._forget_what_is_old()
        try:
            wanted = wanted_by(accept)
        except NotAcceptable:
            wanted = Wanted()
        made = self._made.get(wanted)
        if made is None:
            made = self._made[wanted] = self._make(wanted)
        made = made.replace(NO_ID.encode(), new_request_id().encode())
        if close:
            made = made.replace(b"connection: keep-alive", b"connection: close")
        return made[: made.index(b"\r\n\r\n") + 4] if head else made

    def _forget_what_is_old(self) -> None:
        now = time.monotonic()
        if now - self._made_at >= 1:
            self._made, self._around_the_id, self._made_at = {}, [], now

    def _make(self, wanted: Wanted) -> bytes:
        form = Form(wanted.envelope, NO_ID, self._clock.now())
        answer = render(Overloaded(), choose(wanted, None, Dialect.COMPREHENSIVE), form)
        body = answer.body if isinstance(answer.body, bytes) else b""
        fields = (
            (b"date", formatdate(usegmt=True).encode()),
            (b"content-type", answer.media_type.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"keep-alive"),
            (b"x-request-id", NO_ID.encode()),
            *((name.lower().encode(), value.encode()) for name, value in answer.headers.items()),
            *ON_EVERY_ANSWER,
        )
        head = b"".join(name + b": " + value + b"\r\n" for name, value in fields)
        return b"HTTP/1.1 503 Service Unavailable\r\n" + head + b"\r\n" + body
