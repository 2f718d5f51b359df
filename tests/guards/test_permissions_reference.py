"""The published table of roles and operations is what the code declares: a change of who may do what shows in it."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from helpdesk_core.plugins import PluginHost
from helpdesk_core.plugins.discovery import BUILT_IN

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def generator() -> ModuleType:
    """The script that writes the page."""
    spec = spec_from_file_location("reference_permissions", ROOT / "tools" / "reference_permissions.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_of_permissions_is_current(generator: ModuleType, helpdesk_host: PluginHost) -> None:
    if len(list(helpdesk_host.active)) < len(list((ROOT / "plugins").glob("*/pyproject.toml"))) + len(BUILT_IN):
        pytest.skip("the page shows every plugin of the tree")
    page = ROOT / "docs" / "reference" / "permissions.md"
    assert page.read_text(encoding="utf-8") == generator.render(helpdesk_host), "run tools/reference_permissions.py"
