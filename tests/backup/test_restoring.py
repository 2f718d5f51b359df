"""`helpdesk restore`: all of a backup elsewhere, or everything as it was."""

import json
import sqlite3
import stat
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from helpdesk_core.backup.failures import BackupFailed
from helpdesk_core.keys import fingerprint
from tests.backup.damage import flip, rewrite, some_file
from tests.backup.place import KEY, Place, checks, contents, is_untouched, litter, slugs
from tests.databases import SERVER

OTHER = "another secret key of more than thirty-two characters"


def test_an_empty_installation_becomes_the_one_of_the_backup(origin, kept, elsewhere):
    told = elsewhere.done("restore", kept)
    found = checks(told)
    assert found["same tables"][0] == found["same files"][0] == "ok"
    assert contents(elsewhere.home / "files") == contents(origin.home / "files")
    elsewhere.done("verify")
    assert "up to date" in elsewhere.done("migrate", "--check")
    assert not litter(elsewhere)


def test_json_tells_what_was_found(kept, elsewhere):
    told = json.loads(elsewhere.done("restore", kept, "--json"))
    assert (told["ok"], told["set_aside"], told["key_placed"], told["migrations_due"]) == (True, [], False, [])


def test_what_is_there_is_not_replaced_unless_asked(kept, occupied):
    assert "There is something here already" in occupied.refused("restore", kept)
    assert is_untouched(occupied)


def test_files_alone_are_something_too(kept, elsewhere):
    elsewhere.store(b"a file")
    assert str(elsewhere.home / "files") in elsewhere.refused("restore", kept)


def test_what_is_there_is_set_aside_after_asking(kept, occupied):
    assert occupied.helpdesk("restore", kept, "--replace", input="n\n").exit_code == 1
    assert is_untouched(occupied)
    told = occupied.done("restore", kept, "--replace", input="y\n")
    assert slugs(occupied) == ["acme"]
    aside = [line.rpartition(": ")[2] for line in told.splitlines() if line.startswith("What was here")]
    assert len(aside) == 2
    if SERVER:
        schema = aside[0].removeprefix("schema ")
        assert occupied.run(f"SELECT slug FROM {schema}.core_organization") == [("globex",)]
    else:
        assert slugs(Place(occupied.home, f"sqlite:///{aside[0]}")) == ["globex"]
    assert list(contents(Path(aside[1])).values()) == [b"of Globex"]


def test_what_was_set_aside_is_in_no_backup(kept, occupied, tmp_path):
    occupied.done("restore", kept, "--replace", "--yes")
    occupied.done("backup", tmp_path / "again")
    occupied.done("verify", tmp_path / "again", "--installation")
    both = [json.loads((folder / "manifest.json").read_text())["tables"] for folder in (kept, tmp_path / "again")]
    assert both[0] == both[1]


def test_a_damaged_backup_is_refused_before_anything_is_touched(backup, occupied):
    path = some_file(backup)
    flip(path)
    told = occupied.refused("restore", backup, "--replace", "--yes")
    assert "nothing was touched" in told
    assert path.name in told
    assert is_untouched(occupied)


def test_a_newer_format_is_refused(backup, elsewhere):
    rewrite(backup, format=2)
    assert "use a newer helpdesk" in elsewhere.refused("restore", backup)


def test_the_other_kind_of_database_is_refused(backup, elsewhere):
    database = json.loads((backup / "manifest.json").read_text())["database"]
    rewrite(backup, database={**database, "kind": "sqlite" if SERVER else "postgresql"})
    assert "HELPDESK_DATABASE_URL" in elsewhere.refused("restore", backup)


def test_what_was_set_aside_is_told_although_nothing_can_be_compared(kept, occupied, monkeypatch):
    def compare(*_):
        raise BackupFailed("The database refuses: it went away.")

    monkeypatch.setattr("helpdesk_core.cli.restore.compare", compare)
    result = occupied.helpdesk("restore", kept, "--replace", "--yes")
    assert result.exit_code == 1
    assert result.stdout.count("What was here before is kept: ") == 2


def test_files_on_another_disk_stay_there(kept, occupied, tmp_path):
    link, disk = occupied.home / "files", tmp_path / "disk"
    disk.mkdir()
    link.rename(disk / "uploads")
    link.symlink_to(disk / "uploads")
    told = occupied.done("restore", kept, "--replace", "--yes")
    assert link.readlink() == disk / "uploads"
    assert contents(disk / "uploads") == contents(kept / "files")
    aside = Path(told.rpartition("kept: ")[2].splitlines()[0])
    assert aside.parent == disk
    assert list(contents(aside).values()) == [b"of Globex"]


def test_an_empty_folder_on_another_disk_is_nothing_to_keep(kept, elsewhere, tmp_path):
    (tmp_path / "disk" / "uploads").mkdir(parents=True)
    elsewhere.home.mkdir()
    (elsewhere.home / "files").symlink_to(tmp_path / "disk" / "uploads")
    elsewhere.done("restore", kept)
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["uploads"]


def test_files_at_a_mount_point_are_refused_at_once(kept, elsewhere):
    elsewhere.home.mkdir()
    (elsewhere.home / "files").symlink_to("/")
    assert elsewhere.refused("restore", kept, "--replace", "--yes").startswith("/ is a mount point")
    assert not litter(elsewhere)


def test_a_database_in_use_is_not_replaced(kept, occupied):
    engine = create_engine(occupied.database)
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1 FROM core_organization").fetchall()
        told = occupied.refused("restore", kept, "--replace", "--yes")
    engine.dispose()
    assert "stop the servers and workers first" in told
    assert is_untouched(occupied)


def test_an_older_backup_says_that_migrations_are_due(filled, tmp_path):
    filled.run("UPDATE helpdesk_version_core SET version_num = '0001'")
    filled.done("backup", tmp_path / "backup")
    told = filled.done("restore", tmp_path / "backup", "--replace", "--yes")
    assert "Migrations are due (core): run `helpdesk migrate`." in told


@pytest.mark.skipif(bool(SERVER), reason="is about files of SQLite")
def test_a_damaged_database_is_replaced_too(kept, elsewhere):
    path = Path(elsewhere.database.removeprefix("sqlite:///"))
    path.write_bytes(b"not a database" * 1000)
    assert "There is something here" in elsewhere.refused("restore", kept)
    elsewhere.done("restore", kept, "--replace", "--yes")
    assert slugs(elsewhere) == ["acme"]
    (aside,) = litter(elsewhere)
    assert path.with_name(aside).read_bytes() == b"not a database" * 1000


@pytest.mark.skipif(bool(SERVER), reason="is about files of SQLite")
def test_a_database_without_tables_is_nothing_to_keep(kept, elsewhere):
    path = elsewhere.database.removeprefix("sqlite:///")
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t (i)")
    connection.execute("DROP TABLE t")
    connection.commit()
    connection.close()
    elsewhere.done("restore", kept)
    assert not litter(elsewhere)


class TestKeys:
    @pytest.fixture
    def with_key(self, origin, tmp_path):
        origin.done("backup", tmp_path / "with-key", "--with-secret-key")
        return tmp_path / "with-key"

    def test_another_key_is_refused_with_what_would_be_lost(self, kept, elsewhere):
        elsewhere.key = OTHER
        told = elsewhere.refused("restore", kept)
        assert fingerprint(KEY.encode()) in told
        assert "second factors" in told
        assert KEY not in told

    def test_another_key_is_accepted_when_asked_to(self, kept, elsewhere):
        elsewhere.key = OTHER
        elsewhere.done("restore", kept, "--accept-other-key")
        assert slugs(elsewhere) == ["acme"]

    def test_a_previous_key_will_do(self, kept, elsewhere):
        elsewhere.key = OTHER
        elsewhere.done("restore", kept, environment={"HELPDESK_PREVIOUS_SECRET_KEYS": KEY})

    def test_a_previous_key_of_the_backup_is_needed_as_well(self, origin, elsewhere, tmp_path):
        origin.done("backup", tmp_path / "backup", environment={"HELPDESK_PREVIOUS_SECRET_KEYS": OTHER})
        assert "A previous secret key" in elsewhere.refused("restore", tmp_path / "backup")

    def test_the_key_of_the_backup_is_put_where_there_is_none(self, with_key, elsewhere):
        elsewhere.key = ""
        assert "was put into place" in elsewhere.done("restore", with_key)
        placed = elsewhere.home / "secret-key"
        assert placed.read_text() == KEY
        assert stat.S_IMODE(placed.stat().st_mode) == 0o600
        assert checks(elsewhere.done("verify"))["audit log"][0] == "ok"

    def test_without_any_key_it_is_refused_and_none_is_made(self, kept, elsewhere):
        elsewhere.key = ""
        assert "is not here" in elsewhere.refused("restore", kept)
        assert not (elsewhere.home / "secret-key").exists()

    def test_a_key_that_no_file_keeps_is_refused(self, origin, elsewhere, tmp_path):
        Place(origin.home, origin.database, key=f"{KEY} ").done("backup", tmp_path / "kept", "--with-secret-key")
        elsewhere.key = ""
        assert "white space around it" in elsewhere.refused("restore", tmp_path / "kept")
        assert not (elsewhere.home / "secret-key").exists()
        elsewhere.key = f"{KEY} "
        elsewhere.done("restore", tmp_path / "kept")
