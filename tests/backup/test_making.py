"""`helpdesk backup`: one moment of everything, or nothing."""

import hashlib
import json
import stat
import threading
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from helpdesk_core.keys import fingerprint
from tests.backup.damage import make_unreadable, no_file_larger_than
from tests.backup.place import KEY, Place
from tests.databases import SERVER


def manifest(folder: Path):
    return json.loads((folder / "manifest.json").read_text())


def test_the_manifest_tells_what_there_is(origin, kept):
    told = manifest(kept)
    assert (told["format"], told["database"]["kind"]) == (1, "postgresql" if SERVER else "sqlite")
    assert told["created_at"].endswith("Z")
    assert len(told["created_at"]) == 20
    assert told["lineages"] == {"core": origin.run("SELECT version_num FROM helpdesk_version_core")[0][0]}
    assert told["plugins"]["accounts"]
    assert told["tables"]["core_user"]["rows"] == 1
    assert (told["files"]["count"], told["files"]["size"]) == (2, 180_013)


def test_every_file_is_listed_with_its_size_and_digest(origin, kept):
    listed = {each["key"]: each for each in map(json.loads, (kept / "files.jsonl").read_text().splitlines())}
    assert set(listed) == set(origin.files)
    for key, each in listed.items():
        content = (kept / "files" / key[:2] / key).read_bytes()
        assert content == b"".join(origin.files.read(key))
        assert (each["size"], each["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


def test_the_ends_of_audit_logs_are_as_audit_verify_takes_them(origin, kept):
    (line,) = manifest(kept)["audit"].values()
    assert origin.helpdesk("audit", "verify", "--kept", line).exit_code == 0


def test_only_its_owner_can_read_it(kept):
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (kept, *kept.rglob("*"))}
    assert modes == {0o600, 0o700}


def test_the_key_is_in_it_only_when_asked_for(origin, kept, tmp_path):
    assert manifest(kept)["keys"] == {"current": fingerprint(KEY.encode()), "previous": [], "included": False}
    assert not [path for path in kept.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    origin.done("backup", tmp_path / "with-key", "--with-secret-key")
    assert (tmp_path / "with-key" / "secret-key").read_text() == KEY


def test_a_key_that_is_missing_is_not_made(origin, tmp_path):
    keyless = Place(origin.home, origin.database, key="")
    told = keyless.done("backup", tmp_path / "backup", "--json")
    assert json.loads(told)["keys"]["current"] is None
    assert "HELPDESK_SECRET_KEY" in keyless.refused("backup", tmp_path / "other", "--with-secret-key")
    assert not (origin.home / "secret-key").exists()


def test_json_prints_the_manifest_and_nothing_else(origin, tmp_path):
    result = origin.helpdesk("backup", tmp_path / "backup", "--json")
    assert json.loads(result.stdout) == manifest(tmp_path / "backup")
    assert "Writing the database" in result.stderr


def test_the_same_content_has_the_same_digests(origin, kept, tmp_path):
    origin.done("backup", tmp_path / "again")
    assert manifest(tmp_path / "again")["tables"] == manifest(kept)["tables"]


def test_nothing_is_written_over(origin, tmp_path):
    (tmp_path / "there").mkdir()
    assert "exists already" in origin.refused("backup", tmp_path / "there")
    assert "is no folder" in origin.refused("backup", tmp_path / "nowhere" / "backup")
    assert "among the stored files" in origin.refused("backup", origin.home / "files" / "backup")


def test_what_is_not_there_cannot_be_backed_up(tmp_path):
    if not SERVER:
        empty = Place(tmp_path / "home", f"sqlite:///{tmp_path / 'none.db'}")
        assert "is not there yet" in empty.refused("backup", tmp_path / "backup")
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("size", [100_000, 20_000], ids=["in a stored file", "in the database"])
def test_a_full_disk_leaves_nothing_behind(origin, tmp_path, size):
    (tmp_path / "target").mkdir()
    source = origin if size == 100_000 else Place(tmp_path / "no-files", origin.database)
    source.home.mkdir(exist_ok=True)
    with no_file_larger_than(size):
        told = source.refused("backup", tmp_path / "target" / "backup")
    assert told
    assert not list((tmp_path / "target").iterdir())


def test_a_file_that_cannot_be_read_is_named(filled, tmp_path):
    (key,) = filled.run("SELECT avatar FROM core_user")[0]
    make_unreadable(filled.files.path(key))
    told = filled.refused("backup", tmp_path / "backup")
    assert told == f"{filled.files.path(key)}: Input/output error. Nothing is left of the backup."


@pytest.mark.skipif(bool(SERVER), reason="is about files of SQLite")
def test_a_database_that_cannot_be_read_is_named(filled, tmp_path):
    path = Path(filled.database.removeprefix("sqlite:///"))
    path.write_bytes(b"not a database" * 1000)
    told = filled.refused("backup", tmp_path / "backup")
    assert told.startswith(f"{path} could not be written to {tmp_path}")


def test_it_is_one_moment_while_others_write(filled, tmp_path):
    filled.run("CREATE TABLE core_probe (id INTEGER PRIMARY KEY, half INTEGER)")
    engine = create_engine(filled.database)
    began, stopping = threading.Event(), threading.Event()

    def write() -> None:
        number = 0
        while not stopping.is_set():
            with engine.begin() as connection:
                for half in (0, 1):
                    connection.execute(text(f"INSERT INTO core_probe VALUES ({number + half}, {half})"))
            number += 2
            began.set()

    writer = threading.Thread(target=write)
    writer.start()
    began.wait()
    try:
        filled.done("backup", tmp_path / "backup")
    finally:
        stopping.set()
        writer.join()
        engine.dispose()
    assert manifest(tmp_path / "backup")["tables"]["core_probe"]["rows"] % 2 == 0
    filled.done("verify", tmp_path / "backup")


def test_a_file_that_is_deleted_meanwhile_is_there_as_its_row_is(filled, tmp_path, monkeypatch):
    (key,) = filled.run("SELECT avatar FROM core_user")[0]
    kind = "postgres" if SERVER else "sqlite"

    def snapshot(*arguments):
        filled.files.delete(key)
        later.append(filled.store(b"uploaded just now"))
        return real(*arguments)

    later: list[str] = []
    module = __import__(f"helpdesk_core.backup.{kind}", fromlist=["snapshot"])
    real = module.snapshot
    monkeypatch.setattr(module, "snapshot", snapshot)
    filled.done("backup", tmp_path / "backup")
    copied = {path.name for path in (tmp_path / "backup" / "files").glob("??/*")}
    assert {key, *later} <= copied


@pytest.mark.skipif(bool(SERVER), reason="is about pages of SQLite")
def test_what_was_deleted_does_not_travel(filled, tmp_path):
    filled.run(
        "CREATE TABLE core_probe (id INTEGER PRIMARY KEY, words TEXT)",
        "INSERT INTO core_probe VALUES (1, 'canary of what was deleted')",
    )
    filled.run("DELETE FROM core_probe")
    filled.done("backup", tmp_path / "backup")
    assert b"canary of what was deleted" not in (tmp_path / "backup" / "database.sqlite").read_bytes()
