"""Tests see the plugins that they ask for, and pytest starts as if there were no core."""

import json
import subprocess
import sys

import pytest

from helpdesk_core.plugins.discovery import BUILT_IN
from helpdesk_core.testing import load_selected
from tests.plugins.conftest import write_plugin as write_plugin  # noqa: PLC0414 - a fixture

LOADED = "import json, sys, helpdesk_core.pytest_plugin; print(json.dumps(sorted(sys.modules)))"


def test_nothing_of_the_core_is_loaded_when_pytest_starts():
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    assert [name for name in loaded if name.startswith("helpdesk_core")] == [
        "helpdesk_core",
        "helpdesk_core.pytest_plugin",
    ]
    assert not {"sqlalchemy", "pydantic", "starlette", "jinja2"} & set(loaded)


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        (None, {"calls", "rotas", "billing"}),
        ((), set()),
        (("calls",), {"calls"}),
        (("rotas",), {"calls", "rotas"}),
        (("rotas", "billing"), {"calls", "rotas", "billing"}),
    ],
)
def test_plugins_come_with_what_they_require(write_plugin, wanted, seen):
    write_plugin("calls")
    write_plugin("rotas", more='requires = ["calls"]\n')
    write_plugin("billing")
    assert {plugin.id for plugin in load_selected(wanted).active} - set(BUILT_IN) == seen


def test_a_plugin_that_is_not_installed_is_told(write_plugin):
    (missing,) = (plugin for plugin in load_selected(["nowhere"]).plugins if plugin.id == "nowhere")
    assert missing.reason == "no plugin 'nowhere' is installed"
