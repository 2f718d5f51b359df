"""The floor: the same answers with nothing in between: bare ASGI, the database's driver and orjson.

With `BENCHMARK_THREADS=0` everything runs in the event loop itself; with more, each thread has a connection of its own.
"""

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl

import orjson

from tests.benchmarks.floor import creating, postgresql, reading, sqlite
from tests.benchmarks.floor.tokens import user_of

TICKETS = "/api/v1/tickets/"
ADDRESS = os.environ["BENCHMARK_DATABASE"]
THREADS = int(os.environ.get("BENCHMARK_THREADS", "0"))
pool = ThreadPoolExecutor(THREADS) if THREADS else None
local = threading.local()


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer `GET` and `POST /api/v1/tickets/`, `GET` of one ticket, and the server's own questions."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    body = await _body(receive) if scope["method"] == "POST" else b""
    if pool is None:
        status, answer = _answer(scope, body)
    else:
        status, answer = await asyncio.get_running_loop().run_in_executor(pool, _answer, scope, body)
    await _send(send, status, answer)


def _answer(scope: Any, body: bytes) -> tuple[int, bytes]:
    store = _store()
    headers = dict(scope["headers"])
    user_id = user_of(headers.get(b"authorization", b"").removeprefix(b"Bearer "))
    user = None if user_id is None else store.user(user_id)
    if user is None:
        return 401, b"{}"
    if scope["method"] == "POST":
        return 201, orjson.dumps(creating.create(store, user, orjson.loads(body)))
    uuid = scope["path"].removeprefix(TICKETS).strip("/")
    if uuid:
        return 200, orjson.dumps(reading.detail(store, user, uuid))
    query = dict(parse_qsl(scope["query_string"].decode()))
    url = f"http://{headers[b'host'].decode()}{scope['path']}"
    return 200, orjson.dumps(reading.page(store, user, query, url))


def _store() -> Any:
    """Return the connection of this thread."""
    if not hasattr(local, "store"):
        local.store = (
            postgresql.Store(ADDRESS)
            if ADDRESS.startswith("postgresql")
            else sqlite.Store(ADDRESS.removeprefix("sqlite:///"))
        )
    return local.store


async def _live(receive: Any, send: Any) -> None:
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


async def _body(receive: Any) -> bytes:
    message = await receive()
    body: bytes = message["body"]
    while message["more_body"]:
        message = await receive()
        body += message["body"]
    return body


async def _send(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
