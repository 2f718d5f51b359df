"""A restore that fails: everything is as it was before, or it is said what is not."""

from pathlib import Path

import pytest

from helpdesk_core.backup import postgres, programs, restoring
from helpdesk_core.backup.failures import BackupFailed
from helpdesk_core.backup.streams import sync
from helpdesk_core.backup.undoing import ALL, Undo
from tests.backup.damage import no_file_larger_than
from tests.backup.place import Place, is_untouched, litter, slugs
from tests.databases import SERVER


def broken(*_):
    raise OSError(5, "Input/output error")


def refusing(*_):
    raise BackupFailed("The database refuses: it went away.")


@pytest.fixture
def break_rename(monkeypatch):
    """Have renaming fail for what is called like this."""

    def broken_for(start: str) -> None:
        real = Path.rename

        def rename(path, target):
            return broken() if path.name.startswith(start) else real(path, target)

        monkeypatch.setattr(Path, "rename", rename)

    return broken_for


@pytest.fixture
def break_database(monkeypatch, break_rename):
    """Have the database fail where what was there is set aside already."""

    def break_it() -> None:
        if SERVER:
            monkeypatch.setattr(programs, "restore", refusing)
        else:
            break_rename(".elsewhere.db")

    return break_it


def test_a_copy_that_fails_leaves_what_was_there(kept, occupied):
    with no_file_larger_than(100_000):
        told = occupied.refused("restore", kept, "--replace", "--yes")
    assert told.endswith(ALL)
    assert is_untouched(occupied)


def test_a_database_that_cannot_be_placed_leaves_what_was_there(kept, occupied, break_database):
    break_database()
    assert occupied.refused("restore", kept, "--replace", "--yes").endswith(ALL)
    assert is_untouched(occupied)


@pytest.mark.skipif(not SERVER, reason="is about pg_restore")
def test_a_dump_that_breaks_off_leaves_what_was_there(kept, occupied):
    occupied.run(
        "CREATE FUNCTION out_of_luck() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'out of luck'; END$$",
        "CREATE EVENT TRIGGER unlucky ON ddl_command_end WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION out_of_luck()",
    )
    told = occupied.refused("restore", kept, "--replace", "--yes")
    assert "out of luck" in told
    assert told.endswith(ALL)
    assert is_untouched(occupied)
    assert occupied.run("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'helpdesk%'") == []


def test_files_that_cannot_be_placed_leave_what_was_there(kept, occupied, break_rename):
    break_rename(".files.")
    assert occupied.refused("restore", kept, "--replace", "--yes") == f"Input/output error. {ALL}"
    assert is_untouched(occupied)


def test_a_disk_that_fails_in_the_end_leaves_what_was_there(kept, occupied, monkeypatch):
    monkeypatch.setattr(restoring, "sync", lambda path: broken() if path == occupied.home else sync(path))
    assert occupied.refused("restore", kept, "--replace", "--yes") == f"Input/output error. {ALL}"
    assert is_untouched(occupied)


def test_a_restore_into_nothing_leaves_nothing(kept, elsewhere, break_rename):
    break_rename(".files.")
    for _ in range(2):
        assert elsewhere.refused("restore", kept) == f"Input/output error. {ALL}"
    assert not litter(elsewhere)


def test_whoever_breaks_it_off_is_told_where_things_are(kept, occupied, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("helpdesk_core.backup.restoring._Restoring.place_files", interrupt)
    result = occupied.helpdesk("restore", kept, "--replace", "--yes")
    assert "Setting aside " in result.stdout
    assert ALL in result.stdout
    assert is_untouched(occupied)


def test_the_key_goes_again_with_the_rest(origin, elsewhere, tmp_path, break_database):
    origin.done("backup", tmp_path / "with-key", "--with-secret-key")
    elsewhere.key = ""
    break_database()
    assert elsewhere.refused("restore", tmp_path / "with-key").endswith(ALL)
    assert not (elsewhere.home / "secret-key").exists()


@pytest.mark.skipif(not SERVER, reason="is about schemas")
def test_a_schema_that_cannot_be_put_back_is_named_and_can_be_by_hand(kept, occupied, monkeypatch):
    monkeypatch.setattr(programs, "restore", refusing)
    monkeypatch.setattr(postgres, "put_back", refusing)
    told = occupied.refused("restore", kept, "--replace", "--yes")
    schema = told.partition("what the database held is in schema ")[2].split()[0]
    assert "NOT undone" in told
    assert ALL not in told
    occupied.run("DROP SCHEMA public", f"ALTER SCHEMA {schema} RENAME TO public")
    assert is_untouched(occupied)


@pytest.mark.skipif(bool(SERVER), reason="is about files of SQLite")
def test_a_database_that_cannot_be_put_back_is_named(kept, occupied, break_rename):
    break_rename(".elsewhere.db")
    break_rename("elsewhere.db.replaced")
    told = occupied.refused("restore", kept, "--replace", "--yes")
    aside = Path(told.partition(" is in ")[2].split()[0])
    assert "NOT undone" in told
    assert ALL not in told
    assert slugs(Place(occupied.home, f"sqlite:///{aside}")) == ["globex"]


def test_a_step_that_cannot_be_taken_back_does_not_keep_the_others():
    undo, taken_back = Undo(), []
    undo.add("the first is still there", taken_back.append, 1)
    undo.add("the second is still there", broken)
    undo.add("the third is still there", refusing)
    undo.add("the fourth is still there", taken_back.append, 4)
    assert undo.everything() == (
        "NOT undone: the third is still there (The database refuses: it went away); the second is still there "
        "(Input/output error). docs/backup.md tells how to put things back by hand."
    )
    assert taken_back == [4, 1]
    assert undo.everything() == ALL
