"""The published page of events is what the code declares, and says something about every field."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import jsonschema
import pytest

from helpdesk_core.plugins import PluginHost

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def generator() -> ModuleType:
    """The script that writes the page."""
    spec = spec_from_file_location("reference_events", ROOT / "tools" / "reference_events.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_events_is_current(generator: ModuleType, helpdesk_host: PluginHost) -> None:
    if not {path.parent.name for path in (ROOT / "plugins").glob("*/pyproject.toml")} <= {
        plugin.id for plugin in helpdesk_host.active
    }:
        pytest.skip("the page shows every plugin of the tree")
    page = ROOT / "docs" / "reference" / "events.md"
    assert page.read_text(encoding="utf-8") == generator.render(helpdesk_host), "run tools/reference_events.py"


def test_every_event_and_every_field_is_described(helpdesk_host: PluginHost) -> None:
    silent = [
        f"{event.type} {name}"
        for event in helpdesk_host.catalogue.all
        for name, schema in event.schema.get("properties", {}).items()
        if not schema.get("description")
    ]
    assert not silent
    assert not [event.type for event in helpdesk_host.catalogue.all if len(event.description) < 10]


def test_every_sample_fits_its_schema_and_is_a_payload(helpdesk_host: PluginHost) -> None:
    for event in helpdesk_host.catalogue.all:
        jsonschema.validate(event.sample, dict(event.schema))
        helpdesk_host.event_types[event.type].model_validate(event.sample, strict=False)


def test_what_an_event_is_about_is_in_its_payload(helpdesk_host: PluginHost) -> None:
    for kind in helpdesk_host.event_types.values():
        assert set(kind.about.values()) <= set(kind.model_fields), kind.type
