"""`helpdesk plugin new`: what it writes works at once, and what it refuses leaves nothing behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpdesk_core.scaffold import FEATURES, RefusedName, check_name, write_plugin, writing
from tests.packages import install_package

CACHE = Path(__file__).resolve().parents[2] / ".mypy_cache" / "scaffold"
ALL = ",".join(FEATURES)
BARE = ("README.md", "pyproject.toml", "__init__.py", "plugin.py", "plugin.toml", "routes.py", "test_sla.py")


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def run(*arguments, cwd, **environment):
    tool = [Path(sys.executable).with_name(arguments[0]), *arguments[1:]]
    done = subprocess.run(tool, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def written(helpdesk, folder):
    """Write a plugin and return its folder."""

    def write(wanted):
        assert helpdesk("plugin", "new", "sla", "--with", wanted).exit_code == 0
        return folder / "helpdesk-sla"

    return write


def test_without_wishes_it_is_the_smallest_useful_plugin(helpdesk, folder):
    result = helpdesk("plugin", "new", "sla")
    assert files(folder / "helpdesk-sla") == sorted(BARE)
    assert result.stdout.splitlines()[-4:] == [
        "Next:",
        "  pip install -e './helpdesk-sla[test]'",
        "  pytest helpdesk-sla",
        "  helpdesk serve",
    ]
    assert [path.name for path in folder.iterdir()] == ["helpdesk-sla"]


def test_with_everything_there_are_at_most_ten_files(helpdesk, folder):
    result = helpdesk("plugin", "new", "sla", "--with", ALL, "--folder", "there/mine")
    found = files(folder / "there" / "mine")
    assert {*BARE, "models.py", "0001_entries.py", "background.py"} == set(found)
    assert len(found) <= 10
    assert "  helpdesk migrate\n  pytest there/mine\n" in result.stdout


@pytest.mark.parametrize("wanted", ["", *FEATURES, "events,jobs", ALL])
@pytest.mark.parametrize("name", ["zq", "a2345678901234567890"])
def test_what_is_written_is_formatted_and_linted(tmp_path, name, wanted):
    write_plugin(name, [part for part in wanted.split(",") if part], tmp_path / "plugin")
    assert run("ruff", "format", "--check", "--quiet", ".", cwd=tmp_path / "plugin") == (0, "")
    assert run("ruff", "check", "--quiet", "--no-cache", ".", cwd=tmp_path / "plugin") == (0, "")


@pytest.mark.timeout(300)  # without a cache
def test_what_is_written_is_strictly_typed(written):
    code, output = run("mypy", "--strict", "--cache-dir", CACHE, cwd=written(ALL))
    assert code == 0, output


@pytest.mark.timeout(300)
@pytest.mark.parametrize("wanted", ["", ALL])
def test_its_tests_pass_at_once_and_see_no_other_plugin(written, wanted):
    plugin = written(wanted)
    install_package(plugin / "helpdesk_sla")
    (plugin / "tests" / "test_alone.py").write_text(
        "def test_alone(helpdesk_host):\n"
        "    ids = {plugin.id for plugin in helpdesk_host.plugins}\n"
        "    assert ids == {'accounts', 'changefeed', 'notifications', 'sla'}\n"
    )
    code, output = run(
        "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "-W", "error", plugin, cwd=plugin.parent,
        PYTHONPATH=str(plugin),
    )  # fmt: skip
    assert code == 0, output
    assert " passed" in output
    assert " failed" not in output


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Sla", "has 2 to 20 lower-case letters and digits"),
        ("s", "has 2 to 20"),
        ("s" * 21, "has 2 to 20"),
        ("on-call", "has 2 to 20"),
        ("2fa", "begins with a letter"),
        ("class", "is a word of Python"),
        ("match", "is a word of Python"),
        ("core", "belongs to the core or to Python"),
        ("api", "belongs to the core or to Python"),
        ("json", "belongs to the core or to Python"),
        ("accounts", "There is a plugin 'accounts' already."),
        ("users", "paths below /api/v1/users/ belong to another plugin"),
    ],
)
def test_bad_names_are_refused_in_a_sentence(refused, folder, name, reason):
    told = refused("plugin", "new", name, code=2)
    assert reason.lower() in told.lower()
    assert told.endswith(".")
    assert list(folder.iterdir()) == []


def test_names_of_installed_plugins_are_refused():
    with pytest.raises(RefusedName, match="there is a plugin 'oncall' already"):
        check_name("oncall", ["accounts", "oncall"], [])
    with pytest.raises(RefusedName, match="below /api/v1/rotas/"):
        check_name("rotas", ["oncall"], ["rotas"])
    check_name("sla", ["oncall"], ["rotas"])


def test_unknown_wishes_are_refused(refused, folder):
    assert refused("plugin", "new", "sla", "--with", "models,tasks", code=2) == (
        "--with knows models, events, jobs, and not tasks."
    )
    assert list(folder.iterdir()) == []


def test_what_is_there_is_not_overwritten(refused, folder):
    (folder / "helpdesk-sla").mkdir()
    (folder / "helpdesk-sla" / "mine.txt").write_text("of great value")
    assert refused("plugin", "new", "sla", code=2) == "There is something at helpdesk-sla already."
    assert files(folder) == ["mine.txt"]


def test_what_fails_half_way_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "_chosen", lambda *_: iter([("README.md", "README.md"), ("nothing.py", "x.py")]))
    with pytest.raises(Exception, match=r"nothing\.py"):
        write_plugin("sla", (), tmp_path / "helpdesk-sla")
    assert list(tmp_path.iterdir()) == []
