"""Plugins prepare when an organisation switches them on, and wind down before it switches them off; all or nothing."""

import logging

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from helpdesk_core.accounts.models import Organization
from helpdesk_core.cli import main
from helpdesk_core.plugins import Hung, PluginHealth, load_plugins
from helpdesk_core.testing import running
from tests.contract.steps import refused, served

CODE = """
from helpdesk_core.api import Conflict, Organization, hookimpl

faults = []


class RotaInUse(Conflict):
    '''Somebody is on call.'''


def name_it(ctx, mark):
    ctx.session.get_one(Organization, ctx.organization_id).name = mark
    ctx.session.flush()
    if faults:
        raise faults.pop()


@hookimpl
def on_enable(ctx):
    name_it(ctx, "prepared")


@hookimpl
def on_disable(ctx):
    name_it(ctx, "wound down")
"""


OF_ACME = ("--organization", "acme-corp")


@pytest.fixture
def installation(write_plugin, helpdesk_databases, tmp_path):
    write_plugin("rota", CODE)
    with running(helpdesk_databases, load_plugins(), tmp_path) as installation:
        yield installation


@pytest.fixture
def faults(installation):
    return __import__("sample_rota.plugin").plugin.faults


@pytest.fixture(params=[KeyError("lost"), SystemExit(3)], ids=repr)
def broken(faults, request):
    """Make the next hook fail."""
    return lambda: faults.append(request.param)


@pytest.fixture
def path(owner):
    return f"/organizations/{owner.organization_id}/plugins/rota/"


@pytest.fixture
def acme(name, owner, path):
    """Tell everything about Acme that a switch changes."""
    return lambda: (name(), is_on(owner, path))


@pytest.fixture
def name(installation, owner):
    """Tell the name of Acme, which the hooks change."""

    def read():
        with installation.session() as session:
            return session.scalar(select(Organization.name).where(Organization.id == owner.organization_id))

    return read


def is_on(client, path):
    plugins = served(client.get(path.removesuffix("rota/")))
    return next(plugin["enabled"] for plugin in plugins if plugin["id"] == "rota")


def test_hooks_are_called_once_for_each_switch(owner, path, name):
    served(owner.post(f"{path}disable/"))
    assert name() == "wound down"
    served(owner.post(f"{path}enable/"))
    served(owner.post(f"{path}enable/"))
    assert name() == "prepared"


@pytest.mark.parametrize("act", ["disable", "enable"])
def test_a_failing_hook_leaves_everything_as_it_was(owner, path, acme, broken, act):
    if act == "enable":
        served(owner.post(f"{path}disable/"))
    before = acme()
    broken()
    error = refused(owner.post(f"{path}{act}/"), 500)["error"]
    assert (error["code"], error["details"]) == ("PLUGIN_SWITCH_FAILED", {"plugin": "rota", "hook": f"on_{act}"})
    assert acme() == before
    served(owner.post(f"{path}{act}/"))


def test_a_refusal_of_a_hook_is_told_as_it_is(owner, path, name, faults, installation):
    before = name()
    faults.append(__import__("sample_rota.plugin").plugin.RotaInUse())
    error = refused(owner.post(f"{path}disable/"), 409)["error"]
    assert (error["code"], error["message"]) == ("ROTA_IN_USE", "Somebody is on call.")
    assert (name(), is_on(owner, path)) == (before, True)
    assert not [kind for kind, _ in installation.events() if kind == "organization.plugins_changed"]


@pytest.fixture
def helpdesk(installation, monkeypatch):
    """Run a command in the folder of the installation."""
    settings = installation.parts.settings
    for name, value in {"HOME": settings.home, "DATABASE_URL": settings.database, "PASSWORD_COST": "low"}.items():
        monkeypatch.setenv(f"HELPDESK_{name}", str(value))
    monkeypatch.setenv("HELPDESK_SECRET_KEY", settings.secret_key.get_secret_value())
    level, handlers = logging.getLogger().level, logging.getLogger().handlers[:]
    yield lambda *arguments: CliRunner().invoke(main, ["plugin", *arguments])
    logging.getLogger().setLevel(level)
    logging.getLogger().handlers[:] = handlers


def test_operators_switch_with_a_command(helpdesk, owner, path, name):
    told = helpdesk("disable", "rota", *OF_ACME)
    assert (told.exit_code, told.stdout) == (0, "rota is off for acme-corp.\n")
    assert (name(), is_on(owner, path)) == ("wound down", False)
    assert helpdesk("enable", "rota", *OF_ACME).exit_code == 0
    assert (name(), is_on(owner, path)) == ("prepared", True)


def test_a_command_says_what_is_in_the_way(helpdesk, write_plugin):
    write_plugin("pager", more='requires = ["rota"]\n')
    told = helpdesk("disable", "rota", *OF_ACME)
    assert (told.exit_code, told.stderr) == (
        1,
        "Error: Other plugins need this one. Disable them first. needed_by: pager\n",
    )
    assert helpdesk("disable", "nothing", *OF_ACME).exit_code == 2


def test_operators_end_a_pause_with_a_command(helpdesk, installation, owner):
    health = installation.parts.services.get(PluginHealth)
    assert helpdesk("resume", "rota").exit_code == 1
    health.failed("rota", "job", Hung())
    health.refresh()
    assert "rota" in installation.parts.host.outages
    assert helpdesk("resume", "rota").exit_code == 0
    health.refresh()
    assert "rota" not in installation.parts.host.outages
