"""The examples do what they say: plugins pass their own tests, clients talk to a real server."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from helpdesk_core.app import create_app
from helpdesk_core.testing import PASSWORD
from tests.realtime.servers import served

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
PLUGINS = sorted(path.parent for path in EXAMPLES.glob("*/pyproject.toml"))
LONGEST = 40


def describe(path, place):
    """Write into the folder `place` what makes the project of a `pyproject.toml` known as if it were installed."""
    project = tomllib.loads(path.read_text())["project"]
    folder = place / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    folder.mkdir(parents=True)
    needs = "".join(f"Requires-Dist: {each}\n" for each in project["dependencies"])
    (folder / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n{needs}")
    entries = project["entry-points"]["helpdesk.plugins"].items()
    (folder / "entry_points.txt").write_text("\n".join(["[helpdesk.plugins]", *(f"{a} = {b}" for a, b in entries)]))


@pytest.fixture
def made_known(tmp_path):
    """Return an environment in which a plugin seems to be installed."""

    def make(folder):
        describe(folder / "pyproject.toml", tmp_path)
        return {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{folder}"}

    return make


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda path: path.name)
def test_a_plugin_passes_its_tests(folder, made_known, helpdesk_host):
    needed = tomllib.loads(next(folder.glob("*/plugin.toml")).read_text(encoding="utf-8")).get("requires", ())
    if not {*needed} <= {plugin.id for plugin in helpdesk_host.active}:
        pytest.skip(f"needs {', '.join(needed)}")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "."]
    done = subprocess.run(command, cwd=folder, env=made_known(folder), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda path: path.name)
def test_a_plugin_is_one_short_file(folder):
    (package,) = (path.parent for path in folder.glob("*/plugin.toml"))
    assert {path.name for path in package.glob("*.py")} == {"__init__.py", "plugin.py"}
    lines = (package / "plugin.py").read_text(encoding="utf-8").splitlines()
    counted = [line for line in lines if line.strip() and not line.strip().startswith(("#", '"""'))]
    assert len(counted) < LONGEST


@pytest.mark.parametrize(
    ("client", "printed"),
    [
        ("classic", ["comments: ['Have you tried water?']", "status: resolved", "open tickets: 0"]),
        ("comprehensive", ["subject: Printer was on fire", "found: ['Printer was on fire']"]),
    ],
)
def test_a_client_does_its_work(installation, agent, helpdesk_host, client, printed):
    if "tickets" not in {plugin.id for plugin in helpdesk_host.active}:
        pytest.skip("needs tickets")
    parts = installation.parts
    with served(create_app(parts.settings, parts=parts, background=False)) as port:
        name = agent.user.email if client == "comprehensive" else agent.user.username
        command = [sys.executable, EXAMPLES / "clients" / f"{client}.py", f"http://127.0.0.1:{port}", name, PASSWORD]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr[-3000:]
    assert [line for line in printed if line not in done.stdout.splitlines()] == [], done.stdout
