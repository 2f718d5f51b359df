"""The plugins under examples/ pass their own tests, though nobody has installed them."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).resolve().parents[1] / "examples").glob("*/pyproject.toml"))


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
def known(tmp_path, request):
    """A folder that makes an example known to Python as if it were installed."""
    describe(request.param, tmp_path)
    return tmp_path


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("known", "example"), [(path, path.parent) for path in EXAMPLES], indirect=["known"], ids=lambda path: path.name
)
def test_an_example_passes_its_tests(known, example):
    paths = os.pathsep.join(map(str, (known, example)))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", example]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
