"""A backup of a database that shows nobody anything who does not say whose rows they mean; on PostgreSQL alone."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk_core.backup import programs
from tests.backup.place import Place
from tests.databases import SERVER, owned_database

pytestmark = pytest.mark.skipif(not SERVER, reason="row-level security is PostgreSQL's")

WALLED = {"HELPDESK_ROW_SECURITY": "true"}


class Walled(Place):
    """An installation with row-level security."""

    def helpdesk(self, *arguments, environment=None, **options):
        return super().helpdesk(*arguments, environment={**WALLED, **(environment or {})}, **options)

    def run(self, *statements):
        return super().run("SELECT set_config('helpdesk.organization', '*', true)", *statements)


@pytest.fixture
def walled(tmp_path: Path, worker_id: str) -> Iterator[Place]:
    with owned_database(worker_id, "walled") as url:
        yield Walled(tmp_path / "walled" / "home", url)


@pytest.fixture
def elsewhere(tmp_path: Path, worker_id: str) -> Iterator[Place]:
    with owned_database(worker_id, "walled_elsewhere") as url:
        yield Walled(tmp_path / "elsewhere" / "home", url)


def test_it_holds_every_row_and_the_walls_are_restored_with_it(walled, elsewhere, tmp_path):
    for place in (walled, elsewhere):
        place.home.parent.mkdir()
    walled.fill()
    walled.done("backup", tmp_path / "kept")
    tables = json.loads((tmp_path / "kept" / "manifest.json").read_text())["tables"]
    assert tables["core_user"]["rows"] == 1
    elsewhere.done("restore", tmp_path / "kept")
    assert elsewhere.run("SELECT count(*) FROM core_user") == [(1,)]
    assert Place.run(elsewhere, "SELECT count(*) FROM core_user") == [(0,)]


def test_options_of_the_url_do_not_hide_rows_from_it(walled, elsewhere, tmp_path):
    for place in (walled, elsewhere):
        place.home.parent.mkdir()
    walled.fill()
    walled.database += "?options=-c%20work_mem%3D1MB"
    walled.done("backup", tmp_path / "kept")
    elsewhere.done("restore", tmp_path / "kept")
    assert elsewhere.run("SELECT count(*) FROM core_user") == [(1,)]


def test_it_is_refused_where_options_get_lost_on_the_way(walled, tmp_path, monkeypatch):
    walled.home.parent.mkdir()
    walled.fill()
    monkeypatch.setattr(programs, "options", lambda url: "")
    assert "The dump would lack rows" in walled.refused("backup", tmp_path / "kept")
    assert not list(tmp_path.glob("*kept*"))


def test_lost_options_are_of_no_account_without_walls(origin, tmp_path, monkeypatch):
    monkeypatch.setattr(programs, "options", lambda url: "")
    origin.done("backup", tmp_path / "kept")
