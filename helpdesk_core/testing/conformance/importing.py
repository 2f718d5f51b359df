"""What importing the plugin's modules does, and what they import."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

from helpdesk_core.plugins.discovery import ENTRY_POINTS
from helpdesk_core.testing.conformance.case import Case, Finding, Findings

SURFACE = "helpdesk_core.api"
_ALONE = Path(__file__).with_name("alone.py")


def only_published_names_are_imported(case: Case) -> Findings:
    """Of the core `helpdesk_core.api` is imported, of other plugins the `api` of those that the manifest declares."""
    declared = {*case.manifest.requires, *case.manifest.after}
    others = {entry.value: entry.name for entry in entry_points(group=ENTRY_POINTS) if entry.name != case.id}
    for path in sorted(case.plugin.folder.rglob("*.py")):
        for line, name in _imported(path):
            package = name.partition(".")[0]
            if package == "helpdesk_core" and not _within(name, SURFACE):
                mend = f"import from {SURFACE}; what is missing there is not for plugins"
                yield Finding(f"{name} is internal to the core", case.at(path, line), mend)
            elif package in others and others[package] not in declared:
                mend = f'add "{others[package]}" to `requires` or `after` of plugin.toml, or do without'
                yield Finding(f"{name} is of a plugin that is not declared", case.at(path, line), mend)
            elif package in others and not _within(name, f"{package}.api"):
                yield Finding(f"{name} is internal to its plugin", case.at(path, line), f"import from {package}.api")


def importing_does_nothing_else(case: Case) -> Findings:
    """Importing any module connects to nothing, writes no file, starts no thread and no process."""
    run = subprocess.run(  # noqa: S603 - a script of ours
        [sys.executable, "-P", str(_ALONE), case.plugin.package, str(case.plugin.folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        yield Finding(run.stderr.strip()[-500:], case.plugin.package, "make every module of the package importable")
        return
    for line in run.stdout.splitlines():
        told = json.loads(line)
        mend = "do it in a function that a hook, a job or an endpoint calls"
        yield Finding(f"importing {told['module']} does {told['act']}", told["where"], mend)


def _imported(path: Path) -> Iterator[tuple[int, str]]:
    """Iterate over the line and the full name of everything that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _within(name: str, module: str) -> bool:
    return name == module or name.startswith(f"{module}.")
