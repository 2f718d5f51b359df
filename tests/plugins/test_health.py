"""A plugin that keeps failing pauses by itself; the others go on, and operators can see what happened."""

from datetime import UTC, datetime, timedelta

import pytest

from helpdesk_core.plugins import PluginHealth, load_plugins
from helpdesk_core.plugins.breaker import FIRST_PAUSE, FORGOTTEN, LONGEST_PAUSE, WINDOW, Breaker
from helpdesk_core.testing import running
from tests.contract.steps import refused, served

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

CODE = """
from helpdesk_core.api import ROLES, Context, Message, Permission, Router, hookimpl

USE = Permission("{id}:use", "Use it", ROLES)
router = Router("{id}", tag="{id}")
broken = []


@router.get("/", permission=USE)
def answer(ctx: Context) -> Message:
    '''Answers, unless it is broken.'''
    if broken:
        raise KeyError("what ada@acme.com wrote")
    return Message(message="well")


@hookimpl
def register_routes():
    return [router]


@hookimpl
def register_permissions():
    return [USE]
"""


class TestBreaker:
    def test_trips_at_the_last_of_so_many_failures_in_a_window(self):
        breaker = Breaker(3)
        assert [breaker.failed(NOW) for _ in range(3)] == [False, False, True]

    def test_forgets_failures_that_are_further_apart(self):
        breaker = Breaker(2)
        assert not breaker.failed(NOW)
        assert not breaker.failed(NOW + WINDOW + timedelta(seconds=1))

    def test_does_not_trip_while_most_calls_go_well(self):
        breaker = Breaker(2)
        breaker.failed(NOW)
        breaker.calls = 100
        assert not any(breaker.failed(NOW) for _ in range(90))

    def test_never_trips_if_it_may_not(self):
        breaker = Breaker(0)
        assert not any(breaker.failed(NOW) for _ in range(1000))

    def test_pauses_longer_each_time_until_it_has_gone_well_for_long(self):
        breaker, now, pauses = Breaker(1), NOW, []
        for _ in range(6):
            until = breaker.trip(now)
            pauses.append(until - now)
            now = until
        assert pauses == [FIRST_PAUSE * 2**n for n in range(4)] + [LONGEST_PAUSE] * 2
        now += FORGOTTEN + timedelta(seconds=1)
        assert breaker.trip(now) - now == FIRST_PAUSE


@pytest.fixture
def host(write_plugin):
    for id in ("weak", "sound"):
        write_plugin(id, CODE.format(id=id))
    return load_plugins()


@pytest.fixture
def installation(host, helpdesk_databases, tmp_path):
    with running(helpdesk_databases, host, tmp_path, suspend_after=5) as installation:
        yield installation


@pytest.fixture
def break_it(host):
    """Make the endpoint of the weak plugin fail from now on, or work again."""
    module = __import__("sample_weak.plugin").plugin
    return lambda broken=True: module.broken.append(1) if broken else module.broken.clear()


@pytest.fixture
def health(installation):
    return installation.parts.services.get(PluginHealth)


def troubled(client):
    return {each["id"]: each for each in client.raw("GET", "/healthz").json()["plugins"]}


def test_what_keeps_failing_is_suspended_and_the_others_answer(installation, member, anonymous, break_it):
    served(member.get("/weak/"))
    break_it()
    for _ in range(5):
        refused(member.get("/weak/"), 500)
    answer = member.get("/weak/")
    error = refused(answer, 503)["error"]
    assert (error["code"], error["details"]) == ("PLUGIN_UNAVAILABLE", {"plugin": "weak", "state": "suspended"})
    assert answer.headers["Retry-After"] == "60"
    served(member.get("/sound/"))
    told = troubled(anonymous)["weak"]
    assert (told["state"], told["phase"]) == ("suspended", "request")
    assert "KeyError at plugin.py:" in told["reason"]
    assert "ada" not in str(told)


def test_it_is_tried_again_by_itself(installation, member, anonymous, break_it, health):
    break_it()
    for _ in range(5):
        member.get("/weak/")
    break_it(False)
    health.refresh()
    refused(member.get("/weak/"), 503)
    installation.clock.advance(minutes=1, seconds=1)
    health.refresh()
    served(member.get("/weak/"))
    assert "weak" not in troubled(anonymous)


def test_other_processes_hear_of_it(installation, member, break_it, health):
    break_it()
    for _ in range(5):
        member.get("/weak/")
    health.refresh()
    other = load_plugins()
    elsewhere = PluginHealth(other, installation.parts.services.database, installation.clock)
    elsewhere.refresh()
    assert other.outages["weak"].state == "suspended"


def test_refusals_are_nobodys_fault(installation, member, outsider, health):
    for _ in range(30):
        refused(member.get("/weak/?colour=blue"), 400)
    served(member.get("/weak/"))


def test_administrators_of_the_platform_see_what_failed_where(platform, agent, member, break_it, health):
    break_it()
    member.get("/weak/")
    member.get("/weak/")
    health.refresh()
    refused(agent.get("/plugins/"), 403)
    (found,) = (each for each in served(platform.get("/plugins/")) if each["id"] == "weak")
    assert found["state"] == "active"
    (fault,) = found["faults"]
    assert (fault["phase"], fault["times"]) == ("request", 2)
    assert fault["reason"].startswith("KeyError at plugin.py:")
    assert "ada" not in str(found)


def test_plugins_whose_tables_are_missing_wait_for_them(helpdesk_databases, write_plugin, tmp_path):
    write_plugin("late", CODE.format(id="late"))
    write_plugin("behind", CODE.format(id="behind"), more='requires = ["late"]\n')
    write_plugin("sound", CODE.format(id="sound"))
    host = load_plugins()
    folder = next(plugin for plugin in host.plugins if plugin.id == "late").folder / "migrations"
    folder.mkdir()
    (folder / "0001.py").write_text('revision = "0001"\ndown_revision = None\n')
    with running(helpdesk_databases, host, tmp_path) as installation:
        installation.parts.services.get(PluginHealth).refresh()
        member = installation.client("member")
        for id, state in (("late", "needs_migration"), ("behind", "blocked")):
            details = refused(member.get(f"/{id}/"), 503)["error"]["details"]
            assert details == {"plugin": id, "state": state}
        served(member.get("/sound/"))
        ready = installation.http.get("/readyz")
        assert (ready.status_code, ready.json()["pending"]) == (200, ["late"])
        (folder / "0001.py").unlink()
        installation.parts.services.get(PluginHealth).refresh()
        served(member.get("/late/"))
