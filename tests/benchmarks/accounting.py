"""What it costs to count requests: one list, asked of two assemblies in turn, with accounting and without.

With: limits that refuse, quotas, their header fields, and noting who was active. Without: none of these. Both run in
this process, below the server, on one database; only processor time is looked at.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from helpdesk_core.accounts.presence import Presence
from tests.benchmarks.data import FOLDER, Login
from tests.benchmarks.inside import Product
from tests.benchmarks.servers import HELPDESK

BATCH = 20
QUERY = b"status=open&page_size=20"
LARGE = 10**9


@dataclass(frozen=True)
class Cost:
    """Processor time of one list, in microseconds, and the median of the ratios of neighbouring batches."""

    counted: float
    uncounted: float
    ratio: float


def measure(path: Path, logins: list[Login], rounds: int) -> Cost:
    """Compare `rounds` pairs of batches; the two take turns in being first."""
    tokens = HELPDESK.tokens(logins[: BATCH * 5])
    large = {f"limit_{name}": LARGE for name in ("general", "anonymous", "uploads")}
    with ExitStack() as stack:
        counting, plain = (
            stack.enter_context(closing(Product(path, timed=False, **settings)))
            for settings in (
                {"limits": "enforce", "home": FOLDER / "accounting", **large},
                {"limits": "off"},
            )
        )
        loop = stack.enter_context(closing(asyncio.new_event_loop()))
        found: dict[bool, list[float]] = {True: [], False: []}
        for place in range(rounds + 5):
            batch = [tokens[(place * BATCH + each) % len(tokens)] for each in range(BATCH)]
            for counts in (True, False) if place % 2 else (False, True):
                spent = loop.run_until_complete(_spent(counting if counts else plain, batch, counts=counts))
                if place >= 5:
                    found[counts].append(spent)
    ratio = median(one / other for one, other in zip(found[True], found[False], strict=True))
    return Cost(median(found[True]), median(found[False]), ratio)


async def _spent(product: Product, tokens: list[str], *, counts: bool) -> float:
    """Return the microseconds of processor time that each request takes."""
    scopes = [_scope(token) for token in tokens]
    with _presence(noted=counts):
        began = time.process_time()
        for scope in scopes:
            await product.app(scope, _nothing, _checked)
        return (time.process_time() - began) / len(tokens) * 1e6


@contextmanager
def _presence(*, noted: bool) -> Iterator[None]:
    """Let nobody's activity be noted, if it is not to be."""
    note: Any = Presence.note_login
    if not noted:
        setattr(Presence, "note_login", lambda *_: None)  # noqa: B010 - for the length of the block
    try:
        yield
    finally:
        setattr(Presence, "note_login", note)  # noqa: B010


def _scope(token: str) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/api/v1/tickets/",
        "raw_path": b"/api/v1/tickets/",
        "root_path": "",
        "query_string": QUERY,
        "headers": [
            (b"host", b"127.0.0.1"),
            (b"accept", b"application/json"),
            (b"authorization", f"Bearer {token}".encode()),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }


async def _nothing() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _checked(message: Any) -> None:
    if message.get("status", 200) != 200:
        raise RuntimeError(f"answered with {message['status']}")
