"""The same index is made on every database, whether its table is new or not."""

import pytest
from sqlalchemy import create_engine, inspect

from helpdesk_core.migrations import render_sql, upgrade
from tests.migrations.conftest import ONLINE, SHIFTS

INDEX = (
    'create_index_online(op, "ix_oncall_shift_name", "oncall_shift", ["name"], unique=True, where="name IS NOT NULL")'
)
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
