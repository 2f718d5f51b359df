"""The command as a whole: help, mistakes, plugins' own commands."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from helpdesk_core.cli.group import COMMANDS
from helpdesk_core.plugins import Plugin, PluginHost, State
from helpdesk_core.plugins.manifest import Manifest

HEAVY = ("alembic", "sqlalchemy", "uvicorn", "starlette", "pydantic")


def plugin(name, state=State.ACTIVE, commands=()):
    manifest = Manifest(id=name, name=name.title(), api=1)
    found = Plugin(name, f"helpdesk_{name}", Path(), manifest, state, declared={"register_commands": list(commands)})
    if state is not State.ACTIVE:
        found.phase, found.reason = "import", "ImportError: no module"
    return found


@pytest.fixture
def plugins(monkeypatch):
    """Make these the plugins of the installation."""

    def install(*found):
        monkeypatch.setattr("helpdesk_core.cli.installation.load_plugins", lambda wanted, **_: PluginHost(found))

    return install


def test_help_lists_every_command(helpdesk):
    told = helpdesk("--help").output
    assert all(f"\n  {name} " in told for name in COMMANDS)


def test_help_works_when_nothing_else_does(helpdesk, monkeypatch):
    monkeypatch.setenv("HELPDESK_XYZZY", "1")
    assert "migrate" in helpdesk("--help").output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_takes_strict_plugins(helpdesk, name):
    told = helpdesk(name, "--help")
    assert told.exit_code == 0
    assert "--strict-plugins" in told.output


def test_the_version_is_told_without_loading_anything():
    heavy = f"[name for name in {HEAVY!r} if name in sys.modules]"
    script = f"""
import atexit, sys
atexit.register(lambda: print({heavy}))
sys.argv = ["helpdesk", "--version"]
from helpdesk_core.cli import main
main()
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


def test_an_unknown_command_is_a_mistake(helpdesk):
    assert helpdesk("srve").exit_code == 2


@pytest.mark.parametrize("command", ["migrate", "serve", "openapi", "doctor --settings", "plugin list"])
def test_a_misspelt_setting_stops_every_command_in_one_line(refused, monkeypatch, command):
    monkeypatch.setenv("HELPDESK_LOG_LEVLE", "info")
    told = refused(*command.split(), code=2)
    assert told == "HELPDESK_LOG_LEVLE is not a setting. Did you mean HELPDESK_LOG_LEVEL?"


def test_a_wrong_setting_is_told_with_an_example(refused, folder):
    (folder / "helpdesk.toml").write_text("access_token_minutes = 0\n")
    assert refused("migrate", code=2).endswith("Example: HELPDESK_ACCESS_TOKEN_MINUTES=15")


@pytest.mark.parametrize(
    ("url", "told"),
    [("nonsense", "HELPDESK_DATABASE_URL"), ("oracle://x", "HELPDESK_DATABASE_URL")],
)
def test_a_database_that_cannot_be_one_is_told(refused, monkeypatch, url, told):
    monkeypatch.setenv("HELPDESK_DATABASE_URL", url)
    assert told in refused("serve", code=2)


@pytest.mark.parametrize("missing", ["psycopg", "greenlet"])
def test_what_postgresql_needs_and_is_not_installed_is_told(refused, monkeypatch, missing):
    monkeypatch.delitem(sys.modules, "helpdesk_core.strands", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.setenv("HELPDESK_DATABASE_URL", "postgresql://helpdesk@localhost/helpdesk")
    assert f"{missing}: pip install 'helpdesk-core[postgres]'" in refused("serve", code=2)


def test_a_secret_key_that_is_too_short_is_told_but_not_shown(refused, monkeypatch):
    monkeypatch.setenv("HELPDESK_SECRET_KEY", "hunter2")
    told = refused("migrate", code=2)
    assert "at least 32" in told
    assert "hunter2" not in told


def test_plugins_bring_commands(helpdesk, plugins):
    @click.command()
    @click.pass_obj
    def reindex(installation):
        """Build the search index anew."""
        click.echo(f"reindexed {installation.settings.home}")

    plugins(plugin("search", commands=[reindex]))
    assert "Build the search index anew." in helpdesk("--help").output
    assert helpdesk("reindex").output == "reindexed helpdesk-data\n"


def test_plugins_cannot_replace_our_commands(helpdesk, plugins):
    plugins(plugin("evil", commands=[click.Command("migrate", callback=lambda: click.echo("evil"))]))
    assert "evil" not in helpdesk("migrate").output


@pytest.mark.parametrize("arguments", [("--strict-plugins", "openapi"), ("openapi", "--strict-plugins")])
def test_strict_plugins_stop_a_command_when_one_is_not_active(helpdesk, refused, plugins, arguments):
    plugins(plugin("good"), plugin("bad", State.FAILED))
    assert helpdesk("openapi").exit_code == 0
    assert refused(*arguments) == "plugin bad failed at import: ImportError: no module"


def test_strict_plugins_may_be_a_setting(refused, plugins, monkeypatch):
    monkeypatch.setenv("HELPDESK_STRICT_PLUGINS", "true")
    plugins(plugin("bad", State.BLOCKED))
    assert refused("openapi").startswith("plugin bad is blocked")
