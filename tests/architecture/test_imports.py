"""Who imports whom, when, and what happens then."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture import tree

SHIPPED = tree.sources(*tree.PACKAGES, tree.ROOT / "migrations", tree.ROOT / "examples", tree.ROOT / "tools")
MANIFESTS = sorted(path for folder in ("plugins", "examples") for path in tree.ROOT.glob(f"{folder}/*/*/plugin.toml"))
FROM_CORE = {"helpdesk_core.api"}
FROM_CORE_IN_TESTS = FROM_CORE | {"helpdesk_core.testing"}


@pytest.mark.timeout(300)  # a process for most of hundreds of modules
@pytest.mark.parametrize("package", tree.PACKAGES, ids=lambda package: package.name)
def test_every_module_imports_alone_without_warning_or_effect(package):
    script = Path(__file__).with_name("import_alone.py")
    run = subprocess.run([sys.executable, script, package.name], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout or run.stderr


def test_no_import_waits_inside_a_function():
    late = [
        tree.at(path, node.lineno)
        for path in SHIPPED
        for function in tree.functions(path)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not late, "\n".join(late)


def test_contracts_of_import_linter_hold():
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=tree.ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout


def test_contracts_know_every_plugin():
    contracts = {contract["id"]: contract for contract in tree.PYPROJECT["tool"]["importlinter"]["contracts"]}
    packages = sorted(package.name for package in tree.PACKAGES)
    plugins = sorted(set(packages) - {"helpdesk_core"})
    assert sorted(tree.PYPROJECT["tool"]["importlinter"]["root_packages"]) == packages
    assert sorted(contracts["acyclic"]["ancestors"]) == packages
    assert sorted(contracts["core"]["forbidden_modules"]) == plugins


def surface_breaches(folder: Path, *, allowed: set[str], own: set[str]) -> list[str]:
    """Return imports of ours that are neither of the own package nor of a published surface."""
    return [
        f"{tree.at(path, line)} {name}"
        for path in sorted(folder.rglob("*.py"))
        for line, name in tree.imported(path)
        if name.startswith("helpdesk_")
        and name.partition(".")[0] not in own
        and not any(name == module or name.startswith(f"{module}.") for module in allowed)
    ]


def declared(manifest: Path) -> set[str]:
    """Return the surfaces that other plugins, named in a manifest, publish."""
    entries = tomllib.loads(manifest.read_text(encoding="utf-8"))
    return {f"helpdesk_{name}.api" for key in ("requires", "after") for name in entries.get(key, [])}


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.parent.name)
def test_plugins_import_only_what_is_published_to_them(manifest):
    package, tests = manifest.parent, manifest.parent.parent / "tests"
    surfaces = declared(manifest)
    breaches = surface_breaches(package, allowed=FROM_CORE | surfaces, own={package.name})
    breaches += surface_breaches(tests, allowed=FROM_CORE_IN_TESTS | surfaces, own={package.name})
    assert not breaches, "\n".join(breaches)


def test_source_of_the_core_names_no_plugin():
    words = re.compile(rf"helpdesk_({'|'.join(tree.PLUGIN_IDS)})\b|helpdesk-({'|'.join(tree.PLUGIN_IDS)})\b")
    named = [
        tree.at(path, number)
        for path in tree.sources(tree.CORE)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if words.search(line)
    ]
    quoted = [
        tree.at(path, node.lineno)
        for path in tree.sources(tree.CORE)
        for node in ast.walk(tree.parsed(path))
        if isinstance(node, ast.Constant) and node.value in tree.PLUGIN_IDS
    ]
    assert not named + quoted, "\n".join(named + quoted)
