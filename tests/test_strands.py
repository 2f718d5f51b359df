"""Connections give way while they wait, to whatever else runs in their thread."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from helpdesk_core.database import Database, is_away
from helpdesk_core.plugins import PluginHealth, Watchdog
from helpdesk_core.testing import Installation
from helpdesk_core.web.serving.interleaved import Interleaved
from helpdesk_core.web.serving.pressure import Pressure
from tests.databases import SERVER
from tests.test_postgres import OTHERS

pytestmark = pytest.mark.skipif(not SERVER, reason="needs HELPDESK_TEST_POSTGRES_URL")

SECONDS = 20
"""How long a test waits for what happens at once."""

LOCK = text("SELECT pg_advisory_lock(1)")
UNLOCK = text("SELECT pg_advisory_unlock(1)")
WAITING = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class Held:
    """An advisory lock that one strand holds until another waits for it."""

    def __init__(self) -> None:
        self._is_held = False

    def hold_until_wanted(self, session: Session) -> None:
        session.execute(LOCK)
        self._is_held = True
        while not session.scalar(WAITING):
            pass

    def want(self, session: Session) -> None:
        while not self._is_held:
            session.execute(WAITING)
        session.execute(LOCK)


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def database(installation: Installation) -> Iterator[Database]:
    made = Database(installation.parts.settings.database, threads=4)
    yield made
    made.dispose()


@pytest.fixture
def together(database: Database, installation: Installation) -> Callable[..., list[Any]]:
    """Run functions interleaved in this thread, and return what each returns or raises."""

    def run(*functions: Callable[[], Any]) -> list[Any]:
        async def all_of_them() -> list[Any]:
            assert database.strand is not None
            dog = Watchdog(installation.parts.services.get(PluginHealth))
            lane = Interleaved(database.strand, Pressure(1.0), dog)
            async with asyncio.timeout(SECONDS):
                found = await asyncio.gather(*map(lane.run, functions), return_exceptions=True)
            lane.close()
            return found

        return asyncio.run(all_of_them())

    return run


def test_who_waits_for_a_lock_lets_the_one_go_on_who_holds_it(
    database: Database, together: Callable[..., list[Any]], held: Held
) -> None:
    def hold() -> str:
        with database.session(writes=False) as session:
            held.hold_until_wanted(session)
            session.execute(UNLOCK)
            return "let go"

    def want() -> str:
        with database.session(writes=False) as session:
            held.want(session)
            session.execute(UNLOCK)
            return "had it"

    assert together(hold, want) == ["let go", "had it"]


def test_a_statement_that_does_not_fit_into_the_socket_is_sent_all_the_same(
    database: Database, together: Callable[..., list[Any]]
) -> None:
    long = "x" * 8_000_000

    def send() -> tuple[int, int]:
        with database.session(writes=False) as session:
            returned = session.execute(text("SELECT length(:text), CAST(:text AS text)"), {"text": long}).one()
            return returned[0], len(returned[1])

    assert together(send, send) == [(len(long), len(long))] * 2


def test_who_waits_hears_that_the_server_has_ended_the_connection(
    database: Database, together: Callable[..., list[Any]], held: Held
) -> None:
    def want() -> None:
        with database.session(writes=False) as session:
            held.want(session)

    def end() -> None:
        with database.session(writes=True) as session:
            held.hold_until_wanted(session)
            session.execute(OTHERS)

    raised, nothing = together(want, end)
    assert isinstance(raised, DBAPIError)
    assert is_away(raised)
    assert nothing is None


def test_the_first_of_all_connections_may_be_made_by_strands(
    database: Database, together: Callable[..., list[Any]]
) -> None:
    def ask() -> Any:
        with database.session(writes=False) as session:
            return session.scalar(text("SELECT 1"))

    assert together(ask, ask, ask) == [1, 1, 1]


def test_a_database_that_is_not_there_is_known_as_away(database: Database, together: Callable[..., list[Any]]) -> None:
    nowhere = Database(str(database.engine.url.set(port=1).render_as_string(hide_password=False)), threads=2)

    def ask() -> Any:
        with nowhere.session(writes=False) as session:
            return session.scalar(text("SELECT 1"))

    found = together(ask, ask)
    assert [is_away(each) for each in found] == [True, True]
    nowhere.dispose()
