"""`helpdesk verify BACKUP`: whatever is not as it was written is found, and named."""

import hashlib
import json

import pytest

from tests.backup.damage import flip, make_unreadable, rewrite, some_file
from tests.backup.place import KEY, Place, checks
from tests.databases import SERVER

DATABASE = "database.dump" if SERVER else "database.sqlite"


def wrong(place, *arguments):
    """Return what `verify` finds wrong."""
    result = place.helpdesk("verify", *arguments)
    found = {check: told for check, (state, told) in checks(result.stdout).items() if state == "WRONG"}
    assert result.exit_code == bool(found), result.output
    return found


def test_a_whole_backup_is_told_line_by_line(origin, kept):
    told = checks(origin.done("verify", kept))
    assert {state for state, _ in told.values()} == {"ok"}
    assert list(told) == ["manifest", "database", "content", "files", "other files"]


@pytest.mark.parametrize("at", [100, -1])
def test_a_byte_of_the_database_is_noticed(origin, backup, at):
    flip(backup / DATABASE, at)
    assert wrong(origin, backup) == {"database": f"{DATABASE} is not as it was written"}


def test_a_byte_of_a_file_is_noticed(origin, backup):
    path = some_file(backup)
    flip(path)
    assert wrong(origin, backup) == {"files": f"{path.name} is not as it was written"}


def test_a_byte_of_the_manifest_is_noticed(origin, backup):
    flip(backup / "manifest.json", 200)
    assert "manifest.sha256 has another digest" in wrong(origin, backup)["manifest"]


def test_a_byte_of_the_list_of_files_is_noticed(origin, backup):
    flip(backup / "files.jsonl", 20)
    assert wrong(origin, backup) == {"files": "files.jsonl is not as it was written"}


def test_a_part_that_ends_too_early_is_noticed(origin, backup):
    path = some_file(backup)
    for each in (backup / DATABASE, path):
        each.write_bytes(each.read_bytes()[:-1000])
    found = wrong(origin, backup)
    assert found["database"].startswith(f"{DATABASE} has ")
    assert found["files"] == f"{path.name} has 179,000 bytes instead of 180,000"


def test_a_file_that_the_disk_does_not_give_back_is_named(origin, backup):
    path = some_file(backup)
    make_unreadable(path)
    assert wrong(origin, backup) == {"files": f"{path.name} cannot be read: Input/output error"}


def test_a_part_that_is_missing_is_noticed(origin, backup):
    path = some_file(backup)
    path.unlink()
    (backup / DATABASE).unlink()
    assert wrong(origin, backup) == {"database": f"{DATABASE} is missing", "files": f"{path.name} is missing"}


def test_what_does_not_belong_there_is_noticed(origin, backup):
    (backup / "notes.txt").touch()
    extra = backup / "files" / "ab" / f"ab{'0' * 30}"
    extra.parent.mkdir(exist_ok=True)
    extra.touch()
    assert wrong(origin, backup) == {"other files": f"notes.txt; {extra.name}"}


def test_a_table_that_is_not_as_in_the_manifest_is_noticed_without_its_bytes(origin, backup):
    if SERVER:
        pytest.skip("rows of a dump are compared when it is restored")
    tables = json.loads((backup / "manifest.json").read_text())["tables"]
    tables["core_user"]["rows"] = 7
    tables["core_organization"]["digest"] = "0" * 32
    rewrite(backup, tables=tables)
    told = "core_organization has other values in its 1 row; core_user has 1 row instead of 7"
    assert wrong(origin, backup) == {"content": told}


def test_a_dump_that_cannot_be_read_is_noticed(origin, backup):
    path = backup / DATABASE
    path.write_bytes(path.read_bytes()[:4000] + b"\0" * 4000)
    database = json.loads((backup / "manifest.json").read_text())["database"]
    rewrite(
        backup,
        database={**database, "size": 8000, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
    )
    assert list(wrong(origin, backup)) == ["content"]


def test_a_key_that_is_another_one_is_noticed(origin, tmp_path):
    origin.done("backup", tmp_path / "backup", "--with-secret-key")
    (tmp_path / "backup" / "secret-key").write_text(KEY.upper())
    assert list(wrong(origin, tmp_path / "backup")) == ["secret key"]


def test_a_folder_that_is_no_backup_is_told(origin, tmp_path):
    assert "is no backup, or not a complete one" in wrong(origin, tmp_path)["manifest"]


def test_a_newer_format_is_told(origin, backup):
    rewrite(backup, format=2)
    assert "format 2, and this version reads 1" in wrong(origin, backup)["manifest"]


def test_a_manifest_that_makes_no_sense_is_told(origin, backup):
    rewrite(backup, tables={"core_user": {"rows": "many", "digest": ""}})
    assert "tables.core_user.rows" in wrong(origin, backup)["manifest"]


def test_an_unsafe_name_of_a_file_is_refused(origin, backup):
    lines = (backup / "files.jsonl").read_text().splitlines()
    content = json.dumps({**json.loads(lines[0]), "key": "../../etc/passwd"}) + "\n"
    (backup / "files.jsonl").write_text(content)
    files = json.loads((backup / "manifest.json").read_text())["files"]
    rewrite(backup, files={**files, "sha256": hashlib.sha256(content.encode()).hexdigest()})
    assert "files.jsonl, line 1 cannot be read" in origin.refused("verify", backup)


class TestAgainstTheInstallation:
    def test_nothing_differs_where_nothing_happened(self, origin, kept):
        told = checks(origin.done("verify", kept, "--installation"))
        assert told["same tables"][0] == told["same files"][0] == "ok"

    def test_what_differs_is_named(self, filled, tmp_path):
        filled.done("backup", tmp_path / "backup")
        filled.run("UPDATE core_user SET username = 'eva'", "DELETE FROM core_audit_head")
        (key,) = filled.run("SELECT avatar FROM core_user")[0]
        flip(filled.files.path(key))
        more = filled.store(b"more")
        found = wrong(filled, tmp_path / "backup", "--installation")
        assert (
            found["same tables"] == "core_audit_head has 0 rows instead of 1; core_user has other values in its 1 row"
        )
        assert found["same files"] == f"{key} has another content; {more} is not in the backup"

    def test_what_the_disk_does_not_give_back_is_named(self, filled, tmp_path):
        filled.done("backup", tmp_path / "backup")
        (key,) = filled.run("SELECT avatar FROM core_user")[0]
        make_unreadable(filled.files.path(key))
        found = wrong(filled, tmp_path / "backup", "--installation")
        assert found == {"same files": f"{key} cannot be read: Input/output error"}

    def test_needs_a_backup(self, origin):
        assert "name one" in origin.refused("verify", "--installation", code=2)

    def test_an_installation_that_is_not_there_is_told(self, kept, tmp_path):
        if SERVER:
            pytest.skip("a database of a server is there, or does not answer")
        nowhere = Place(tmp_path / "home", f"sqlite:///{tmp_path / 'none.db'}")
        assert "is not there yet" in nowhere.refused("verify", kept, "--installation")
        assert not (tmp_path / "none.db").exists()

    def test_json_lists_every_check(self, origin, kept):
        told = json.loads(origin.done("verify", kept, "--installation", "--json"))
        assert told["ok"] is True
        assert {each["state"] for each in told["checks"]} == {"ok"}
