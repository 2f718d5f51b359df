"""The same index is made on every database, new table or not; on PostgreSQL each statement is by itself."""

import pytest
from sqlalchemy import create_engine, inspect, text

from helpdesk_core.lineages import MigrationFailed
from helpdesk_core.migrations import align_rows, render_sql, upgrade
from helpdesk_core.row_security import see_everyone
from tests.databases import SERVER, owned_database
from tests.migrations.conftest import ONLINE, SHIFTS

INDEX = (
    'create_index_online(op, "ix_oncall_shift_name", "oncall_shift", ["name"], unique=True, where="name IS NOT NULL")'
)
RENAMING = "op.execute(\"UPDATE oncall_shift SET name = 'night'\")"
FAILING = 'op.execute("SELECT 1 / 0")'
DROPPED = 'drop_index_online(op, "ix_oncall_shift_name", "oncall_shift")'


@pytest.fixture
def indexes(url):
    def look():
        engine = create_engine(url)
        try:
            return [(each["name"], each["column_names"]) for each in inspect(engine).get_indexes("oncall_shift")]
        finally:
            engine.dispose()

    return look


@pytest.mark.parametrize("together", [True, False])
def test_an_index_is_made_and_dropped(url, releases, indexes, together):
    releases.add(SHIFTS)
    if not together:
        upgrade(url, [releases.lineage])
    upgrade(url, [releases.add(INDEX, said=ONLINE)])
    assert indexes() == [("ix_oncall_shift_name", ["name"])]
    upgrade(url, [releases.add(DROPPED, said=ONLINE)])
    assert indexes() == []


def test_printed_for_postgresql_it_is_outside_of_a_transaction(releases, capsys):
    releases.add(SHIFTS)
    render_sql("postgresql://nowhere/nothing", releases.add(INDEX, said=ONLINE))
    before, _, after = capsys.readouterr().out.partition("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS")
    assert before.count("BEGIN;") == before.count("COMMIT;") == 1
    assert "BEGIN;" not in after


@pytest.mark.skipif(not SERVER, reason="SQLite keeps no rows apart, and has transactions for everything")
class TestStatementsOnAServer:
    @pytest.fixture
    def walled(self, releases, worker_id):
        """A database with the shifts of two organisations, kept apart."""
        owner = 'op.add_column("oncall_shift", sa.Column("organization_id", sa.Integer))'
        filled = "op.execute(\"INSERT INTO oncall_shift VALUES (1, 'early', 901), (2, 'late', 902)\")"
        with owned_database(worker_id, "online") as url:
            upgrade(url, [releases.add(SHIFTS, owner, filled)])
            assert align_rows(url, on=True) == 1
            yield url

    @pytest.fixture
    def names(self, walled):
        """Return the names of all shifts."""

        def look():
            engine = create_engine(walled)
            with engine.connect() as connection:
                see_everyone(connection)
                found = connection.scalars(text("SELECT name FROM oncall_shift ORDER BY id")).all()
            engine.dispose()
            return found

        return look

    def test_see_every_organisation(self, walled, releases, names):
        upgrade(walled, [releases.add(RENAMING, said=ONLINE)])
        assert names() == ["night", "night"]

    def test_are_committed_one_by_one(self, walled, releases, names):
        with pytest.raises(MigrationFailed, match="division by zero"):
            upgrade(walled, [releases.add(RENAMING, FAILING, said=ONLINE)])
        assert names() == ["night", "night"]

    def test_may_fail_in_a_revision_that_goes_on(self, walled, releases, names):
        lines = ("try:", f"    {FAILING}", "except sa.exc.DBAPIError:", f"    {RENAMING}")
        upgrade(walled, [releases.add(*lines, said=ONLINE)])
        assert names() == ["night", "night"]

    def test_that_end_transactions_themselves_have_none(self, walled, releases, names):
        told = "PERFORM set_config('helpdesk.organization', '*', true)"
        block = f"BEGIN {told}; UPDATE oncall_shift SET name = 'night'; COMMIT; END"
        upgrade(walled, [releases.add(f'op.execute("DO $$ {block} $$")', said=ONLINE)])
        assert names() == ["night", "night"]
