"""The ASGI application below `/api/v1`: finds the endpoint, reads the body, hands over to a database thread."""

import asyncio
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from helpdesk_core.errors import (
    BadRequest,
    HelpdeskError,
    Invalid,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    Unavailable,
    UnsupportedMediaType,
)
from helpdesk_core.plugins import Hung
from helpdesk_core.schemas import Dialect
from helpdesk_core.settings import Settings
from helpdesk_core.web.answers import Answer
from helpdesk_core.web.errors import Overloaded
from helpdesk_core.web.lanes import Lanes
from helpdesk_core.web.paths import PathTree
from helpdesk_core.web.requests import MULTIPART, Incoming
from helpdesk_core.web.routing import Endpoint
from helpdesk_core.web.unit_of_work import UnitOfWork

MULTIPART_MARGIN = 65_536
"""Bytes that a form may have beside its file: boundaries, headers, other fields."""


SLOWEST_BYTES_PER_SECOND = 100_000
"""Whoever sends a large body more slowly than this is not waited for."""

MOMENT_SECONDS = 1.0
"""Whoever works with a page asks more than once within this time."""


class Api:
    """Serves every declared endpoint."""

    def __init__(
        self, endpoints: Iterable[Endpoint], unit_of_work: UnitOfWork, lanes: Lanes, settings: Settings
    ) -> None:
        """Build one tree of paths for each first segment."""
        self._unit_of_work = unit_of_work
        self._lanes = lanes
        self._settings = settings
        self._trees: dict[str, PathTree] = {}
        self._asked_at = -math.inf
        for endpoint in endpoints:
            patterns = {parameter.name: parameter.pattern for parameter in endpoint.parameters}
            for path in (endpoint.path, *endpoint.aliases):
                tree = self._trees.setdefault(path.split("/")[1], PathTree())
                tree.add(endpoint.method, path, patterns, endpoint)

    def is_busy(self) -> bool:
        """Tell whether somebody has asked for something a moment ago."""
        return time.monotonic() - self._asked_at < MOMENT_SECONDS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        self._asked_at = time.monotonic()
        incoming = self._incoming(scope)
        methods, values = self._find(incoming.path)
        endpoint = None
        try:
            endpoint = _by_method(methods, incoming.method)
            scope["template"] = endpoint.path
            answer = await self._run(endpoint, incoming, values, scope, receive)
        except HelpdeskError as error:
            near = endpoint or next(iter(methods.values()), None)
            document = near.document if near else None
            answer = await self._refuse(error, incoming, endpoint, document)
        scope["code"] = answer.code
        await send_answer(answer, send, head=incoming.method == "HEAD")

    def _find(self, path: str) -> tuple[Mapping[str, Endpoint], Mapping[str, str]]:
        tree = self._trees.get(path[1:].partition("/")[0])
        return tree.find(path) if tree is not None else ({}, {})

    async def _run(
        self, endpoint: Endpoint, incoming: Incoming, values: Mapping[str, str], scope: Scope, receive: Receive
    ) -> Answer:
        body, upload = b"", None
        lane = self._lanes.choose(endpoint, incoming.query)
        if self._lanes.are_full(lane):
            raise Overloaded
        if endpoint.writes:
            try:
                async with asyncio.timeout(self._settings.body_timeout_seconds) as deadline:
                    body, upload = await self._read(endpoint, incoming, scope, _patient(receive, deadline))
            except TimeoutError:
                raise BadRequest("The body took too long to arrive.") from None
        complete = Incoming(
            incoming.request_id,
            incoming.method,
            incoming.path,
            incoming.query,
            incoming.headers,
            body,
            incoming.base_url,
            incoming.address,
            values,
            upload,
        )
        try:
            return await lane.run(self._unit_of_work.run, endpoint, complete)
        except Hung:
            raise Unavailable("This took too long.") from None
        finally:
            if upload is not None:
                await upload.close()

    async def _refuse(
        self, error: HelpdeskError, incoming: Incoming, endpoint: Endpoint | None, document: Dialect | None
    ) -> Answer:
        if isinstance(error, Overloaded) or self._lanes.are_full(self._lanes.quick):
            return self._unit_of_work.turn_away(error, incoming, document)
        refuse = self._unit_of_work.refuse
        return await self._lanes.quick.run(refuse, error, incoming, endpoint, document)

    async def _read(
        self, endpoint: Endpoint, incoming: Incoming, scope: Scope, receive: Receive
    ) -> tuple[bytes, UploadFile | None]:
        if endpoint.upload is not None:
            return b"", await self._read_upload(incoming, scope, receive)
        limit = self._settings.max_body_bytes
        refusal = PayloadTooLarge(f"A body may have at most {limit} bytes.")
        return await Request(scope, _bounded(receive, limit, refusal)).body(), None

    async def _read_upload(self, incoming: Incoming, scope: Scope, receive: Receive) -> UploadFile | None:
        if incoming.media_type != MULTIPART:
            raise UnsupportedMediaType(f"Send {MULTIPART} with a part called file.")
        limit = self._settings.max_upload_bytes + MULTIPART_MARGIN
        refusal = PayloadTooLarge(f"A file may have at most {self._settings.max_upload_bytes} bytes.")
        length = incoming.headers.get("content-length", "0")
        if length.isdigit() and int(length) > limit:
            raise refusal
        request = Request(scope, _bounded(receive, limit, refusal))
        try:
            form = await request.form(max_files=1, max_fields=10)
        except (HTTPException, MultiPartException) as error:
            raise BadRequest(f"The form cannot be read: {getattr(error, 'detail', error)}") from None
        file = form.get("file")
        if not isinstance(file, UploadFile):
            await form.close()
            raise Invalid.field("file", "This field is required.")
        return file

    def _incoming(self, scope: Scope) -> Incoming:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        base = self._settings.public_url or f"{scope['scheme']}://{headers.get('host', 'localhost')}"
        client = scope.get("client")
        path = scope["path"].removeprefix(scope.get("root_path", "")) or "/"
        query = scope["query_string"].decode("latin-1")
        address = client[0] if client else ""
        return Incoming(scope["request_id"], scope["method"], path, query, headers, b"", base, address)


def _patient(receive: Receive, deadline: asyncio.Timeout) -> Receive:
    """Return `receive` for bodies that may take the longer the more of them has arrived."""

    async def extending() -> Message:
        message = await receive()
        more = len(message.get("body", b"")) / SLOWEST_BYTES_PER_SECOND
        deadline.reschedule((deadline.when() or 0) + more)
        return message

    return extending


def _bounded(receive: Receive, limit: int, refusal: PayloadTooLarge) -> Receive:
    """Return `receive` for bodies of at most `limit` bytes; it raises `refusal`, and reads no further, beyond that.

    A body that is sent in chunks announces no length, hence what arrives is counted.
    """
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:
            raise refusal
        return message

    return counted


def _by_method(methods: Mapping[str, Endpoint], method: str) -> Endpoint:
    if not methods:
        raise NotFound("There is nothing at this path.")
    endpoint = methods.get("GET" if method == "HEAD" else method)
    if endpoint is None:
        allowed = ", ".join(sorted({*methods, *(["HEAD"] if "GET" in methods else [])}))
        raise MethodNotAllowed(headers={"Allow": allowed})
    return endpoint


async def send_answer(answer: Answer, send: Send, *, head: bool) -> None:
    """Send `answer`; a download chunk by chunk."""
    headers = [
        (b"content-type", answer.media_type.encode()),
        (b"vary", b"Accept, Authorization, X-API-Key, Cookie"),
        *answer.raw,
        *((name.lower().encode(), value.encode("latin-1", "replace")) for name, value in answer.headers.items()),
    ]
    if isinstance(answer.body, bytes):
        if answer.status in {204, 304}:
            headers.pop(0)
        else:
            headers.append((b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if head else answer.body})
        return
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    loop = asyncio.get_running_loop()
    chunks: Iterator[Any] = iter(()) if head else answer.body
    while (chunk := await loop.run_in_executor(None, next, chunks, None)) is not None:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
