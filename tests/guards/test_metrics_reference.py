"""The published page about metrics is what the code declares, and every name is one that Prometheus understands."""

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from helpdesk_core.plugins.discovery import BUILT_IN
from helpdesk_core.telemetry.declared import Counter
from helpdesk_core.telemetry.metrics import Metrics

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "metrics.md"
OTHER_UNITS = re.compile(r"_(ms|milliseconds|minutes|hours|kb|mb|percent)(_|$)")


@pytest.fixture
def generator():
    """The script that writes the page."""
    spec = spec_from_file_location("reference_metrics", ROOT / "tools" / "reference_metrics.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_about_metrics_is_current(generator, helpdesk_host):
    if len(list(helpdesk_host.active)) < len(list((ROOT / "plugins").glob("*/pyproject.toml"))) + len(BUILT_IN):
        pytest.skip("the page shows every plugin of the tree")
    assert PAGE.read_text(encoding="utf-8") == generator.render(helpdesk_host), "run tools/reference_metrics.py"


def test_names_follow_the_rules_of_prometheus(helpdesk_host):
    declared = [(plugin.id, metric) for plugin, metric in helpdesk_host.declared("register_metrics")]
    names = Metrics(declared).names
    assert len({*names.values()}) == len(names)
    for metric, name in names.items():
        assert name.endswith("_total") == isinstance(metric, Counter)
        assert not OTHER_UNITS.search(name)
        assert metric.help
