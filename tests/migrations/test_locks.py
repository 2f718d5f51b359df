"""On PostgreSQL a migration waits for a lock shortly, gives way, tries again, and tells who is in the way."""

from contextlib import ExitStack
from dataclasses import replace

import pytest
from psycopg.errors import LockNotAvailable
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from helpdesk_core.lineages import MigrationFailed
from helpdesk_core.migrations import align_rows, upgrade
from helpdesk_core.migrations.locks import Holder, Try, in_transaction, named, retried, take_turn, turn
from tests.databases import SERVER
from tests.migrations.conftest import EXPANDING, ONLINE, SHIFTS

pytestmark = [
    pytest.mark.skipif(not SERVER, reason="SQLite has one writer, and locks no tables"),
    pytest.mark.timeout(20),
]

INDEX = 'create_index_online(op, "ix_oncall_shift_name", "oncall_shift", ["name"])'


@pytest.fixture
def reader(url, releases):
    """Somebody who has read the table in a transaction that is still open."""
    upgrade(url, [releases.add(SHIFTS)])
    engine = create_engine(url, connect_args={"application_name": "a report"})
    with engine.connect() as connection:
        connection.execute(text("SELECT 'who reads' FROM oncall_shift"))
        yield connection
    engine.dispose()


@pytest.fixture
def validity(rows):
    """Return whether the index is valid; nothing if there is none."""
    query = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('ix_oncall_shift_name')"
    return lambda: [valid for (valid,) in rows(query)]


def test_it_gives_up_without_a_change_and_names_who_holds_the_lock(url, releases, reader, patience, told):
    with pytest.raises(MigrationFailed, match=r"given up after 0\.5 s") as failed:
        upgrade(url, [releases.add(EXPANDING)], patience=patience)
    pid = reader.execute(text("SELECT pg_backend_pid()")).scalar()
    assert f"oncall: waits for a lock, held by process {pid} (a report, user " in str(failed.value)
    assert "idle in transaction" in told[0]
    assert "): SELECT 'who reads' FROM oncall_shift" in told[0]
    assert list(reader.execute(text("SELECT version_num FROM helpdesk_version_oncall"))) == [("1",)]


def test_it_goes_on_as_soon_as_the_lock_is_free(url, releases, reader, patience, told):
    free = replace(patience, sleep=lambda _: reader.rollback())
    assert upgrade(url, [releases.add(EXPANDING)], patience=free) == ["oncall"]
    assert len(told) == 1


def test_it_waits_for_another_migrator_in_tries_too(url, releases, patience, told):
    engine = create_engine(url, connect_args={"application_name": "the first one"})
    with engine.connect() as other:
        take_turn(other)
        with pytest.raises(MigrationFailed, match="oncall: another migration is running on this database, held by"):
            upgrade(url, [releases.add(SHIFTS)], patience=patience)
        assert "the first one" in told[0]
        free = replace(patience, sleep=lambda _: other.rollback())
        assert upgrade(url, [releases.lineage], patience=free) == ["oncall"]
    engine.dispose()


def test_its_connections_have_a_name_and_no_time_limit_on_statements(url, releases, rows):
    rows(f'ALTER DATABASE "{url.rpartition("/")[2]}" SET statement_timeout = 1000')
    releases.add(
        SHIFTS,
        "seen = \"current_setting('application_name') || current_setting('statement_timeout')\"",
        'op.execute(f"INSERT INTO oncall_shift VALUES (1, {seen})")',
    )
    upgrade(url, [releases.lineage])
    assert rows("SELECT name FROM oncall_shift") == [("helpdesk migrate0",)]


@pytest.fixture
def limits(url, releases, rows):
    """Return the time limits of statements of an online revision: one in a transaction, and one that has none."""
    for limit in ("statement_timeout = '7s'", "lock_timeout = '8s'"):
        rows(f'ALTER DATABASE "{url.rpartition("/")[2]}" SET {limit}')
    limits = "current_setting('statement_timeout') || ' ' || current_setting('lock_timeout')"
    noted = f"INSERT INTO oncall_shift SELECT count(*), {limits} FROM oncall_shift"
    inside, outside = f'op.execute("{noted}")', f'op.execute("DO $$ BEGIN {noted}; END $$")'

    def look():
        upgrade(url, [releases.add(SHIFTS)])
        upgrade(url, [releases.add(inside, outside, said=ONLINE)])
        return [found for (found,) in rows("SELECT name FROM oncall_shift ORDER BY id")]

    return look


def test_an_online_revision_may_take_its_time(limits):
    assert limits() == ["0 0", "0 0"]


def test_through_a_pooler_it_changes_no_setting_that_outlasts_a_transaction(limits, monkeypatch):
    monkeypatch.setattr("helpdesk_core.migrations.online.is_pooled", lambda _: True)
    assert limits() == ["0 0", "7s 8s"]


def test_an_index_is_made_beside_whoever_writes(url, releases, reader, patience, validity):
    reader.execute(text("INSERT INTO oncall_shift VALUES (1, 'tonight')"))
    reader.commit()
    reader.execute(text("LOCK TABLE oncall_shift IN ACCESS SHARE MODE"))
    upgrade(url, [releases.add(INDEX, said=ONLINE)], patience=patience)
    assert validity() == [True]


def test_what_a_failed_index_has_left_is_dropped_and_made_anew(url, releases, patience, rows, validity):
    upgrade(url, [releases.add(SHIFTS)])
    rows("INSERT INTO oncall_shift VALUES (1, 'twice'), (2, 'twice')")
    releases.add(INDEX.replace(")", ", unique=True)"), said=ONLINE)
    with pytest.raises(MigrationFailed, match="could not create unique index"):
        upgrade(url, [releases.lineage], patience=patience)
    assert validity() == [False]
    rows("DELETE FROM oncall_shift WHERE id = 2")
    upgrade(url, [releases.lineage], patience=patience)
    assert validity() == [True]


def test_row_level_security_waits_for_another_migrator_too(url, patience, told):
    engine = create_engine(url)
    with ExitStack() as other:
        other.enter_context(turn(engine))
        assert align_rows(url, on=True, patience=replace(patience, sleep=lambda _: other.close())) == 0
    assert told[0].startswith("row-level security: another migration is running on this database, held by")
    engine.dispose()


def test_row_level_security_gives_way_to_whoever_reads(url, releases, reader, patience, told):
    owned = 'op.add_column("oncall_shift", sa.Column("organization_id", sa.Integer))'
    reader.rollback()
    upgrade(url, [releases.add(owned)])
    reader.execute(text("SELECT 'who reads' FROM oncall_shift"))
    assert align_rows(url, on=True, patience=replace(patience, sleep=lambda _: reader.rollback())) == 1
    assert "SELECT 'who reads' FROM oncall_shift" in told[0]


class TestAutovacuum:
    """PostgreSQL sends it away for somebody who has waited for as long as until it looks for deadlocks."""

    SWEEPER = Holder(7, None, "", None, None, None, is_autovacuum=True)
    READER = Holder(8, "helpdesk", "a report", "active", "SELECT 1", 3)

    @pytest.fixture
    def tried(self, patience):
        """Return which tries have waited for longer, when these were in the way of one after the other."""

        def fail(*in_the_way):
            found, waiting = [], iter(in_the_way)

            def attempt(now):
                found.append(now.outlasts_autovacuum)
                if (holders := next(waiting, None)) is not None:
                    now.saw(holders)
                    raise DBAPIError("ALTER TABLE", None, LockNotAvailable())

            retried("oncall", replace(patience, seconds=60), attempt)
            return found

        return fail

    def test_is_waited_for_until_it_leaves(self, tried):
        assert tried([self.SWEEPER]) == [False, True]

    def test_that_does_not_leave_holds_up_others_only_every_other_time(self, tried):
        assert tried([self.SWEEPER], [self.SWEEPER], [self.SWEEPER]) == [False, True, False, True]

    def test_is_not_waited_for_beside_somebody_else(self, tried):
        assert tried([self.SWEEPER, self.READER], [self.READER], []) == [False] * 4

    def test_is_named(self):
        assert named([self.SWEEPER]) == "process 7 (autovacuum)"

    @pytest.mark.parametrize(("now", "waits"), [(Try(), "50ms"), (Try(outlasts_autovacuum=True), "1200ms")])
    def test_leaves_when_the_server_looks_for_deadlocks(self, url, patience, now, waits):
        engine = create_engine(url)
        found = in_transaction(engine, patience, lambda connection: connection.scalar(text("SHOW lock_timeout")), now)
        engine.dispose()
        assert found == waits


def test_other_migrators_wait_for_an_index_as_well(url, releases, patience):
    upgrade(url, [releases.add(SHIFTS)])
    engine = create_engine(url)
    with turn(engine), pytest.raises(MigrationFailed, match="another migration is running"):
        upgrade(url, [releases.add(INDEX, said=ONLINE)], patience=patience)
    engine.dispose()
