"""The demonstration: an organisation with people and whatever plugins add, made once."""

import sqlite3
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from helpdesk_core.accounts.models import User
from helpdesk_core.cli import demo
from helpdesk_core.cli.failures import Refused
from helpdesk_core.cli.installation import Installation
from helpdesk_core.plugins import Plugin
from helpdesk_core.tenancy import organization_of


@pytest.fixture
def installation(folder):
    """An installation that may become a demonstration, run by a command."""
    return Installation()


@pytest.fixture(autouse=True)
def within_a_command(monkeypatch):
    """Tests call what the command calls; there is no click context to ask for `--strict-plugins`."""
    monkeypatch.setattr(Installation, "check_plugins", lambda _: None)


def people(folder):
    with sqlite3.connect(folder / "helpdesk-data" / "helpdesk.db") as connection:
        return connection.execute("SELECT username, role, is_platform_admin FROM core_user ORDER BY id").fetchall()


def added_by(installation, *functions):
    """Register demonstration data as a plugin would."""
    accounts = installation.every_plugin.plugins[0]
    extra = Plugin("extra", "extra", Path(), None, declared={"register_demo_data": list(functions)})
    installation.every_plugin.plugins = (accounts, extra)


def test_it_has_an_administrator_of_the_platform_and_people_of_every_role(installation, folder):
    demo.prepare(installation, "127.0.0.1")
    found = people(folder)
    assert [name for name, _, _ in found] == list(demo.CAST)
    assert {role for _, role, _ in found} == {"admin", "agent", "technician", "customer"}
    assert [name for name, _, platform in found if platform] == ["admin"]


def test_plugins_add_to_it_once_in_the_session_of_the_organization(installation):
    seen = []

    def add(session, now):
        seen.append((organization_of(session), isinstance(now, datetime), len(session.scalars(select(User)).all())))

    added_by(installation, add)
    demo.prepare(installation, "127.0.0.1")
    demo.prepare(installation, "127.0.0.1")
    assert seen == [(1, True, len(demo.CAST))]


def test_it_is_made_whole_or_not_at_all(installation, folder):
    def fail(_session, _now):
        raise LookupError("no good")

    added_by(installation, fail)
    with pytest.raises(LookupError):
        demo.prepare(installation, "127.0.0.1")
    assert people(folder) == []


def test_it_does_not_mix_with_organizations_of_your_own(installation, helpdesk, migrated):
    helpdesk("organization", "create", "--name", "Ours")
    with pytest.raises(Refused, match="organizations of its own"):
        demo.prepare(installation, "127.0.0.1")


def test_it_listens_elsewhere_only_with_a_password_of_your_own(installation, monkeypatch, capsys):
    assert demo.prepare(installation, "192.0.2.1") == "127.0.0.1"
    assert "HELPDESK_DEMO_PASSWORD" in capsys.readouterr().err
    monkeypatch.setenv("HELPDESK_DEMO_PASSWORD", "a password of our own")
    assert demo.prepare(Installation(), "192.0.2.1") == "192.0.2.1"


def test_it_has_a_folder_of_its_own_unless_one_is_named(monkeypatch):
    monkeypatch.setenv("HELPDESK_HOME", "restored afterwards")
    monkeypatch.delenv("HELPDESK_HOME")
    demo.choose_home()
    assert Installation().settings.home == Path("helpdesk-demo")
    monkeypatch.setenv("HELPDESK_HOME", "elsewhere")
    demo.choose_home()
    assert Installation().settings.home == Path("elsewhere")


def test_its_accounts_are_told(installation):
    told = demo.welcome(installation, "http://127.0.0.1:8000")
    assert all(name in told for name in demo.CAST)
    assert "helpdesk-demo" in told
    assert "http://127.0.0.1:8000/api/docs/" in told
