"""The published page about hooks is what the code declares: a new hook, or another signature, shows in it."""

import ast
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from helpdesk_core.plugins import PluginHost
from helpdesk_core.plugins.discovery import BUILT_IN

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "hooks.md"
SOURCES = [ROOT / "helpdesk_core" / "hookspecs.py", *sorted(ROOT.glob("plugins/*/helpdesk_*/hookspecs.py"))]


@pytest.fixture
def generator() -> ModuleType:
    """The script that writes the page."""
    spec = spec_from_file_location("reference_hooks", ROOT / "tools" / "reference_hooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def declared(path: Path) -> Iterator[ast.FunctionDef]:
    """Iterate over the hooks in a file of source."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and "hookspec" in [ast.unparse(each) for each in node.decorator_list]:
            yield node


def signature(hook: ast.FunctionDef) -> str:
    """Return the first line of a hook as it is written, without quotes around types."""
    arguments = ", ".join(f"{each.arg}: {annotation(each.annotation)}" for each in hook.args.args)
    return f"{hook.name}({arguments}) -> {annotation(hook.returns)}"


def annotation(node: ast.expr | None) -> str:
    assert node is not None
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ast.unparse(node)


HOOKS = [hook for path in SOURCES for hook in declared(path)]


def test_the_page_about_hooks_is_current(generator: ModuleType, helpdesk_host: PluginHost) -> None:
    if len(list(helpdesk_host.active)) < len(list((ROOT / "plugins").glob("*/pyproject.toml"))) + len(BUILT_IN):
        pytest.skip("the page shows every plugin of the tree")
    assert PAGE.read_text(encoding="utf-8") == generator.render(helpdesk_host), "run tools/reference_hooks.py"


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.name)
def test_every_hook_is_on_the_page_with_its_signature(hook: ast.FunctionDef) -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert f"### `{hook.name}`" in lines
    assert signature(hook) in lines
    assert set((ast.get_docstring(hook) or "").splitlines()) <= set(lines)


def test_hooks_of_the_core_and_of_plugins_are_found() -> None:
    names = [hook.name for hook in HOOKS]
    assert {"register_models", "on_enable", "register_automation_actions"} <= set(names)
