"""How soon after the commit of a ticket the frame about it is with every client of a socket."""

import asyncio
import time
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
from websockets.asyncio.client import ClientConnection, connect

from tests.benchmarks import data, databases, report, stopwatch
from tests.benchmarks.bodies import tickets
from tests.benchmarks.delivery import with_stopwatch
from tests.benchmarks.load import HOST
from tests.benchmarks.results import Results, Say
from tests.benchmarks.servers import TICKETS, Server, running
from tests.benchmarks.size import Size
from tests.benchmarks.stopwatch import Stopwatch, spread

PATIENCE = 30.0


def measure(kind: str, path: Path, size: Size, say: Say) -> Results:
    """Connect many clients of one organisation, and open tickets there one by one."""
    results = Results()
    logins = [login for login in data.logins(path) if login.organization == 1]
    with ExitStack() as stack:
        watch = stopwatch.install(Path(stack.enter_context(TemporaryDirectory())))
        url = stack.enter_context(databases.copied(kind, path, "sockets", analyzed=True))
        server = stack.enter_context(running(with_stopwatch(watch, "--no-jobs"), url))
        delays = asyncio.run(_delays(server, watch, logins, size))
    each, slowest = spread([one for ticket in delays for one in ticket]), spread([max(ticket) for ticket in delays])
    rows = [
        ("each frame", f"{each[0]:.1f}", f"{each[1]:.1f}"),
        (f"the last of {size.sockets}", f"{slowest[0]:.1f}", f"{slowest[1]:.1f}"),
    ]
    table = report.small_table(("commit to client", "p50, ms", "p99, ms"), rows)
    results.show(f"sockets_{kind.lower()}", table, say)
    return results


async def _delays(server: Server, watch: Stopwatch, logins: list[data.Login], size: Size) -> list[list[float]]:
    """Return, for each ticket, the seconds until each client heard of it."""
    found = []
    async with AsyncExitStack() as stack:
        tokens = server.kind.tokens([logins[place % len(logins)] for place in range(size.sockets)])
        clients = [await stack.enter_async_context(_connected(server, token)) for token in tokens]
        for client in clients:
            await client.recv()  # it is ready
        for body in tickets(size.told // 2):
            hearing = [asyncio.create_task(_heard(client)) for client in clients]
            began = time.time()
            await asyncio.to_thread(server.ask, TICKETS, tokens[0], orjson.loads(body))
            answered = time.time()
            moments = await asyncio.wait_for(asyncio.gather(*hearing), PATIENCE)
            commit = watch.commit_between(began, answered)
            found.append([moment - commit for moment in moments])
    return found


def _connected(server: Server, token: str) -> connect:
    address = f"ws://{HOST}:{server.port}/ws/notifications/"
    return connect(address, additional_headers={"Authorization": f"Bearer {token}"}, open_timeout=PATIENCE)


async def _heard(client: ClientConnection) -> float:
    """Return when the next frame about a new ticket came."""
    while True:
        frame = orjson.loads(await client.recv())
        if frame["type"] == "ping":
            await client.send('{"type": "pong"}')
        elif frame["type"] == "ticket.created":
            return time.time()
