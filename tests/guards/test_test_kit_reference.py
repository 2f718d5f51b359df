"""The published page about the test kit is what the kit is: a new fixture or check shows in it."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def generator() -> ModuleType:
    """The script that writes the page."""
    spec = spec_from_file_location("reference_test_kit", ROOT / "tools" / "reference_test_kit.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_about_the_test_kit_is_current(generator: ModuleType) -> None:
    page = ROOT / "docs" / "reference" / "test-kit.md"
    assert page.read_text(encoding="utf-8") == generator.render(), "run tools/reference_test_kit.py"


def test_every_check_says_its_promise(generator: ModuleType) -> None:
    rows = list(generator.checks())
    assert len(rows) > 20
    assert not [row for row in rows if row.endswith("|  |")]
