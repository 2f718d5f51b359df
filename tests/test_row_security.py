"""Row-level security holds where the first wall has fallen; on PostgreSQL alone."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import JSON, Connection, Table, create_engine, event, inspect, make_url, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from helpdesk_core.accounts.models import User
from helpdesk_core.database import Database, Ranked, UtcDateTime
from helpdesk_core.plugins import PluginHost
from helpdesk_core.row_security import SETTING, align, differing, scoped_tables, see_everyone
from helpdesk_core.statements import _Compiled
from helpdesk_core.tenancy import TenantScoped, begin_identifying, reaching, set_organization, set_unscoped
from helpdesk_core.testing import Databases, Installation, running
from tests.databases import NOW, SERVER

pytestmark = pytest.mark.skipif(not SERVER, reason="row-level security is PostgreSQL's")

OURS, FOREIGN = 901, 902
WAYS = {"read by the ORM", "read as text", "changed by the ORM", "changed as text", "added", "removed"}
COUNT = text("SELECT count(*) FROM core_user")
ORGANIZATION = text("SELECT organization_id FROM core_user")


@pytest.fixture(scope="module")
def databases(
    request: pytest.FixtureRequest, helpdesk_host: PluginHost, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Databases]:
    worker = getattr(request.config, "workerinput", {}).get("workerid", "alone")
    made = Databases(tmp_path_factory.mktemp("walled"), helpdesk_host, f"{worker}_rows", row_security=True)
    yield made
    made.drop()


@pytest.fixture(scope="module")
def url(databases: Databases) -> str:
    """A database with a row of either organisation in each table."""
    url = databases.copy("full")
    superuser = create_engine(make_url(SERVER).set(database=make_url(url).database))
    with superuser.begin() as connection:
        connection.exec_driver_sql("SET session_replication_role = replica")  # without references, and without triggers
        for table in sorted({model.__table__ for model in models(connection)}, key=lambda table: table.name):
            for organization_id in (OURS, FOREIGN):
                connection.execute(table.insert().values(row(table, organization_id)))
    superuser.dispose()
    return url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    with opened(url, row_security=True) as database:
        yield database


@contextmanager
def opened(url: str, *, row_security: bool) -> Iterator[Database]:
    database = Database(url, threads=2, row_security=row_security)
    yield database
    database.dispose()


def models(connection: Connection) -> list[type[Any]]:
    """What an organisation may own here; other tests of the same process declare tables that no database has."""
    there = set(inspect(connection).get_table_names())
    return [model for model in below(TenantScoped) if hasattr(model, "__table__") and model.__table__.name in there]


def below(above: type[Any]) -> Iterator[type[Any]]:
    for model in above.__subclasses__():
        yield model
        yield from below(model)


def all_reached(database: Database) -> dict[str, set[str]]:
    with database.engine.connect() as connection:
        there = models(connection)
    return {model.__table__.name: reached(database, model) for model in there}


def row(table: Table, organization_id: int) -> dict[str, Any]:
    """Something for each column that takes no less."""
    needed = [column for column in table.columns if not column.nullable and column.server_default is None]
    return {column.name: value(column.type, organization_id) for column in needed if column.computed is None}


def value(kind: Any, organization_id: int) -> Any:
    if isinstance(kind, Ranked):
        return kind.words[0]
    if isinstance(kind, JSON):
        return []
    if isinstance(kind, UtcDateTime):
        return NOW
    made = {int: organization_id, str: str(organization_id), bytes: b"x", bool: True, UUID: UUID(int=organization_id)}
    return made[kind.python_type]


def reached(database: Database, model: type[Any]) -> set[str]:
    """How a session of ours, without the first wall, gets at what is foreign."""
    name, theirs = model.__table__.name, model.organization_id == FOREIGN
    found = set()
    with database.session(writes=False) as session:
        set_organization(session, OURS)
        if FOREIGN in session.scalars(select(model.organization_id)).all():
            found.add("read by the ORM")
        if FOREIGN in session.scalars(text(f"SELECT organization_id FROM {name}")).all():
            found.add("read as text")
    same = update(model).where(theirs).values(organization_id=model.organization_id)
    acts: dict[str, Any] = {
        "changed by the ORM": same.execution_options(synchronize_session=False),
        "changed as text": text(
            f"UPDATE {name} SET organization_id = organization_id WHERE organization_id = {FOREIGN}"
        ),
        "removed": text(f"DELETE FROM {name} WHERE organization_id = {FOREIGN}"),
        "added": model.__table__.insert().values(row(model.__table__, FOREIGN)),
    }
    return found | {way for way, act in acts.items() if comes_through(database, act)}


def comes_through(database: Database, act: Any) -> bool:
    """Tell whether rows were met; a key that is taken, or refers to nothing, is met behind the wall."""
    with database.session(writes=True) as session:
        set_organization(session, OURS)
        try:
            return bool(session.connection().execute(act).rowcount)
        except DBAPIError as error:
            return not isinstance(error.orig, InsufficientPrivilege)


@pytest.fixture
def first_wall_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpdesk_core.database.guard_tenancy", lambda _: None)


@pytest.mark.usefixtures("first_wall_down")
def test_nothing_foreign_is_seen_or_changed_when_the_first_wall_is_down(url: str) -> None:
    with opened(url, row_security=True) as database:
        found = all_reached(database)
    assert found
    assert found.keys() <= scoped_tables()
    assert {name: ways for name, ways in found.items() if ways} == {}


@pytest.mark.usefixtures("first_wall_down")
def test_everything_foreign_is_seen_and_changed_when_both_are_down(url: str) -> None:
    superuser = make_url(SERVER).set(database=make_url(url).database).render_as_string(hide_password=False)
    with opened(superuser, row_security=False) as database:
        found = all_reached(database)
    assert {name: WAYS - ways for name, ways in found.items() if WAYS - ways} == {}


def people(session: Session) -> int:
    """How many the database shows to a statement that names no organisation."""
    return int(session.connection().execute(COUNT).scalar_one())


def _execute(session: Session) -> None:
    session.connection().exec_driver_sql("SELECT 1 / 0")


def _flush(session: Session) -> None:
    session.add(User(organization_id=OURS))  # which is out of reach
    session.flush()


Fail = Callable[[Session], None]
FAILURES = [(_execute, "division by zero"), (_flush, "row-level security policy")]


class TestASession:
    def test_without_an_organisation_sees_nothing(self, database: Database) -> None:
        with database.session(writes=False) as session:
            assert people(session) == 0

    def test_sees_its_own_and_still_does_in_its_next_transaction(self, database: Database) -> None:
        with database.session(writes=True) as session:
            set_organization(session, OURS)
            for _ in range(2):
                assert people(session) == 1
                session.commit()

    def test_may_learn_in_the_middle_of_a_transaction_whose_it_is(self, database: Database) -> None:
        with database.session(writes=True) as session:
            assert people(session) == 0
            set_organization(session, OURS)
            assert people(session) == 1

    def test_sees_everybody_when_it_is_unscoped(self, database: Database) -> None:
        with database.session(writes=False) as session:
            set_unscoped(session)
            assert people(session) > 2

    def test_sees_everybody_until_it_is_known_whose_it_is(self, database: Database) -> None:
        with database.session(writes=False) as session:
            begin_identifying(session)
            assert people(session) > 2
            set_organization(session, OURS)
            assert people(session) == 1

    def test_reaches_another_organisation_for_the_length_of_a_block(self, database: Database) -> None:
        with database.session(writes=True) as session:
            set_organization(session, OURS)
            with reaching(session, FOREIGN):
                assert session.connection().scalar(ORGANIZATION) == FOREIGN
            assert session.connection().scalar(ORGANIZATION) == OURS

    @pytest.mark.parametrize(("fail", "told"), FAILURES)
    def test_tells_what_has_failed_while_it_reached(self, database: Database, fail: Fail, told: str) -> None:
        with database.session(writes=True) as session:
            set_organization(session, OURS)
            with pytest.raises(DBAPIError, match=told), reaching(session, FOREIGN):
                fail(session)
            session.rollback()
            assert session.connection().scalar(ORGANIZATION) == OURS

    @pytest.mark.parametrize(("fail", "told"), FAILURES)
    @pytest.mark.parametrize("begun", [True, False])
    def test_can_reach_again_after_a_savepoint_in_which_it_has_failed_to(
        self, database: Database, fail: Fail, told: str, *, begun: bool
    ) -> None:
        with database.session(writes=True) as session:
            set_organization(session, OURS)
            assert not begun or people(session) == 1
            savepoint = session.begin_nested()
            with pytest.raises(DBAPIError, match=told), reaching(session, FOREIGN):
                fail(session)
            savepoint.rollback()
            assert session.connection().scalar(ORGANIZATION) == OURS
            with reaching(session, FOREIGN):
                assert session.connection().scalar(ORGANIZATION) == FOREIGN

    def test_keeps_its_organisation_when_the_savepoint_is_undone_in_which_it_got_it(self, database: Database) -> None:
        with database.session(writes=True) as session:
            assert people(session) == 0
            savepoint = session.begin_nested()
            set_organization(session, OURS)
            savepoint.rollback()
            assert people(session) == 1

    def test_may_be_a_snapshot(self, database: Database) -> None:
        with database.session(writes=True, snapshot=True) as session:
            set_organization(session, OURS)
            assert people(session) == 1
            assert session.scalar(text("SHOW transaction_isolation")) == "repeatable read"

    def test_leaves_nothing_behind_on_its_connection(self, database: Database) -> None:
        with database.session(writes=False) as session:
            set_unscoped(session)
            assert people(session) > 2
        with database.engine.connect() as connection:
            assert connection.execute(COUNT).scalar() == 0
            see_everyone(connection)
            assert connection.execute(COUNT).scalar_one() > 2

    def test_costs_no_round_trip_when_its_organisation_is_known_before(self, database: Database) -> None:
        assert told(database, known=True) == [f"BEGIN; SET LOCAL {SETTING} = '{OURS}'"]

    def test_costs_one_when_it_is_found_out(self, database: Database) -> None:
        assert told(database, known=False) == [f"BEGIN; SET LOCAL {SETTING} = '*'", f"SET LOCAL {SETTING} = '{OURS}'"]


def told(database: Database, *, known: bool) -> list[str]:
    """What a session says to the database besides its own statements."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    with database.session(writes=False) as session:
        if not known:
            begin_identifying(session)
            people(session)
        set_organization(session, OURS)
        session.scalars(select(User.id)).all()
        session.scalars(select(User.id)).all()
    event.remove(database.engine, "before_cursor_execute", note)
    return [statement for statement in seen if SETTING in statement]


def test_a_table_that_has_words_keeps_its_wall_while_its_plugin_is_left_out(database: Database) -> None:
    with database.engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE left_out (organization_id integer, words tsvector)")
        assert align(connection, on=True, scoped=["left_out"]) == ["left_out"]
        assert differing(connection, on=True, scoped=()) == {}
        assert differing(connection, on=False, scoped=())["left_out"] is False


class TestOverHttp:
    """Code that asks for the rows of another organisation than the caller's, below the first wall."""

    @pytest.fixture
    def mistaken(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
        def begin(installation: Installation) -> None:
            theirs = installation.accounts["owner"].organization_id
            bind = _Compiled.bind

            def bind_wrongly(compiled: _Compiled, session: Session, given: Mapping[str, Any]) -> dict[str, Any]:
                return bind(compiled, session, {**given, "organization_id": theirs} if compiled.scoped else given)

            monkeypatch.setattr(_Compiled, "bind", bind_wrongly)

        return begin

    def test_shows_nothing(self, databases, helpdesk_host, tmp_path, mistaken) -> None:
        with running(databases, helpdesk_host, tmp_path, row_security=True) as installation:
            assert people_shown(installation) == ["outsider"]
            mistaken(installation)
            assert people_shown(installation) == []

    def test_would_show_it_without_the_second_wall(self, helpdesk_databases, helpdesk_host, tmp_path, mistaken) -> None:
        if helpdesk_databases.row_security:
            pytest.skip("all databases of this run have it")
        with running(helpdesk_databases, helpdesk_host, tmp_path) as installation:
            assert people_shown(installation) == ["outsider"]
            mistaken(installation)
            assert "owner" in people_shown(installation)


def people_shown(installation: Installation) -> list[str]:
    reply = installation.client("outsider").get("/users/")
    assert reply.status_code == 200, reply.text
    return [person["username"] for person in reply.json()["results"]]
