"""The tree under test: what there is, so that the guards cover new code by themselves."""

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CORE = ROOT / "helpdesk_core"
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def entry_points(plugin: Path) -> dict[str, str]:
    """Return the plugins that a folder declares: id to module."""
    project = tomllib.loads((plugin / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["entry-points"]["helpdesk.plugins"]


PLUGIN_IDS = sorted(plugin_id for plugin in PLUGINS for plugin_id in entry_points(plugin))
PACKAGES = [CORE, *(plugin / module for plugin in PLUGINS for module in entry_points(plugin).values())]


def sources(*folders: Path) -> list[Path]:
    """Return the Python files of these folders, tests left out."""
    files = (path for folder in folders for path in folder.rglob("*.py"))
    return sorted(path for path in files if "tests" not in path.relative_to(ROOT).parts)


def modules(package: Path) -> list[str]:
    """Return the full names of the modules of a package; files that no import can name are not modules."""
    names = (path.relative_to(package.parent).with_suffix("").parts for path in package.rglob("*.py"))
    return sorted(
        ".".join(parts).removesuffix(".__init__")
        for parts in names
        if parts[-1] != "__main__" and all(part.isidentifier() for part in parts)
    )


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Return line and full name of everything that a file imports."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def at(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


@cache
def files() -> list[Path]:
    """Return every file of the repository, committed or about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return [path for name in sorted(set(listed.split("\0")) - {""}) if (path := ROOT / name).is_file()]
