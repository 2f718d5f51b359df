"""What the files of the repository must agree on, and what none of them may say."""

import re
from itertools import chain

import pytest

from tests.architecture import tree

# Written so that the patterns do not match themselves.
PACKAGE_HOSTS = re.compile(
    r"\b(?:py(?:pi|thonhosted)|npm(?:js)|crates)\.(?:org|com|io)\b"
    r"|--(?:extra-)?index-url|\bindex-url *=|^\[\[tool\.uv\.index",
    re.IGNORECASE | re.MULTILINE,
)
HOME = re.compile(r"(?<![\w.~/-])/(?:home|Users)/[a-z]")


def texts() -> list[tuple[str, str]]:
    contents = ((path.relative_to(tree.ROOT).as_posix(), path.read_bytes()) for path in tree.files())
    return [(name, content.decode(errors="replace")) for name, content in contents if b"\0" not in content]


def test_both_lists_of_pins_are_one():
    """Run `uv run python tools/pin.py` after a change of dependencies."""
    listed = (tree.ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in listed if not line.startswith("#")] == tree.PYPROJECT["tool"]["uv"][
        "constraint-dependencies"
    ]


def test_every_declared_dependency_is_pinned():
    pinned = {pin.partition("==")[0] for pin in tree.PYPROJECT["tool"]["uv"]["constraint-dependencies"]}
    project, groups = tree.PYPROJECT["project"], tree.PYPROJECT["dependency-groups"]
    declared = chain(project["dependencies"], *project["optional-dependencies"].values(), *groups.values())
    names = {re.match(r"[\w.-]+", requirement)[0].lower() for requirement in declared}
    assert {name for name in names if not name.startswith("helpdesk-")} <= pinned


def test_a_plain_uv_run_installs_every_plugin():
    distributions = [f"helpdesk-{plugin.name.replace('_', '-')}" for plugin in tree.PLUGINS]
    assert sorted(tree.PYPROJECT["dependency-groups"]["plugins"]) == distributions
    assert sorted(tree.PYPROJECT["tool"]["uv"]["sources"]) == ["helpdesk-core", *distributions]


def test_no_lock_file_is_committed():
    assert not [path for path in tree.files() if path.name in {"uv.lock", "pylock.toml"}]


def test_no_file_names_a_package_host():
    assert not [(name, found[0]) for name, text in texts() if (found := PACKAGE_HOSTS.search(text))]


def test_no_file_names_a_folder_of_one_machine():
    here = str(tree.ROOT)
    assert not [name for name, text in texts() if HOME.search(text) or (here.count("/") > 1 and here in text)]


def test_ci_runs_the_test_command_of_the_readme():
    command = re.search(r"^README_TESTS='(.+)'$", (tree.ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
    assert command
    assert command[1] in (tree.ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(tree.ROOT.glob("docs/decisions/[0-9]*.md")), ids=lambda path: path.stem)
def test_decisions_are_told_alike(path):
    headings = re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == ["Context", "Decision", "Consequences", "Alternatives"]
    assert re.fullmatch(r"\d{4}-[a-z0-9-]+", path.stem)


def test_the_table_of_layers_follows_the_contract():
    (contract,) = (each for each in tree.PYPROJECT["tool"]["importlinter"]["contracts"] if each["id"] == "layers")
    levels = {name: level for level, line in enumerate(contract["layers"]) for name in re.findall(r"\w+", line)}
    page = (tree.ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.partition("| layer | modules |")[2].partition("\n\n")[0]
    named = re.findall(r"`(\w+)`", table)
    found = {path.stem for path in tree.CORE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert sorted(named) == sorted(found - {"__init__"})
    assert [levels[name] for name in named] == sorted((levels[name] for name in named), reverse=True)
