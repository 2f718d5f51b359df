"""Nothing is left of a plugin that was uninstalled: schema and rows are what they were before it came."""

import json
import zipfile

import pytest
from sqlalchemy import create_engine, delete, event, select, text
from sqlalchemy.exc import NoSuchTableError

from helpdesk_core.accounts.models import ApiKey, CustomRole, Organization
from helpdesk_core.database import metadata
from helpdesk_core.jobs.queue import ScheduleSlot
from helpdesk_core.migrations import MigrationFailed
from helpdesk_core.notifications.models import NotificationPreferences
from helpdesk_core.row_security import see_everyone
from helpdesk_core.uninstalling import Removal, export, inventory, names_of, release, remove
from tests.contract.steps import created, served
from tests.uninstalling.snapshots import rows, schema


@pytest.fixture
def url(installation):
    return installation.parts.settings.database


@pytest.fixture
def state(url):
    """Return schema and rows as they are."""
    return lambda: (schema(url), rows(url))


@pytest.fixture
def before(installation, owner, member, state):
    """What was there before, with people who are signed in, a role, an API key and a choice of notifications."""
    created(owner.post("/users/api-keys/", json={"name": "key", "scopes": ["accounts:profile:use"]}))
    created(
        owner.post("/users/roles/", json={"name": "Night", "base": "agent", "permissions": ["accounts:profile:use"]})
    )
    served(member.patch("/notifications/preferences/", json={"email": False}))
    served(owner.get("/users/"))
    installation.run_jobs()
    installation.run_schedules()
    with installation.session() as session:
        session.execute(delete(ScheduleSlot).where(ScheduleSlot.name == "helpdesk_rota.sweep"))
        installation.commit(session)
    return state()


@pytest.fixture
def used(before, installation, install, owner, member):
    """Install the plugin, and leave something everywhere."""
    install()
    for client in (owner, member):
        created(client.post("/rota/"))
    installation.run_jobs()
    installation.run_schedules()
    created(member.post("/rota/"))  # whose delivery still waits
    with installation.session() as session:
        organization = session.get_one(Organization, owner.organization_id)
        organization.settings = {**organization.settings, "rota": {"days": 3}}
        organization.disabled_plugins = [*organization.disabled_plugins, "rota"]
        role, key = session.scalar(select(CustomRole)), session.scalar(select(ApiKey))
        role.permissions = [*role.permissions, "rota:use"]
        key.scopes = [*key.scopes, "rota:use"]
        chosen = session.scalar(select(NotificationPreferences))
        chosen.channels = {**chosen.channels, "rota_planned": {"email": False}}
        installation.commit(session)


@pytest.fixture
def removal(installation, host):
    return Removal(names_of(host, "rota"), installation.parts.services, host)


def assert_same(now, before):
    assert now[0] == before[0]
    left = {name: sorted(set(found) ^ set(before[1].get(name, ()))) for name, found in now[1].items()}
    assert {name: found for name, found in left.items() if found} == {}
    assert now[1].keys() == before[1].keys()


def test_schema_and_rows_are_what_they_were(before, used, removal, state, rota):
    touched = {name for name, found in state()[1].items() if found != before[1].get(name)}
    assert touched >= {
        *("core_api_key", "core_event", "core_job", "core_notification", "core_notification_preferences"),
        *("core_organization", "core_role", "core_schedule", "rota_shift"),
    }
    remove(removal)
    assert_same(state(), before)
    assert __import__("helpdesk_rota.plugin").plugin.removed == [3]


def test_so_it_is_when_the_package_is_gone(installation, before, used, state, helpdesk_host):
    remove(Removal(names_of(helpdesk_host, "rota"), installation.parts.services, helpdesk_host))
    assert_same(state(), before)


MADE = {
    "sqlite": [
        "CREATE VIEW rota_names AS SELECT name FROM rota_shift",
        "CREATE TRIGGER rota_sees BEFORE DELETE ON core_organization BEGIN SELECT 1; END",
    ],
    "postgresql": [
        "CREATE VIEW rota_names AS SELECT name FROM rota_shift",
        "CREATE TYPE rota_kind AS ENUM ('day', 'night')",
        "CREATE SEQUENCE rota_numbers",
        "CREATE FUNCTION rota_see() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
        "CREATE TRIGGER sees BEFORE DELETE ON core_organization FOR EACH ROW EXECUTE FUNCTION rota_see()",
    ],
}


@pytest.fixture
def made(used, url):
    """Make what is no table, and is known by its name alone."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in MADE[engine.dialect.name]:
            connection.execute(text(statement))
    engine.dispose()


def test_what_is_no_table_goes_as_well(installation, before, made, state, helpdesk_host):
    remove(Removal(names_of(helpdesk_host, "rota"), installation.parts.services, helpdesk_host))
    assert_same(state(), before)


def test_all_is_kept_when_anything_fails(used, removal, state, lineage):
    script = lineage.folder / "0001_rota.py"
    script.write_text(script.read_text().replace('op.drop_table("rota_shift")', 'raise ValueError("not today")'))
    known = state()
    with pytest.raises(MigrationFailed, match="not today"):
        remove(removal)
    assert state() == known


def test_data_may_be_kept(before, used, removal, state):
    _, kept = state()
    release(removal)
    _, left = state()
    assert left["rota_shift"] == kept["rota_shift"]
    assert left["core_job"] == kept["core_job"]
    assert left["core_schedule"] == before[1]["core_schedule"]


@pytest.fixture
def connection(used, url):
    """One that sees every organisation."""
    engine = create_engine(url)
    with engine.connect() as connection:
        see_everyone(connection)
        yield connection
    engine.dispose()


def counted(connection):
    return inventory(connection, "rota", frozenset(metadata.info["search_indexes"]))


def test_a_table_is_exported_whose_name_begins_as_that_of_an_index_does(connection):
    parts = counted(connection).others
    connection.execute(text("CREATE TABLE rota_search_log (id integer PRIMARY KEY)"))
    found = counted(connection)
    assert (found.rows, found.others) == ({"rota_search_log": 0, "rota_shift": 3}, parts)


def test_an_export_that_fails_leaves_no_file(connection, installation, tmp_path):
    found, folder = counted(connection), tmp_path / "exports"
    connection.execute(text("DROP TABLE rota_shift"))
    with pytest.raises(NoSuchTableError):
        export(connection, "rota", found, folder=folder, now=installation.clock.now())
    assert list(folder.iterdir()) == []


def test_nobody_else_can_read_an_export_while_it_is_written(connection, installation, tmp_path):
    found, folder, seen = counted(connection), tmp_path / "exports", set()

    def look(*_):
        seen.update(path.stat().st_mode & 0o077 for path in folder.iterdir())

    event.listen(connection, "before_cursor_execute", look)
    export(connection, "rota", found, folder=folder, now=installation.clock.now())
    assert seen == {0}


def test_every_row_is_exported_first(connection, installation, tmp_path):
    found = counted(connection)
    path = export(connection, "rota", found, folder=tmp_path / "exports", now=installation.clock.now())
    assert (found.rows, found.revision) == ({"rota_shift": 3}, "0001")
    with zipfile.ZipFile(path) as archive:
        lines = archive.read("rota_shift.jsonl").splitlines()
        about = json.loads(archive.read("about.json"))
    assert [json.loads(line)["name"] for line in lines] == ["tonight"] * 3
    assert (about["plugin"], about["rows"]) == ("rota", {"rota_shift": 3})
    assert path.stat().st_mode & 0o077 == 0
