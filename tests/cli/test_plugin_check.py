"""`helpdesk plugin check`: the promises of every plugin, for one that need not be installed."""

import json
import subprocess
import sys

import pytest

from helpdesk_core.scaffold import write_plugin
from helpdesk_core.testing import CHECKS


@pytest.fixture
def plugin(tmp_path):
    write_plugin("sla", (), tmp_path / "helpdesk-sla")
    return tmp_path / "helpdesk-sla"


def check(*arguments, cwd):
    """Run the command in a process of its own, as it imports the plugin."""
    code = "from helpdesk_core.cli import main; main()"
    command = [sys.executable, "-c", code, "plugin", "check", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_a_sound_plugin_is_told_check_by_check(plugin):
    done = check(cwd=plugin)
    assert (done.returncode, done.stderr) == (0, "")
    *lines, last = done.stdout.splitlines()
    assert [line[16:].partition(" ")[0] for line in lines] == [each.name for each in CHECKS]
    assert {line[:16].strip() for line in lines} == {"ok", "not applicable"}
    assert "not applicable  off_pages_are_closed (the plugin has no pages)" in lines
    assert last == f"{len(CHECKS)} checks: 19 ok, 0 wrong, 16 not applicable."


def test_what_is_wrong_is_told_with_where_and_how_to_mend_it(plugin):
    routes = plugin / "helpdesk_sla" / "routes.py"
    routes.write_text(routes.read_text() + "\nfrom helpdesk_core.settings import Settings\n")
    done = check(plugin, cwd=plugin.parent)
    assert done.returncode == 1
    told = done.stdout.partition("WRONG           only_published_names_are_imported\n")[2].splitlines()
    assert told[0] == "    helpdesk_core.settings.Settings is internal to the core"
    assert told[1].startswith("        where: helpdesk_sla/routes.py:")
    assert told[2].startswith("        mend:  import from helpdesk_core.api")
    assert done.stdout.splitlines()[-1] == f"{len(CHECKS)} checks: 18 ok, 1 wrong, 16 not applicable."


def test_json_is_for_machines(plugin):
    manifest = plugin / "helpdesk_sla" / "plugin.toml"
    manifest.write_text(manifest.read_text().replace("api = 1", "api = 9"))
    done = check(plugin, "--json", cwd=plugin.parent)
    assert done.returncode == 1
    rows = json.loads(done.stdout)
    assert rows[0]["plugin"] == "sla"
    assert rows[0]["verdict"] == "WRONG"
    assert "written for plugin contract 9" in rows[0]["text"]
    assert {row["verdict"] for row in rows[1:]} == {"ok", "not applicable"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "pyproject.toml: No such file or directory."),
        ("[project", "pyproject.toml: "),
        ("[project]\nname = 'x'\n", "has no plugin"),
        ("[project.entry-points.'helpdesk.plugins']\nx = 'helpdesk_x'\n", "there is no package helpdesk_x"),
    ],
)
def test_a_folder_without_a_plugin_is_misuse(refused, folder, text, reason):
    if text is not None:
        (folder / "pyproject.toml").write_text(text)
    assert reason in refused("plugin", "check", ".", code=2)
