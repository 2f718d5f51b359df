"""What takes something away runs after the deployment, and code that was rolled back knows what it can work with."""

import pytest

from helpdesk_core.database import Database
from helpdesk_core.lineages import MigrationFailed
from helpdesk_core.migrations import downgrade, move, pending, upgrade
from helpdesk_core.positions import Standing, positions
from tests.migrations.conftest import CONTRACT, CONTRACTING, EXPANDING, SHIFTS


@pytest.fixture
def position(url, releases):
    """Return where the database stands, compared with the revisions that are written now."""

    def look():
        database = Database(url)
        try:
            with database.engine.connect() as connection:
                (found,) = positions(connection, [releases.lineage])
            assert bool(pending(database, [releases.lineage])) == bool(found.reason)
            return found
        finally:
            database.dispose()

    return look


@pytest.fixture
def three(releases):
    """Three releases: a table, a column more, and one column less."""
    releases.add(SHIFTS)
    releases.add(EXPANDING)
    return releases.add(CONTRACTING, said=CONTRACT)


def test_the_phase_of_expansion_stops_before_what_takes_something_away(url, three, position, rows):
    assert upgrade(url, [three], phase="expand") == ["oncall"]
    assert rows("SELECT id, name, title FROM oncall_shift") == []
    assert position().standing is Standing.CONTRACT_DUE
    assert position().note == "oncall: revision 3 waits until no older version runs; then run `helpdesk migrate`"
    assert upgrade(url, [three], phase="expand") == []


def test_the_other_phase_runs_the_rest(url, three, position):
    upgrade(url, [three], phase="expand")
    assert upgrade(url, [three]) == ["oncall"]
    assert position().standing is Standing.CURRENT


def test_what_expands_after_something_was_taken_away_is_needed(url, three, releases, position):
    upgrade(url, [three], phase="expand")
    releases.add('op.add_column("oncall_shift", sa.Column("note", sa.String(20), nullable=True))')
    assert position().standing is Standing.DUE


def test_code_that_was_rolled_back_goes_on_with_what_was_added(url, releases, position):
    releases.add(SHIFTS)
    upgrade(url, [releases.add(EXPANDING)])
    older = releases.remove()
    assert (position().standing, position().reason) == (Standing.AHEAD, None)
    assert position().note == "oncall: the database has revision 2 of a newer version, and all that this one uses"
    assert upgrade(url, [older]) == []


def test_code_that_was_rolled_back_stops_where_something_is_gone(url, three, releases, position):
    upgrade(url, [three])
    releases.remove()
    older = releases.remove()
    told = "a newer version has taken away what this one may use, with revision 3: install the newer one again"
    assert (position().standing, position().reason) == (Standing.CONTRACTED, told)
    with pytest.raises(MigrationFailed, match=f"^oncall: {told}$"):
        upgrade(url, [older])


def test_a_revision_that_nobody_noted_is_not_trusted(url, releases, position, rows):
    releases.add(SHIFTS)
    upgrade(url, [releases.add(EXPANDING)])
    rows("DELETE FROM helpdesk_revision WHERE revision = '2'")
    releases.remove()
    assert position().standing is Standing.UNKNOWN
    assert "revision 2, which this version does not know" in position().reason


def test_a_newer_version_that_lacks_a_step_of_this_one_is_not_trusted(url, releases, position):
    releases.add(SHIFTS)
    releases.add(EXPANDING)
    upgrade(url, [releases.lineage])
    releases.remove()
    renamed = releases.add(EXPANDING).folder / "2.py"
    renamed.write_text(renamed.read_text().replace('revision = "2"', 'revision = "2b"'))
    assert position().standing is Standing.UNKNOWN


def test_a_database_from_before_anything_was_noted_is_brought_on(url, releases, position, rows):
    upgrade(url, [releases.add(SHIFTS)])
    rows("DROP TABLE helpdesk_revision")
    assert position().standing is Standing.CURRENT
    upgrade(url, [releases.add(EXPANDING)])
    releases.remove()
    assert position().standing is Standing.AHEAD


def test_what_is_undone_is_not_noted_any_more(url, releases, rows, tables):
    releases.add(SHIFTS)
    upgrade(url, [releases.add(EXPANDING)])
    move(url, releases.lineage, "1")
    assert rows("SELECT lineage, revision, phase FROM helpdesk_revision") == [("oncall", "1", "expand")]
    downgrade(url, releases.lineage)
    assert tables() == ["oncall_shift"]


def test_a_phase_that_is_none_is_refused(url, releases):
    releases.add(SHIFTS, said='phase = "later"')
    with pytest.raises(MigrationFailed, match=r"^oncall: 1.py: phase is one of expand, contract$"):
        upgrade(url, [releases.lineage])
