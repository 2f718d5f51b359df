"""Write docs/reference/metrics.md from the metrics of the core and of the plugins of this tree.

uv run python tools/reference_metrics.py
"""

from collections.abc import Iterator
from pathlib import Path

from helpdesk_core.plugins import PluginHost, load_plugins
from helpdesk_core.telemetry.declared import Gauge, Histogram, Metric
from helpdesk_core.telemetry.families import core_metrics
from helpdesk_core.telemetry.metrics import Metrics

TARGET = Path(__file__).resolve().parent.parent / "docs" / "reference" / "metrics.md"
HEADING = """\
# Metrics

<!-- Written by tools/reference_metrics.py; tests/guards/test_metrics_reference.py keeps it current. -->

What `GET /metrics` of `helpdesk serve` shows, and `helpdesk worker --metrics-port PORT` on a port of its own.
[docs/operations.md](../operations.md) says who may read it, which of these to watch, and what to do about them.

Several processes of one server answer as one: counters and histograms are summed, also those of processes that have
ended; of gauges the table says what the figure is. Nothing that anybody enters is a label: no path, no key, no name of
an organisation or a person.
"""
ACROSS = {
    "sum": "sum of the processes",
    "min": "least of the processes",
    "max": "greatest of the processes",
    "own": "same for all: take `max`, never `sum`",
}


def render(host: PluginHost) -> str:
    """Return the page."""
    declared = [(plugin.id, metric) for plugin, metric in host.declared("register_metrics")]
    names = Metrics(declared).names
    parts = [
        HEADING,
        "## Of the core\n",
        *map(section, (name for name, _ in core_metrics()), dict(core_metrics()).values()),
    ]
    for plugin in dict.fromkeys(plugin for plugin, _ in declared):
        parts.append(f"## Of the plugin `{plugin}`\n")
        parts += [section(names[metric], metric) for owner, metric in declared if owner == plugin]
    return "\n".join(parts)


def section(name: str, metric: Metric) -> str:
    """Return what is told of one metric."""
    return "\n".join([f"### `{name}`", "", metric.help, "", *facts(metric), ""])


def facts(metric: Metric) -> Iterator[str]:
    """Iterate over the lines of a list."""
    yield f"- Type: {metric.kind}"
    if isinstance(metric, Gauge):
        yield f"- Several processes: {ACROSS[metric.across]}"
    for label, values in metric.labels.items():
        known = ", ".join(f"`{value}`" for value in values)
        yield f"- Label `{label}`" + (f": {known}" if known else "")
    if isinstance(metric, Histogram):
        yield f"- Bounds: {', '.join(f'{bound:g}' for bound in metric.bounds)}"


if __name__ == "__main__":
    TARGET.write_text(render(load_plugins()), encoding="utf-8")
