"""SQLite: what a restore may pass over before it moves a database, and what it may not."""

import pytest

from helpdesk_core.backup import sqlite
from helpdesk_core.backup.failures import BackupFailed


@pytest.mark.parametrize("content", [b"not a database" * 1000, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_database_stays_as_it_is(tmp_path, content):
    path = tmp_path / "damaged.db"
    path.write_bytes(content)
    sqlite.close_for_good(path)
    assert path.read_bytes() == content


def test_one_of_which_nobody_can_tell_whether_it_is_in_use_is_not_moved(tmp_path):
    with pytest.raises(BackupFailed, match=f"{tmp_path}: unable to open database file"):
        sqlite.close_for_good(tmp_path)
