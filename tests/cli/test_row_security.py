"""Row-level security as an operator turns it on and off; on PostgreSQL alone, but for the first test."""

import pytest
from sqlalchemy import create_engine, make_url, text

from tests.databases import SERVER, owned_database

on_postgresql = pytest.mark.skipif(not SERVER, reason="row-level security is PostgreSQL's")


@pytest.fixture
def url(request, monkeypatch, folder):
    """An empty database, and whose role the commands are."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "alone")
    with owned_database(worker, "walls") as url:
        monkeypatch.setenv("HELPDESK_DATABASE_URL", url)
        yield url


@pytest.fixture
def turn(monkeypatch):
    return lambda state: monkeypatch.setenv("HELPDESK_ROW_SECURITY", state)


@pytest.fixture
def execute(url):
    def run(statement, **changes):
        engine = create_engine(make_url(url).set(**changes))
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            found = result.fetchall() if result.returns_rows else []
        engine.dispose()
        return found

    return run


WALLED = "SELECT count(*) FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
LOOSE = (
    "SELECT relname FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid AND attname = 'organization_id'"
    " WHERE relkind = 'r' AND NOT relrowsecurity"
)


def test_sqlite_has_nothing_like_it(refused, turn):
    turn("true")
    assert refused("migrate", code=2).startswith("HELPDESK_ROW_SECURITY: it takes PostgreSQL")


@on_postgresql
class TestMigrating:
    def test_walls_every_table_of_organisations_and_nothing_else(self, helpdesk, url, turn, execute):
        turn("true")
        told = helpdesk("migrate").stdout
        ((walled,),) = execute(WALLED)
        assert f"row-level security: on, {walled} tables changed" in told
        assert walled > 20
        assert execute(LOOSE) == []

    def test_does_it_once(self, helpdesk, url, turn):
        turn("true")
        helpdesk("migrate")
        assert helpdesk("migrate").stdout == "Nothing to do: the database is up to date.\n"
        assert helpdesk("migrate", "--check").exit_code == 0

    def test_walls_a_table_that_is_new_or_whose_policy_is_of_before(self, helpdesk, refused, url, turn, execute):
        turn("true")
        helpdesk("migrate")
        execute("CREATE TABLE rota_shift (id int PRIMARY KEY, organization_id int)")
        execute("COMMENT ON POLICY helpdesk_organization ON core_user IS 'helpdesk of before'")
        assert "is missing for core_user, rota_shift:" in refused("migrate", "--check")
        assert helpdesk("migrate").stdout == "row-level security: on, 2 tables changed\n"
        assert execute(LOOSE) == []

    def test_leaves_full_text_indexes_to_the_tables_that_they_are_joined_with(self, helpdesk, url, turn, execute):
        execute("CREATE TABLE rota_search (key int, organization_id int, document tsvector)")
        turn("true")
        helpdesk("migrate")
        assert execute(LOOSE) == [("rota_search",)]

    def test_takes_it_away_again(self, helpdesk, refused, url, turn, execute):
        turn("true")
        helpdesk("migrate")
        turn("false")
        assert "is off, and still there for core_api_key" in refused("migrate", "--check")
        assert "row-level security: off" in helpdesk("migrate").stdout
        assert execute(WALLED) == [(0,)]
        assert execute("SELECT count(*) FROM pg_policy") == [(0,)]
        assert helpdesk("migrate", "--check").exit_code == 0


@on_postgresql
class TestStarting:
    def test_is_refused_where_policies_are_missing(self, helpdesk, refused, url, turn):
        helpdesk("migrate")
        turn("true")
        assert "run `helpdesk migrate`" in refused("serve", "--port", "0")

    def test_is_refused_for_a_role_that_no_policy_holds_for(self, helpdesk, refused, url, turn, monkeypatch):
        turn("true")
        helpdesk("migrate")
        superuser = make_url(SERVER).set(database=make_url(url).database)
        monkeypatch.setenv("HELPDESK_DATABASE_URL", superuser.render_as_string(hide_password=False))
        assert "use a role without SUPERUSER and BYPASSRLS" in refused("serve", "--port", "0")
        assert "use a role without SUPERUSER" in helpdesk("doctor").stdout

    def test_goes_on_where_all_is_well(self, helpdesk, url, turn):
        turn("true")
        helpdesk("migrate")
        account = ("--name", "Acme", "--slug", "acme")
        assert helpdesk("organization", "create", *account).exit_code == 0
        told = helpdesk("doctor")
        assert "PostgreSQL keeps organisations apart as well" in told.stdout
        assert told.exit_code == 0, told.stdout
