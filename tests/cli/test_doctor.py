"""`helpdesk doctor`, `helpdesk plugin list`, `helpdesk openapi`: what an operator looks at."""

import json
import sqlite3

import pytest

from helpdesk_core.plugins import EssentialPluginFailed
from helpdesk_core.settings import Settings


def findings(result):
    return {line[7:18].strip(): (line[:6].strip(), line[19:]) for line in result.stdout.splitlines()}


class TestDoctor:
    def test_finds_nothing_wrong_with_a_good_installation(self, helpdesk, migrated):
        told = helpdesk("doctor")
        assert told.exit_code == 0, told.stdout
        assert {state for state, _ in findings(told).values()} == {"ok"}

    def test_says_what_to_do_first(self, helpdesk, folder):
        told = helpdesk("doctor")
        assert told.exit_code == 1
        found = findings(told)
        assert found["settings"][0] == found["plugins"][0] == "ok"
        assert "helpdesk migrate" in found["database"][1]
        assert not (folder / "helpdesk-data").exists()

    def test_stops_at_settings_that_are_wrong(self, helpdesk, monkeypatch):
        monkeypatch.setenv("HELPDESK_LOG_LEVEL", "loud")
        told = helpdesk("doctor")
        assert told.exit_code == 1
        assert list(findings(told)) == ["settings"]

    def test_names_plugins_that_are_not_active(self, helpdesk, migrated, monkeypatch):
        monkeypatch.setenv("HELPDESK_PLUGINS", "nothing")
        state, finding = findings(helpdesk("doctor"))["plugins"]
        assert (state, finding) == ("WRONG", "plugin nothing is invalid at manifest: no plugin 'nothing' is installed")

    def test_finds_tables_of_plugins_that_are_gone(self, helpdesk, migrated):
        with sqlite3.connect(migrated / "helpdesk-data" / "helpdesk.db") as connection:
            connection.execute("CREATE TABLE helpdesk_version_gone (version_num TEXT)")
        assert findings(helpdesk("doctor"))["leftovers"] == (
            "WRONG", "tables are left of plugins that do not run here: gone"
        )  # fmt: skip

    def test_tells_that_the_database_does_not_answer(self, helpdesk, monkeypatch):
        monkeypatch.setenv("HELPDESK_DATABASE_URL", "postgresql://me:hunter2@127.0.0.1:1/helpdesk")
        told = helpdesk("doctor")
        assert findings(told)["database"][0] == "WRONG"
        assert "hunter2" not in told.output

    @pytest.mark.parametrize(
        ("settings", "finding"),
        [
            ({}, "enforce, counted in limits.db in the home folder"),
            ({"LIMITS": "count", "REDIS_URL": "redis://127.0.0.1:1/0"}, "count, counted in Redis"),
            ({"LIMITS": "off"}, "off"),
        ],
    )
    def test_tells_where_limits_are_counted(self, helpdesk, migrated, monkeypatch, settings, finding):
        for name, value in settings.items():
            monkeypatch.setenv(f"HELPDESK_{name}", value)
        assert findings(helpdesk("doctor"))["limits"] == ("ok", finding)

    @pytest.mark.parametrize(
        ("allowed", "finding"),
        [("", "public hosts alone"), ("10.0.0.0/8,::1", "public hosts, and whatever answers in 10.0.0.0/8, ::1")],
    )
    def test_tells_what_users_may_have_requests_sent_to(self, helpdesk, migrated, monkeypatch, allowed, finding):
        monkeypatch.setenv("HELPDESK_OUTBOUND_ALLOW", allowed)
        assert findings(helpdesk("doctor"))["outbound"] == ("ok", finding)

    def test_finds_a_key_that_is_too_short(self, helpdesk, migrated):
        (migrated / "helpdesk-data" / "secret-key").write_text("short")
        assert findings(helpdesk("doctor"))["secret key"][0] == "WRONG"

    def test_lists_every_setting_and_no_secret(self, helpdesk, monkeypatch):
        monkeypatch.setenv("HELPDESK_SECRET_KEY", "hunter2 hunter2 hunter2 hunter2 hunter2")
        told = helpdesk("doctor", "--settings").stdout
        assert all(f" HELPDESK_{name.upper()} = " in told for name in Settings.model_fields)
        assert "* HELPDESK_SECRET_KEY = **********" in told
        assert "hunter2" not in told


class TestPluginList:
    def test_shows_the_built_in_plugins(self, helpdesk):
        told = helpdesk("plugin", "list")
        assert told.exit_code == 0
        assert told.stdout.splitlines()[1].split() == ["accounts", "active", "free", "0.1.0", "Accounts"]

    def test_shows_what_is_wrong(self, helpdesk, monkeypatch):
        monkeypatch.setenv("HELPDESK_PLUGINS", "nothing")
        told = helpdesk("plugin", "list", "--json")
        (row,) = (row for row in json.loads(told.stdout) if row["id"] == "nothing")
        assert (row["state"], row["reason"]) == ("invalid", "no plugin 'nothing' is installed")
        assert told.exit_code == 0

    def test_with_strict_plugins_fails_after_the_list(self, helpdesk, monkeypatch):
        monkeypatch.setenv("HELPDESK_PLUGINS", "nothing")
        told = helpdesk("plugin", "list", "--strict-plugins")
        assert told.exit_code == 1
        assert "accounts" in told.stdout

    def test_works_when_an_essential_plugin_has_failed(self, helpdesk, monkeypatch):
        def load_plugins(_wanted, **_):
            raise EssentialPluginFailed("plugin accounts failed at import: no")

        monkeypatch.setattr("helpdesk_core.cli.installation.load_plugins", load_plugins)
        told = helpdesk("plugin", "list")
        assert told.exit_code == 1
        assert "accounts       discovered" in told.stdout
        assert told.stderr == "Error: plugin accounts failed at import: no\n"


def test_the_document_is_printed(helpdesk):
    assert json.loads(helpdesk("openapi").stdout)["openapi"] == "3.1.0"


@pytest.mark.parametrize("missing", ["helpdesk-data"])
def test_the_document_needs_no_database(helpdesk, folder, missing):
    helpdesk("openapi")
    assert not (folder / missing).exists()
