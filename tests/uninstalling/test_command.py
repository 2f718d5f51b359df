"""`helpdesk plugin uninstall` asks, writes a file, and says what is left to do."""

import sqlite3

import pytest
from click.testing import CliRunner

from helpdesk_core.cli import main
from helpdesk_core.plugins import discovery
from helpdesk_core.plugins.manifest import BadManifest, read_manifest
from helpdesk_core.pytest_plugin import logging_put_back
from tests.packages import MANIFEST, entry_point, write_package
from tests.uninstalling.snapshots import schema


@pytest.fixture
def helpdesk(rota, tmp_path, monkeypatch):
    """Run a command where only this plugin is installed."""
    home = tmp_path / "home"
    monkeypatch.setenv("HELPDESK_HOME", str(home))
    monkeypatch.setenv("HELPDESK_DATABASE_URL", f"sqlite:///{home}/helpdesk.db")
    monkeypatch.setenv("HELPDESK_PASSWORD_COST", "low")
    with logging_put_back():
        yield lambda *arguments, **options: CliRunner().invoke(main, arguments, **options)


@pytest.fixture
def installed(helpdesk, tmp_path):
    """Migrate, and add a row; return the folder of the installation."""
    assert helpdesk("migrate").exit_code == 0
    home = tmp_path / "home"
    made = helpdesk("organization", "create", "--name", "Acme", "--slug", "acme")
    assert made.exit_code == 0, made.output
    with sqlite3.connect(home / "helpdesk.db") as connection:
        connection.execute("INSERT INTO rota_shift (name, organization_id) VALUES ('tonight', 1)")
    connection.close()
    return home


def tables(home):
    return {
        name for name in schema(f"sqlite:///{home}/helpdesk.db") if name.startswith(("rota_", "helpdesk_version_ro"))
    }


def test_asks_and_does_nothing_without_a_yes(helpdesk, installed):
    told = helpdesk("plugin", "uninstall", "rota", input="n\n")
    assert told.exit_code == 1
    assert "rota has 1 rows in 1 tables." in told.output
    assert "rota_shift" in tables(installed)
    assert not (installed / "exports").exists()


def test_writes_a_file_removes_everything_and_says_what_is_left_to_do(helpdesk, installed):
    told = helpdesk("plugin", "uninstall", "rota", "--yes")
    assert told.exit_code == 0, told.output
    (file,) = (installed / "exports").iterdir()
    assert f"Wrote {file}" in told.output
    assert "pip uninstall helpdesk-rota" in told.output
    assert tables(installed) == set()


def test_keeps_the_data_if_asked_to(helpdesk, installed):
    told = helpdesk("plugin", "uninstall", "rota", "--keep-data")
    assert told.exit_code == 0, told.output
    assert "rota_shift" in tables(installed)


def test_works_after_the_package_is_gone(helpdesk, installed, monkeypatch):
    monkeypatch.setattr(discovery, "entry_points", lambda group: [])
    assert "left of plugins" in helpdesk("doctor").output
    told = helpdesk("plugin", "uninstall", "rota", "--yes")
    assert told.exit_code == 0, told.output
    assert tables(installed) == set()
    assert "pip uninstall" not in told.output


@pytest.mark.parametrize(
    ("plugin", "sentence"),
    [
        ("accounts", "accounts belongs to the core."),
        ("core", "core belongs to the core."),
        ("helpdesk", "helpdesk belongs to the core."),
        ("core_login", "core_login cannot be the id of a plugin."),
        ("", " cannot be the id of a plugin."),
        ("nothing", "There is no plugin nothing, and nothing left of one."),
    ],
)
def test_refuses_what_cannot_be_uninstalled(helpdesk, installed, plugin, sentence):
    before = schema(f"sqlite:///{installed}/helpdesk.db")
    told = helpdesk("plugin", "uninstall", plugin, "--yes")
    assert (told.exit_code, sentence in told.output) == (2, True)
    assert schema(f"sqlite:///{installed}/helpdesk.db") == before


@pytest.mark.parametrize("id", ["core", "helpdesk"])
def test_no_plugin_can_be_called_as_tables_of_the_core_are(tmp_path, id):
    with pytest.raises(BadManifest, match=f"{id} belongs to the core"):
        read_manifest(write_package(tmp_path, id))


def test_refuses_while_others_need_it(helpdesk, installed, rota, monkeypatch, tmp_path):
    pager = write_package(tmp_path / "packages", "pager", manifest=MANIFEST + 'requires = ["rota"]\n')
    entries = [*discovery.entry_points(group=discovery.ENTRY_POINTS), entry_point(pager)]
    monkeypatch.setattr(discovery, "entry_points", lambda group: entries)
    told = helpdesk("plugin", "uninstall", "rota", "--yes")
    assert (told.exit_code, "pager cannot do without rota" in told.output) == (1, True)
    assert "rota_shift" in tables(installed)
