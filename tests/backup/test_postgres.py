"""PostgreSQL: what a reader, a dump and a restore ask of the server; on PostgreSQL alone."""

import json

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from helpdesk_core.backup import postgres, programs
from helpdesk_core.backup.failures import BackupFailed
from helpdesk_core.backup.undoing import ALL
from tests.backup.place import Place, litter, slugs
from tests.databases import SERVER

pytestmark = pytest.mark.skipif(not SERVER, reason="is about the server")


def with_options(url: str, options: str) -> str:
    return make_url(url).update_query_dict({"options": options}).render_as_string(hide_password=False)


def users(folder):
    return json.loads((folder / "manifest.json").read_text())["tables"]["core_user"]["rows"]


def schemas(place):
    found = place.run(r"SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^information' ORDER BY nspname")
    return [name for (name,) in found]


def test_time_outs_of_the_server_do_not_hold(origin):
    limited = with_options(origin.database, "-c statement_timeout=5s -c idle_in_transaction_session_timeout=5s")
    with postgres.reading(limited) as reader:
        for setting in ("statement_timeout", "idle_in_transaction_session_timeout"):
            assert list(reader.select("pg_settings", "name", "setting")).count((setting, "0")) == 1


def test_what_the_server_says_while_rows_are_copied_is_told(origin):
    told = 'The database refuses: relation "nowhere" does not exist.'
    with pytest.raises(BackupFailed, match=told), postgres.reading(origin.database) as reader:
        list(reader.encoded("nowhere"))


def test_a_migration_waits_until_every_row_is_read(filled, tmp_path, monkeypatch):
    def contents(reader):
        with pytest.raises(OperationalError, match="could not obtain lock"):
            filled.run("LOCK TABLE core_user IN ACCESS EXCLUSIVE MODE NOWAIT")
        return real(reader)

    real = postgres.contents_of
    monkeypatch.setattr(postgres, "contents_of", contents)
    filled.done("backup", tmp_path / "backup")


def test_a_table_that_a_migration_wrote_anew_just_before_has_its_rows(filled, tmp_path, monkeypatch):
    def lock(connection, tables):
        filled.run("ALTER TABLE core_user ADD COLUMN luck float DEFAULT random()")
        real(connection, tables)

    real = postgres._keep_as_they_are
    monkeypatch.setattr(postgres, "_keep_as_they_are", lock)
    filled.done("backup", tmp_path / "backup")
    assert users(tmp_path / "backup") == 1


def test_a_dump_that_can_hardly_be_restored_is_noted(origin, tmp_path, monkeypatch):
    monkeypatch.setattr(programs, "warning", lambda server: f"too new for {server}.")
    assert "Note: too new for " in origin.done("backup", tmp_path / "backup")


class TestAnotherSchema:
    @pytest.fixture
    def walled_off(self, elsewhere):
        elsewhere.run("CREATE SCHEMA desk")
        return Place(elsewhere.home, with_options(elsewhere.database, "-c search_path=desk"))

    @pytest.fixture
    def saved(self, walled_off, tmp_path):
        """A backup of one in a schema of its own, which is then another organisation's."""
        walled_off.fill()
        walled_off.done("backup", tmp_path / "saved")
        walled_off.run("UPDATE core_organization SET slug = 'globex'")
        return tmp_path / "saved"

    def test_makes_room_under_another_name(self, walled_off, saved):
        told = walled_off.done("restore", saved, "--replace", "--yes")
        aside = told.partition("kept: schema ")[2].split()[0]
        assert schemas(walled_off) == ["desk", aside, "public"]
        assert slugs(walled_off) == ["acme"]
        assert walled_off.run(f"SELECT slug FROM {aside}.core_organization") == [("globex",)]

    def test_may_be_empty_and_is_not_kept_then(self, walled_off, saved):
        walled_off.run("DROP SCHEMA desk CASCADE", "CREATE SCHEMA desk")
        (walled_off.home / "files").rename(walled_off.home / "gone")
        walled_off.done("restore", saved)
        assert schemas(walled_off) == ["desk", "public"]
        assert slugs(walled_off) == ["acme"]

    @pytest.mark.parametrize("step", ["place_files", "place_database"])
    def test_has_its_name_again_after_a_failure(self, walled_off, saved, monkeypatch, step):
        def fail(*_):
            raise BackupFailed("Out of luck.")

        if step == "place_database":
            monkeypatch.setattr(programs, "restore", fail)
        else:
            monkeypatch.setattr("helpdesk_core.backup.restoring._Restoring.place_files", fail)
        assert walled_off.refused("restore", saved, "--replace", "--yes") == f"Out of luck. {ALL}"
        assert schemas(walled_off) == ["desk", "public"]
        assert slugs(walled_off) == ["globex"]
        assert not litter(walled_off)


def test_connections_that_are_closed_and_still_seen_are_waited_for(monkeypatch):
    seen = [1, 1, 0]
    monkeypatch.setattr(postgres, "_others", lambda _: seen.pop(0))
    postgres.require_alone(None)
    assert seen == []
