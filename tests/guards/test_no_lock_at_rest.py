"""Nothing that answers a quick read holds a lock while it waits for PostgreSQL: whoever runs next in the same thread
might want it, and wait for ever."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from helpdesk_core.plugins import PluginHost, Watchdog
from helpdesk_core.strands import Strand
from helpdesk_core.testing import Client, Databases, Installation, running
from helpdesk_core.web.serving.interleaved import Interleaved
from helpdesk_core.web.serving.pressure import Pressure
from tests.databases import SERVER

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


@pytest.fixture
def found() -> list[str]:
    """What held a lock while it waited."""
    return []


@pytest.fixture
def watched(
    found: list[str],
    helpdesk_databases: Databases,
    helpdesk_host: PluginHost,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Installation]:
    """An installation all of whose locks tell who holds them; those of the driver belong to one connection each."""
    plainly = Strand.wait_for

    def wait_for(strand: Strand, awaited: Any) -> Any:
        if NotedLock.held and isinstance(awaited, tuple):
            found.append(f"waited with {len(NotedLock.held)} locks")
        return plainly(strand, awaited)

    monkeypatch.setattr(Strand, "wait_for", wait_for)
    monkeypatch.setattr(threading, "Lock", NotedLock)
    with running(helpdesk_databases, helpdesk_host, tmp_path) as made:
        monkeypatch.setattr(threading, "Lock", _make)
        yield made
    NotedLock.held.clear()


def test_no_quick_read_waits_with_a_lock(watched: Installation, found: list[str]) -> None:
    everyone = [watched.client(name) for name in ("owner", "member", "anonymous")]
    for endpoint in watched.parts.endpoints:
        if not endpoint.writes:
            _ask(everyone, endpoint.path)
            assert not found, f"{endpoint.path} {found[0]}"


def _ask(everyone: list[Client], path: str) -> None:
    for each in everyone:
        each.get(path.replace("{", "").replace("}", "") if "_id}" not in path else _with_numbers(path))


def _with_numbers(path: str) -> str:
    return "/".join("1" if part.startswith("{") else part for part in path.split("/"))


def test_one_that_does_is_found(watched: Installation, found: list[str]) -> None:
    database, lock = watched.parts.services.database, NotedLock()

    def ask() -> None:
        with lock, database.session(writes=False) as session:
            session.execute(text("SELECT 1"))

    async def play() -> None:
        lane = Interleaved(Strand, Pressure(1.0), watched.parts.services.get(Watchdog))
        await lane.run(ask)
        lane.close()

    asyncio.run(play())
    assert found
