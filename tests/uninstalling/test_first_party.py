"""Every plugin that is installed with the tests can be uninstalled, those that others need last."""

import pytest

from helpdesk_core.lineages import CORE, lineages
from helpdesk_core.migrations import upgrade
from helpdesk_core.plugins import PluginHost
from helpdesk_core.plugins.discovery import BUILT_IN
from helpdesk_core.testing import running
from helpdesk_core.uninstalling import Removal, names_of, remove
from tests.databases import empty_database
from tests.uninstalling.snapshots import schema


@pytest.fixture
def url(tmp_path, worker_id):
    with empty_database(tmp_path, worker_id, "bare") as url:
        yield url


def test_what_is_left_is_the_core(helpdesk_host, helpdesk_databases, tmp_path, url):
    upgrade(url, [lineage for lineage in lineages(helpdesk_host) if lineage.id == CORE])
    with running(helpdesk_databases, helpdesk_host, tmp_path) as installation:
        installation.client("member").get("/users/me/")
        there = list(helpdesk_host.active)
        while there[-1].id not in BUILT_IN:
            host = PluginHost(there)
            remove(Removal(names_of(host, there[-1].id), installation.parts.services, host))
            there.pop()
        left = schema(installation.parts.settings.database)
    assert left == schema(url)


def test_an_installation_that_grew_is_like_a_new_one(helpdesk_host, tmp_path, worker_id, url):
    """Each lineage's first revision, then the second of each, and so on, as if every release had been installed."""
    wanted = lineages(helpdesk_host)
    upgrade(url, wanted)
    fresh = schema(url)
    with empty_database(tmp_path, worker_id, "grown") as grown:
        for place in range(max(len(lineage.revisions()) for lineage in wanted)):
            upgrade(grown, wanted, to=lambda lineage, place=place: lineage.revisions()[: place + 1][-1])
        assert schema(grown) == fresh
