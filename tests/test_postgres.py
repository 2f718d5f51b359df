"""Connections to PostgreSQL that break, in use and while nobody uses them."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import (
    Integer,
    String,
    bindparam,
    column,
    create_engine,
    func,
    literal,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.exc import DBAPIError, NotSupportedError, OperationalError

from helpdesk_core import postgres
from helpdesk_core.database import Database, is_away
from helpdesk_core.postgres import PREPARE_AFTER, prepare_postgres
from helpdesk_core.statements import Prepared, rows_of_each
from helpdesk_core.tenancy import set_unscoped
from helpdesk_core.testing import Client, Installation
from tests.contract.steps import refused, served
from tests.databases import SERVER

pytestmark = pytest.mark.skipif(not SERVER, reason="needs HELPDESK_TEST_POSTGRES_URL")

OTHERS = text(
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


KEPT = text("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'helpdesk_%'")


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


class TestStatementsOfReadModels:
    """They run below the driver's cursor from the second time on."""

    @pytest.fixture
    def read(self, database: Database) -> Callable[..., list[tuple[Any, ...]]]:
        def run(statement: Prepared, **parameters: Any) -> list[tuple[Any, ...]]:
            with database.session(writes=False) as session:
                return statement.rows(session, parameters)

        return run

    def test_they_are_kept_by_the_server_across_requests(self, read: Any) -> None:
        again = Prepared(select(literal_column("1 AS comes_again")))
        kept = Prepared(text("SELECT name FROM pg_prepared_statements WHERE statement LIKE '%comes_again'"))
        assert [read(again) for _ in range(3)] == [[(1,)]] * 3
        assert read(kept) == [("helpdesk_1",)]

    def test_one_whose_plan_depends_on_its_values_is_not_kept(self, read: Any) -> None:
        word = Prepared(select(bindparam("word", type_=String).label("planned_anew")), planned_each_time=True)
        kept = Prepared(text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%planned_anew%'"))
        assert [read(word, word="a") for _ in range(PREPARE_AFTER + 3)] == [[("a",)]] * (PREPARE_AFTER + 3)
        assert read(kept) == [(0,)]

    def test_nor_is_it_when_it_runs_beside_others(self, database: Database) -> None:
        word = Prepared(select(bindparam("word", type_=String).label("beside_others")), planned_each_time=True)
        one = Prepared(select(literal_column("5 AS one")))
        with database.session(writes=False) as session:
            for _ in range(PREPARE_AFTER + 3):
                assert rows_of_each(session, [(word, {"word": "a"}), (one, {})]) == [[("a",)], [(5,)]]
            kept = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%beside_others%'"
            assert session.scalar(text(kept)) == 0

    def test_parameters_of_every_kind_arrive(self, read: Any) -> None:
        echo = Prepared(
            select(
                bindparam("number", type_=Integer), bindparam("word", type_=String), bindparam("nothing", type_=String)
            )
        )
        for number, word in ((1, "it's 100 %"), (40_000, "\u00fc"), (3_000_000, ""), (1, "x")):
            for _ in range(2):
                assert read(echo, number=number, word=word, nothing=None) == [(number, word, None)]

    def test_one_that_fails_disturbs_none_after_it(self, read: Any) -> None:
        divided = Prepared(select(literal(1) / bindparam("by", type_=Integer)))
        for _ in range(2):
            assert read(divided, by=1) == [(1,)]
            with pytest.raises(DBAPIError):
                read(divided, by=0)

    def test_rollbacks_leave_none_behind_on_the_server(self, installation: Installation) -> None:
        database = Database(installation.parts.settings.database, threads=1)
        again = Prepared(select(literal_column("3 AS comes_again")))
        for _ in range(4):
            with database.session(writes=True) as session:
                session.execute(text("SELECT 1"))
            with database.session(writes=False) as session:
                assert [again.rows(session, {}) for _ in range(2)] == [[(3,)]] * 2
        with database.session(writes=False) as session:
            assert session.scalar(KEPT) == 1
        database.dispose()

    @pytest.mark.parametrize("in_transactions", [False, True])  # as those that read are with row-level security
    def test_they_are_found_again_after_somebody_rolled_back(
        self, installation: Installation, *, in_transactions: bool
    ) -> None:
        database = Database(installation.parts.settings.database, threads=1, row_security=in_transactions)
        again = Prepared(select(literal_column("2 AS comes_again")))
        for _ in range(3):
            for _ in range(3):
                with database.session(writes=False) as session:
                    set_unscoped(session)
                    assert again.rows(session, {}) == [(2,)]
            with database.session(writes=True) as session:
                for _ in range(PREPARE_AFTER + 1):
                    session.execute(text("SELECT 3 AS of_a_writer"))
                session.rollback()
        database.dispose()

    def test_a_migration_that_changed_a_result_is_not_noticed(self, database: Database) -> None:
        with database.engine.begin() as connection:
            connection.execute(text("CREATE TABLE changed (name varchar(10))"))
        names = Prepared(select(column("name")).select_from(table("changed")))
        with database.session(writes=False) as session:
            for _ in range(3):
                assert names.rows(session, {}) == []
            other = create_engine(database.engine.url)
            with other.begin() as connection:
                connection.execute(text("ALTER TABLE changed ALTER name TYPE text"))
            other.dispose()
            assert names.rows(session, {}) == []

    def test_no_more_are_kept_than_there_is_room_for(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(postgres, "MOST_KEPT", 2)
        several = [Prepared(select(literal_column(f"{number} AS one_of_several"))) for number in range(4)]
        with database.session(writes=False) as session:
            for number, statement in enumerate(several):
                assert [statement.rows(session, {}) for _ in range(3)] == [[(number,)]] * 3
            assert session.scalar(KEPT) == 2

    def test_one_that_is_broken_off_takes_its_connection_with_it(
        self, read: Any, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        again = Prepared(select(literal_column("4 AS broken_off")))
        of_connection = Prepared(text("SELECT pg_backend_pid()"))
        for statements in ([again], [again, again]):
            assert [read(again) for _ in range(2)] == [[(4,)]] * 2
            ((number,),) = read(of_connection)
            with database.session(writes=False) as session, monkeypatch.context() as patched:
                session.connection()
                patched.setattr(psycopg.Connection, "wait", interrupted)
                with pytest.raises(KeyboardInterrupt):
                    rows_of_each(session, [(statement, {}) for statement in statements])
            assert [read(again) for _ in range(2)] == [[(4,)]] * 2
            assert read(of_connection) != [(number,)]


def interrupted(*_: Any) -> None:
    raise KeyboardInterrupt


class TestSeveralStatementsAtOnce:
    """They are sent before the first is answered, from the second time on."""

    @pytest.fixture
    def read(self, database: Database) -> Callable[..., list[list[tuple[Any, ...]]]]:
        def run(*asked: tuple[Prepared, dict[str, Any]]) -> list[list[tuple[Any, ...]]]:
            with database.session(writes=False) as session:
                return rows_of_each(session, asked)

        return run

    def test_each_gets_its_rows(self, read: Any) -> None:
        echo = Prepared(select(bindparam("number", type_=Integer)))
        none = Prepared(select(literal(1)).where(literal(1) == bindparam("number", type_=Integer)))
        for _ in range(3):
            found = read((echo, {"number": 5}), (none, {"number": 5}), (echo, {"number": 6}), (echo, {"number": None}))
            assert found == [[(5,)], [], [(6,)], [(None,)]]

    def test_they_take_one_round_trip(self, read: Any) -> None:
        slow, began = Prepared(text("SELECT pg_sleep(0.002)")), Prepared(text("SELECT CAST(now() AS text)"))
        for together in (False, True, True):
            before, _, after = read((began, {}), (slow, {}), (began, {}))
            assert (before == after) is together  # the transaction that the server makes around what comes at once

    def test_the_first_that_fails_is_what_is_told_and_those_after_it_are_served_next_time(self, read: Any) -> None:
        divided = Prepared(select(literal(1) / bindparam("by", type_=Integer)))
        root = Prepared(select(func.sqrt(bindparam("of", type_=Integer))))
        for _ in range(2):
            assert read((divided, {"by": 1}), (root, {"of": 4})) == [[(1,)], [(2.0,)]]
            with pytest.raises(DBAPIError, match="division by zero"):
                read((root, {"of": 4}), (divided, {"by": 0}), (root, {"of": -1}))

    def test_a_migration_that_changed_a_result_is_not_noticed(self, read: Any, database: Database) -> None:
        with database.engine.begin() as connection:
            connection.execute(text("CREATE TABLE altered (name varchar(10))"))
        one, names = Prepared(select(literal(1))), Prepared(select(column("name")).select_from(table("altered")))
        for _ in range(3):
            assert read((one, {}), (names, {})) == [[(1,)], []]
        other = create_engine(database.engine.url)
        with other.begin() as connection:
            connection.execute(text("ALTER TABLE altered ALTER name TYPE text"))
        other.dispose()
        assert read((one, {}), (names, {}), (one, {})) == [[(1,)], [], [(1,)]]

    def test_making_room_for_one_takes_none_of_the_others(
        self, installation: Installation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(postgres, "MOST_KEPT", 3)
        database = Database(installation.parts.settings.database, threads=1, row_security=True)  # in a transaction
        first, *others, last = [Prepared(select(literal_column(f"{number} AS room"))) for number in range(4)]
        with database.session(writes=False) as session:
            set_unscoped(session)
            last.rows(session, {})
            for statement in (first, *others):
                statement.rows(session, {})
                statement.rows(session, {})
            assert rows_of_each(session, [(first, {}), (last, {})]) == [[(0,)], [(3,)]]
        database.dispose()

    def test_those_of_a_session_that_writes_see_what_it_wrote(self, database: Database) -> None:
        number = Prepared(text("SELECT count(*) FROM written"))
        with database.session(writes=True) as session:
            session.execute(text("CREATE TABLE written (name text)"))
            for count in range(3):
                assert rows_of_each(session, [(number, {}), (number, {})]) == [[(count,)]] * 2
                session.execute(text("INSERT INTO written VALUES ('a')"))


@pytest.mark.parametrize("writes", [False, True])
def test_one_of_a_transaction_that_a_migration_changed_fails_once_as_if_the_database_was_away(
    installation: Installation, *, writes: bool
) -> None:
    database = Database(installation.parts.settings.database, threads=1, row_security=True)
    names = Prepared(select(column("name")).select_from(table("moved")))

    def read() -> list[tuple[Any, ...]]:
        with database.session(writes=writes) as session:
            set_unscoped(session)
            found = names.rows(session, {})
            session.commit()
            return found

    other = create_engine(database.engine.url)
    with other.begin() as connection:
        connection.execute(text("CREATE TABLE moved (name varchar(10))"))
    assert [read() for _ in range(PREPARE_AFTER + 2)] == [[]] * (PREPARE_AFTER + 2)
    with other.begin() as connection:
        connection.execute(text("ALTER TABLE moved ALTER name TYPE text"))
    other.dispose()
    with pytest.raises(DBAPIError) as caught:
        read()
    assert is_away(caught.value)
    assert read() == []
    database.dispose()


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
