"""What plugins import is published, and nothing is taken away from it without a new contract."""

import ast
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from helpdesk_core import api
from helpdesk_core.plugins.manifest import CONTRACT

ROOT = Path(__file__).resolve().parents[2]
HELD = Path(__file__).with_name(f"contract_{CONTRACT}.txt")
"""Every name of this contract; one that is added is added there, one that is taken away needs the next contract."""


@pytest.fixture
def generator():
    """The script that writes the page."""
    spec = spec_from_file_location("reference_api", ROOT / "tools" / "reference_api.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_current(generator):
    page = ROOT / "docs" / "reference" / "api.md"
    assert page.read_text(encoding="utf-8") == generator.render(), "run tools/reference_api.py"


def test_the_contract_holds_every_name():
    held = set(HELD.read_text(encoding="utf-8").split())
    present = {*api.__all__, *api.DEPRECATED}
    assert held - present == set(), f"these names were promised: deprecate them, or make it contract {CONTRACT + 1}"
    assert set(api.__all__) - held == set(), f"add these names to {HELD.name}"


def test_nothing_else_can_be_imported_by_accident():
    tree = ast.parse(Path(api.__file__).read_text(encoding="utf-8"))
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }  # fmt: skip
    assert imported - set(api.__all__) <= {"Deprecated", "finder"}


def test_nothing_is_deprecated_that_is_still_promised():
    assert not set(api.DEPRECATED) & set(api.__all__)
