"""What the docstrings of the fixtures show, as it runs; each fixture has its example here."""

import inspect
from datetime import timedelta
from pathlib import Path

import pytest
from _pytest.fixtures import FixtureFunctionDefinition
from sqlalchemy import select

from helpdesk_core import pytest_plugin
from helpdesk_core.accounts.models import Organization, User
from helpdesk_core.api import Context, Message, Permission, Router, organization_of
from helpdesk_core.plugins import Manifest, Plugin, PluginHost
from helpdesk_core.plugins.checking import REGISTRATION_HOOKS
from helpdesk_core.testing import Check, PluginConformance, Wrong, refuse_unusable, running

FIXTURES = {name: value for name, value in vars(pytest_plugin).items() if isinstance(value, FixtureFunctionDefinition)}


def made(id: str, **fields: object) -> Plugin:
    """A plugin with one operation that is not installed anywhere."""
    router = Router(id, tag=id)

    @router.get("/", permission=Permission("accounts:user:view_self", "See oneself"))
    def answer(ctx: Context) -> Message:
        """Tell that it is on."""
        return Message(message="on")

    manifest = Manifest.model_validate({"id": id, "name": id, "api": 1, "prefixes": (id,), **fields})
    declared: dict[str, list[object]] = {**{hook: [] for hook in REGISTRATION_HOOKS}, "register_routes": [router]}
    return Plugin(id, f"sample_{id}", Path(), manifest, declared=declared)


@pytest.fixture
def switchable(helpdesk_host, helpdesk_databases, tmp_path):
    """A helpdesk with two more plugins, of which one needs the other."""
    more = [made("calls"), made("rotas", requires=("calls",), tier="professional")]
    with running(helpdesk_databases, PluginHost([*helpdesk_host.plugins, *more]), tmp_path) as installation:
        yield installation


def state(installation, plugin):
    return installation.client("owner").get(f"/{plugin}/").json().get("error", {}).get("code")


@pytest.mark.parametrize("name", FIXTURES)
def test_every_fixture_is_explained_and_has_a_test_here(name):
    assert inspect.getdoc(FIXTURES[name]._get_wrapped_function())
    tests = [value for key, value in globals().items() if key.startswith("test_") or key == "switchable"]
    used = {
        parameter for test in tests for parameter in inspect.signature(getattr(test, "__wrapped__", test)).parameters
    }
    used |= set(inspect.signature(switchable._get_wrapped_function()).parameters)
    assert name in used


def test_the_host_has_the_built_in_plugins(helpdesk_host):
    assert {"accounts", "changefeed", "notifications"} <= {plugin.id for plugin in helpdesk_host.active}


def test_databases_have_the_cast(helpdesk_databases):
    assert helpdesk_databases.accounts["owner"].email == "owner@acme.com"


def test_an_installation_tells_people_by_mail(installation, anonymous):
    anonymous.post("/users/password-reset/", json={"email": "member@acme.com"})
    installation.run_jobs()
    assert [mail.to for mail in installation.mails] == ["member@acme.com"]


def test_an_installation_can_be_looked_into(installation, owner):
    with installation.session(owner.organization_id) as session:
        assert organization_of(session) == owner.organization_id
        assert len(session.scalars(select(User)).all()) == 5


def test_plugins_are_switched_off_after_those_that_need_them(switchable):
    switchable.disable("calls")
    assert [state(switchable, plugin) for plugin in ("calls", "rotas")] == ["PLUGIN_NOT_ENABLED"] * 2
    switchable.enable("rotas")
    assert [state(switchable, plugin) for plugin in ("calls", "rotas")] != ["PLUGIN_NOT_ENABLED"] * 2


def test_what_cannot_be_switched_is_told(switchable):
    with pytest.raises(AssertionError, match="accounts cannot be switched"):
        switchable.disable("accounts")


def test_another_tier_is_another_set_of_plugins(switchable):
    switchable.subscribe("free")
    assert state(switchable, "rotas") == "PLUGIN_NOT_ENABLED"
    assert state(switchable, "calls") != "PLUGIN_NOT_ENABLED"


def test_the_clock_moves_when_it_is_told_to(clock):
    before = clock.now()
    assert clock.advance(hours=1) - before == timedelta(hours=1)
    assert clock.now() - before == timedelta(hours=1)


def test_mails_wait_for_the_jobs(installation, anonymous, run_jobs):
    anonymous.post("/users/password-reset/", json={"email": "member@acme.com"})
    assert installation.mails == []
    run_jobs()
    assert len(installation.mails) == 1


def test_schedules_run_by_hand(installation, clock, run_schedules):
    clock.advance(days=1)
    run_schedules()
    assert installation.parts.runner.any_due(slow=False) is False


def test_events_are_those_since_the_test_asked(owner, member, events):
    assert events == []
    owner.patch("/users/profile/", json={"first_name": "Olga"})
    assert events.types[-1] == "user.updated"
    assert events.of("user.updated")[0]["user_id"] == owner.user.id
    events.clear()
    assert len(events) == 0
    member.patch("/users/profile/", json={"first_name": "Mia"})
    assert events[-1][0] == "user.updated"


def test_migrations_go_up_and_down(migrate):
    assert migrate.tables("core") == []
    first, *_, last = migrate.revisions("core")
    migrate.up("core", first)
    some = migrate.tables("core")
    migrate.up()
    assert set(some) < set(migrate.tables("core"))
    assert first != last
    migrate.down("core", first)
    assert migrate.tables("core") == some
    migrate.down()
    assert migrate.tables("core") == []


def test_migrations_of_nobody_are_told(migrate):
    with pytest.raises(LookupError, match="nowhere has no migrations here; there are core"):
        migrate.up("nowhere")


def test_commands_work_on_the_installation_of_the_test(helpdesk, installation):
    result = helpdesk("organization", "create", "--name", "Initech", "--slug", "initech")
    assert result.exit_code == 0, result.output
    with installation.session() as session:
        assert "initech" in session.scalars(select(Organization.slug)).all()
    assert helpdesk("nothing-of-that-name").exit_code == 2


def test_the_cast_of_acme(owner, agent, technician, member, second_member):
    people = (owner, agent, technician, member, second_member)
    assert {person.organization_id for person in people} == {owner.organization_id}
    assert [person.user.role for person in people] == ["admin", "agent", "technician", "customer", "customer"]
    assert member.user.id != second_member.user.id


def test_the_outsider_finds_nobody_of_acme(owner, outsider):
    assert outsider.user.role == "admin"
    assert outsider.organization_id != owner.organization_id
    assert outsider.get(f"/users/{owner.user.id}/").status_code == 404


def test_strangers_see_no_users(anonymous):
    assert anonymous.get("/users/").status_code == 401


class Suite(PluginConformance):
    plugin = "accounts"
    exceptions = {"it_frowns": "it is left out"}  # noqa: RUF012


def it_frowns(case):
    """It never does."""
    raise Wrong(())
    yield


def it_smiles(case):
    """It always does."""
    assert case.id == "accounts"
    yield from ()


def test_a_check_passes_fails_or_is_left_out(helpdesk_conformance):
    helpdesk_conformance(Suite, Check(it_smiles))
    with pytest.raises(pytest.skip.Exception, match="it is left out"):
        helpdesk_conformance(Suite, Check(it_frowns))
    Suite.exceptions = {}
    with pytest.raises(pytest.fail.Exception):
        helpdesk_conformance(Suite, Check(it_frowns))


def test_tests_of_a_plugin_that_cannot_be_loaded_say_so():
    broken = made("broken")
    broken.fail("import", "ImportError: no module named nowhere")
    with pytest.raises(AssertionError, match="plugin broken is failed at import: ImportError"):
        refuse_unusable(PluginHost([broken]), ["broken"])
