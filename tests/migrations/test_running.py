"""A lineage that is new is one transaction; later revisions have one each."""

import pytest

from helpdesk_core.lineages import MigrationFailed
from helpdesk_core.migrations import upgrade
from tests.migrations.conftest import EXPANDING, SHIFTS

FAILING = 'raise ValueError("no good")'


def test_a_new_lineage_is_set_up_whole_or_not_at_all(url, releases, rows):
    releases.add(SHIFTS)
    with pytest.raises(MigrationFailed, match=r"^oncall: ValueError: no good$"):
        upgrade(url, [releases.add(FAILING)])
    upgrade(url, [releases.remove()])
    assert rows("SELECT revision FROM helpdesk_revision") == [("1",)]


def test_a_later_revision_that_fails_undoes_itself_alone(url, releases, rows):
    upgrade(url, [releases.add(SHIFTS)])
    releases.add(EXPANDING)
    releases.add('op.execute("INSERT INTO oncall_shift (id) VALUES (1)")', FAILING)
    with pytest.raises(MigrationFailed, match="no good"):
        upgrade(url, [releases.lineage])
    assert rows("SELECT version_num FROM helpdesk_version_oncall") == [("2",)]
    assert rows("SELECT title FROM oncall_shift") == []
