"""Connections to PostgreSQL that break, in use and while nobody uses them."""

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import NotSupportedError, OperationalError

from helpdesk_core.database import Database, is_away
from helpdesk_core.postgres import PREPARE_AFTER, prepare_postgres
from helpdesk_core.testing import Client, Installation
from tests.contract.steps import refused, served
from tests.databases import SERVER

pytestmark = pytest.mark.skipif(not SERVER, reason="needs HELPDESK_TEST_POSTGRES_URL")

OTHERS = text(
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


def end_connections(database: Database) -> None:
    """Have the server end every connection to a database, as it does when it is stopped."""
    engine = create_engine(database.engine.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(OTHERS)
    engine.dispose()


@pytest.fixture
def database(installation: Installation) -> Iterator[Database]:
    made = Database(installation.parts.settings.database, threads=2)
    yield made
    made.dispose()


def test_a_request_whose_connection_breaks_is_answered_with_503_and_the_next_one_is_served(
    owner: Client, installation: Installation
) -> None:
    served(owner.get("/users/profile/"))
    end_connections(installation.parts.services.database)
    answer = owner.get("/users/profile/")
    assert refused(answer, 503)["error"]["code"] == "SERVICE_UNAVAILABLE"
    assert answer.headers["Retry-After"] == "1"
    served(owner.get("/users/profile/"))


def test_an_error_of_a_broken_connection_is_known_as_one(database: Database) -> None:
    with database.session(writes=False) as session:
        session.execute(text("SELECT 1"))
        end_connections(database)
        with pytest.raises(OperationalError) as caught:
            session.execute(text("SELECT 1"))
    assert is_away(caught.value)


def test_a_connection_that_broke_while_it_was_idle_is_replaced_before_anybody_uses_it(database: Database) -> None:
    engine = create_engine(database.engine.url)
    prepare_postgres(engine, idle_seconds=0)
    with engine.connect() as connection:
        first = connection.scalar(text("SELECT pg_backend_pid()"))
    end_connections(database)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) != first
    engine.dispose()


def test_one_that_was_used_a_moment_ago_is_not_looked_at(database: Database) -> None:
    engine = create_engine(database.engine.url)
    prepare_postgres(engine)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    asked: list[object] = []
    engine.dialect.do_ping = asked.append  # type: ignore[method-assign, assignment]
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    assert asked == []
    engine.dispose()


def test_what_only_reads_is_in_no_transaction_and_what_writes_is(database: Database) -> None:
    within = text("SELECT now() = statement_timestamp()")
    for writes in (False, True):
        with database.session(writes=writes) as session:
            session.execute(text("SELECT pg_sleep(0.002)"))
            assert session.scalar(within) is not writes


def test_statements_that_come_again_are_kept_by_the_server_across_requests(database: Database) -> None:
    kept = text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%comes_again%'")
    for _ in range(PREPARE_AFTER + 1):
        with database.session(writes=False) as session:
            session.execute(text("SELECT 1 AS comes_again"))
    with database.session(writes=False) as session:
        assert session.scalar(kept) == 1


def test_a_statement_whose_result_a_migration_changed_is_planned_anew(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE changing (name varchar(10))"))
    for _ in range(PREPARE_AFTER + 2):
        with database.session(writes=False) as session:
            session.execute(text("SELECT name FROM changing"))
    other = create_engine(database.engine.url)  # as a migration is; a connection that does it itself knows
    with other.begin() as connection:
        connection.execute(text("ALTER TABLE changing ALTER name TYPE text"))
    with database.session(writes=False) as session, pytest.raises(NotSupportedError) as caught:
        session.execute(text("SELECT name FROM changing"))
    assert is_away(caught.value)
    with database.session(writes=False) as session:
        assert session.execute(text("SELECT name FROM changing")).all() == []
    other.dispose()
