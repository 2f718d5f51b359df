"""From samples to the text that Prometheus reads.

`prometheus_client` writes it, in whichever format is asked for. It is loaded with the first question: to import it
takes a tenth of a second, and most commands answer none.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from itertools import accumulate
from typing import Any

from helpdesk_core.telemetry.declared import Gauge, Histogram, Metric
from helpdesk_core.telemetry.families import HTTP_REQUESTS, HTTP_SECONDS
from helpdesk_core.telemetry.metrics import REQUESTS, Metrics
from helpdesk_core.telemetry.samples import Found, everybody, summed

_ACROSS: Mapping[str, Callable[[list[float]], float]] = {"sum": sum, "min": min, "max": max}


def expose(metrics: Metrics, accept: str) -> tuple[bytes, str]:
    """Return the samples of all processes of the server in the format that `accept` asks for, and its media type."""
    own = metrics.samples.own()
    running, gone = everybody(metrics.folder) if metrics.folder else ([own], [])
    encode, media_type = _client("exposition").choose_encoder(accept)
    return encode(_Collected(metrics.names, own, running, gone)), media_type


class _Collected:
    """What the encoders of the library ask."""

    def __init__(self, names: Mapping[Metric, str], own: Found, running: list[Found], gone: list[Found]) -> None:
        shapes = _shapes(names)
        self._names = names
        self._own = own
        self._running = [_fitting(block, shapes) for block in running]
        self._total = summed([*self._running, *(_fitting(block, shapes) for block in gone)])

    def collect(self) -> Iterator[Any]:
        by_name: dict[str, list[tuple[tuple[str, ...], list[float]]]] = {}
        for series, values in {**self._total, **self._requests()}.items():
            by_name.setdefault(series[0], []).append((series[1:], values))
        for metric, name in self._names.items():
            found = by_name.get(name)
            if found:
                yield self._family(metric, name, sorted(found))

    def _requests(self) -> Found:
        """Return the number of requests and their durations, which are kept together."""
        found: Found = {}
        for series, values in self._total.items():
            if series[0] == REQUESTS:
                _, route, method, status = series
                found[self._names[HTTP_REQUESTS], route, method, status] = [sum(values[:-1])]
                timed = self._names[HTTP_SECONDS], route, method, f"{status[0]}xx"
                known = found.get(timed, [0.0] * len(values))
                found[timed] = [a + b for a, b in zip(known, values, strict=True)]
        return found

    def _family(self, metric: Metric, name: str, found: list[tuple[tuple[str, ...], list[float]]]) -> Any:
        core = _client("metrics_core")
        labels = list(metric.labels)
        if isinstance(metric, Histogram):
            family = core.HistogramMetricFamily(name, metric.help, labels=labels)
            for values, cells in found:
                family.add_metric(values, buckets=_cumulated(metric.bounds, cells), sum_value=cells[-1])
        elif isinstance(metric, Gauge):
            family = core.GaugeMetricFamily(name, metric.help, labels=labels)
            blocks = [self._own] if metric.across == "own" else self._running
            for values, _ in found:
                standing = [block[name, *values][0] for block in blocks if (name, *values) in block]
                if standing:
                    family.add_metric(values, _ACROSS.get(metric.across, sum)(standing))
        else:
            family = core.CounterMetricFamily(name, metric.help, labels=labels)
            for values, cells in found:
                family.add_metric(values, cells[0])
        return family


def _shapes(names: Mapping[Metric, str]) -> dict[str, tuple[int, int]]:
    """Return, for each name, how many labels its series have, and how many doubles."""
    shapes = {name: (len(metric.labels), _width(metric)) for metric, name in names.items()}
    return {**shapes, REQUESTS: (len(HTTP_REQUESTS.labels), _width(HTTP_SECONDS))}


def _width(metric: Metric) -> int:
    return len(metric.bounds) + 2 if isinstance(metric, Histogram) else 1  # beyond the last bound, and the sum


def _fitting(block: Found, shapes: Mapping[str, tuple[int, int]]) -> Found:
    """Leave out what code of another version has counted, whose labels or bounds are not ours."""
    return {
        series: values for series, values in block.items() if shapes.get(series[0]) == (len(series) - 1, len(values))
    }


def _cumulated(bounds: Iterable[float], cells: list[float]) -> list[tuple[str, float]]:
    names = [*map(str, bounds), "+Inf"]
    return list(zip(names, accumulate(cells[:-1]), strict=True))


def _client(name: str) -> Any:
    return _imported(f"prometheus_client.{name}")


@cache
def _imported(name: str) -> Any:
    """Import a part of the library, when it is first needed."""
    return import_module(name)
