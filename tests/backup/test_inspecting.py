"""`helpdesk verify`: the installation by itself."""

import json
import sqlite3

import pytest

from helpdesk_core.backup.contents import contents_of
from tests.backup.place import Place, checks
from tests.databases import SERVER


def test_a_good_installation_is_told_line_by_line(origin):
    told = checks(origin.done("verify"))
    assert {check for check, (state, _) in told.items() if state != "ok"} == {"spare files"}
    assert {"content", "stored files", "audit log"} <= set(told)


def test_a_file_without_a_row_is_a_note(origin):
    state, told = checks(origin.done("verify"))["spare files"]
    assert state == "note"
    assert told.endswith(" belong to no row")
    assert json.loads(origin.done("verify", "--json"))["ok"] is True


def test_a_file_that_a_row_names_must_be_there(filled):
    (key,) = filled.run("SELECT avatar FROM core_user")[0]
    filled.files.delete(key)
    result = filled.helpdesk("verify")
    assert result.exit_code == 1
    assert checks(result.stdout)["stored files"] == ("WRONG", f"core_user.avatar: {key} is missing")


def test_what_is_stored_and_deleted_meanwhile_is_not_told(filled, monkeypatch):
    def contents(reader):
        made = contents_of(reader)
        filled.run(f"UPDATE core_user SET avatar = '{new}'")
        filled.files.delete(old)
        filled.store(b"uploaded just now")
        return made

    monkeypatch.setattr("helpdesk_core.backup.inspecting.contents_of", contents)
    (old,) = filled.run("SELECT avatar FROM core_user")[0]
    (spare,) = set(filled.files) - {old}
    new = filled.store(b"uploaded just before its row")
    told = checks(filled.done("verify"))
    assert told["stored files"][0] == "ok"
    assert told["spare files"] == ("note", f"{spare} belong to no row")


def test_a_broken_seal_is_found(filled):
    filled.run("UPDATE core_audit_head SET sequence = 99")
    result = filled.helpdesk("verify")
    assert result.exit_code == 1
    assert "organization 1" in checks(result.stdout)["audit log"][1]


def test_without_the_key_no_seal_can_be_checked_and_none_is_made(origin):
    result = Place(origin.home, origin.database, key="").helpdesk("verify")
    assert checks(result.stdout)["audit log"] == ("WRONG", "the secret key that sealed it is not here")
    assert not (origin.home / "secret-key").exists()


def test_tables_of_a_plugin_that_is_gone_are_named_beside_spare_files(filled):
    filled.run("CREATE TABLE helpdesk_version_gone (version_num VARCHAR(32))")
    assert checks(filled.done("verify"))["spare files"][1].endswith("plugins that do not run here (gone)")


@pytest.mark.skipif(bool(SERVER), reason="is about files of SQLite")
class TestOnSqlite:
    def test_a_reference_to_nothing_is_found(self, filled):
        filled.run("UPDATE core_user SET organization_id = 77")
        assert "rows of core_user refer to rows of core_organization" in filled.helpdesk("verify").stdout

    def test_damage_is_found(self, filled):
        connection = sqlite3.connect(filled.database.removeprefix("sqlite:///"))
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute(
            "UPDATE sqlite_master SET rootpage = 2 WHERE name = 'ix_core_user_organization_id_created_at_id'"
        )
        connection.commit()
        connection.close()
        result = filled.helpdesk("verify")
        assert (result.exit_code, checks(result.stdout)["database"][0]) == (1, "WRONG")

    def test_a_file_that_is_no_database_is_told(self, filled):
        path = filled.home.parent / "elsewhere.db"
        path.write_bytes(b"not a database" * 1000)
        result = filled.helpdesk("verify")
        assert (result.exit_code, checks(result.stdout)["database"][0]) == (1, "WRONG")

    def test_what_is_not_there_is_not_made(self, tmp_path):
        nowhere = Place(tmp_path / "home", f"sqlite:///{tmp_path / 'none.db'}")
        assert "is not there yet" in nowhere.helpdesk("verify").stdout
        assert not list(tmp_path.iterdir())
