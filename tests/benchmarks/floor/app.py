"""The floor: the same two answers with nothing in between, bare ASGI, sqlite3 and orjson, in the event loop itself."""

import os
from typing import Any
from urllib.parse import parse_qsl

import orjson

from tests.benchmarks.floor import creating, reading
from tests.benchmarks.floor.sqlite import connect
from tests.benchmarks.floor.tokens import user_of

connection = connect(os.environ["BENCHMARK_DATABASE"])
_USER = "SELECT id, organization_id, role, email, full_name FROM core_user WHERE id = ? AND is_active"


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer `GET` and `POST /api/v1/tickets/`, and the server's own questions."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    headers = dict(scope["headers"])
    user_id = user_of(headers.get(b"authorization", b"").removeprefix(b"Bearer "))
    user = connection.execute(_USER, (user_id,)).fetchone()
    if user is None:
        await _send(send, 401, b"{}")
    elif scope["method"] == "GET":
        query = dict(parse_qsl(scope["query_string"].decode()))
        host = headers[b"host"].decode()
        await _send(send, 200, orjson.dumps(reading.page(connection, user, query, f"http://{host}{scope['path']}")))
    else:
        body = orjson.loads(await _body(receive))
        await _send(send, 201, orjson.dumps(creating.create(connection, user, body)))


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
