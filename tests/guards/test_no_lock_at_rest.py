"""Nothing that answers a quick read holds a lock while it waits for PostgreSQL: whoever runs next in the same thread
might want it, and wait for ever."""

import asyncio
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from helpdesk_core.plugins import PluginHost, Watchdog
from helpdesk_core.strands import Strand
from helpdesk_core.testing import Databases, Installation, running
from helpdesk_core.web.serving.interleaved import Interleaved
from helpdesk_core.web.serving.pressure import Pressure
from tests.databases import SERVER
from tests.guards.test_role_matrix import path_of
from tests.guards.world import request

pytestmark = pytest.mark.skipif(not SERVER, reason="needs HELPDESK_TEST_POSTGRES_URL")

_make = threading.Lock


class NotedLock:
    """A lock that tells who holds it."""

    held: set["NotedLock"] = set()  # noqa: RUF012 - of the whole process, as threads are

    def __init__(self) -> None:
        self._lock = _make()

    def acquire(self, *arguments: Any, **options: Any) -> bool:
        taken = self._lock.acquire(*arguments, **options)
        if taken:
            self.held.add(self)
        return taken

    def release(self) -> None:
        self.held.discard(self)
        self._lock.release()

    def locked(self) -> bool:
        return self._lock.locked()

    __enter__ = acquire

    def __exit__(self, *_: object) -> None:
        self.release()


class Waits:
    """How often a strand has waited for the database, and how often with a lock."""

    def __init__(self) -> None:
        self.all = 0
        self.with_a_lock = 0


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    counted, plainly = Waits(), Strand.wait_for

    def wait_for(strand: Strand, awaited: Any) -> Any:
        counted.all += 1
        counted.with_a_lock += bool(NotedLock.held)
        return plainly(strand, awaited)

    monkeypatch.setattr(Strand, "wait_for", wait_for)
    return counted


@pytest.fixture
def watched(
    helpdesk_databases: Databases, helpdesk_host: PluginHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    """An installation whose locks are noted, whichever way a module has imported them.

    The driver makes its own as connections are opened, one for each connection, which one strand uses at a time.
    """
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(threading, "Lock", NotedLock)
        for module in [each for name, each in sys.modules.items() if name.startswith("helpdesk_")]:
            for name, value in [*vars(module).items()]:
                if value is _make:
                    meanwhile.setattr(module, name, NotedLock)
        started = ExitStack()
        made = started.enter_context(running(helpdesk_databases, helpdesk_host, tmp_path))
    with started:
        yield made
    NotedLock.held.clear()


def test_no_quick_read_waits_with_a_lock(watched: Installation, waits: Waits) -> None:
    outsider, owner = watched.client("outsider"), watched.client("owner")
    quick = [each for each in watched.parts.endpoints if not each.writes and not each.slow]
    answered = 0
    for endpoint in quick:
        path = path_of(watched, "owner", endpoint)
        before = waits.all
        answered += [request(each, endpoint, path).status_code for each in (outsider, owner)].count(200)
        assert waits.all > before, f"{endpoint.path} does not run where this looks"
        assert not waits.with_a_lock, f"{endpoint.path} waits for the database with a lock"
    assert answered > len(quick)


def test_one_that_does_is_found(watched: Installation, waits: Waits) -> None:
    database, lock = watched.parts.services.database, NotedLock()

    def ask() -> None:
        with lock, database.session(writes=False) as session:
            session.execute(text("SELECT 1"))

    async def play() -> None:
        lane = Interleaved(Strand, Pressure(1.0), watched.parts.services.get(Watchdog))
        await lane.run(ask)
        lane.close()

    asyncio.run(play())
    assert waits.with_a_lock
