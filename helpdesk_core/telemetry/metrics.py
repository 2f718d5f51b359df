"""`Metrics`: where a process counts."""

import logging
import threading
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from pathlib import Path

from helpdesk_core.telemetry.declared import OTHER, SECONDS, Counter, Gauge, Histogram, Metric
from helpdesk_core.telemetry.families import HTTP_IN_FLIGHT, core_metrics
from helpdesk_core.telemetry.samples import Full, Samples, Series

log = logging.getLogger("helpdesk.telemetry")

REQUESTS = "requests"
"""One series for each route, method and status: from it come the number of requests and how long they took."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_WIDTH = len(SECONDS) + 2


class UndeclaredMetric(LookupError):
    """The metric is not among those that the plugin's `register_metrics` returned."""


class Metrics:
    """Counts for one process; safe to use from any thread.

    To count takes about a microsecond, and neither fails nor waits: what has no room is left out. Nothing is undone
    when a transaction is rolled back, hence count what was tried, or count once it is committed.
    """

    def __init__(self, declared: Iterable[tuple[str, Metric]] = ()) -> None:
        """Begin with nothing counted; `declared` are the metrics of plugins, each with the plugin's id."""
        self.samples = Samples()
        self.folder: Path | None = None
        self.names = {metric: name for name, metric in core_metrics()}
        self.names |= {metric: f"helpdesk_plugin_{plugin}_{metric.shown}" for plugin, metric in declared}
        self._lock = threading.Lock()
        self._requests: dict[tuple[str, str, int], int] = {}
        self._in_flight = self.samples.place((self.names[HTTP_IN_FLIGHT],))

    def count(self, metric: Counter, amount: float = 1, **labels: str) -> None:
        """Add to a counter.

        Args:
            metric: registered with `register_metrics`.
            amount: what to add; never less than nothing.
            labels: a value for each label of the metric.
        """
        if amount < 0:
            raise ValueError(f"counter {metric.name} only grows")
        series = self._series(metric, labels)
        with self._lock:
            at = self._place(series, 1)
            self.samples.cells[at] += amount

    def set(self, metric: Gauge, value: float, **labels: str) -> None:
        """Say how a gauge stands."""
        series = self._series(metric, labels)
        with self._lock:
            at = self._place(series, 1)
            self.samples.cells[at] = value

    def observe(self, metric: Histogram, value: float, **labels: str) -> None:
        """Add a measurement to a histogram."""
        self._add(self._series(metric, labels), metric.bounds, value)

    def timed(self, metric: Histogram, seconds: float, *values: str) -> None:
        """Do what `observe` does for a metric of the core; `values` are those of its labels, in their order."""
        self._add((self.names[metric], *values), metric.bounds, seconds)

    def tally(self, metric: Counter, *values: str) -> None:
        """Add one to a counter of the core."""
        with self._lock:
            at = self._place((self.names[metric], *values), 1)
            self.samples.cells[at] += 1

    def put(self, metric: Metric, value: float, *values: str) -> None:
        """Say how a gauge stands, or a counter that somebody else keeps."""
        with self._lock:
            at = self._place((self.names[metric], *values), 1)
            self.samples.cells[at] = value

    def began(self) -> None:
        """Count a request as being answered. Like `ended`, called by the event loop alone, hence without a lock."""
        self.samples.cells[self._in_flight] += 1

    def ended(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        at = self._requests.get((route, method, status))
        if at is None:
            at = self._new_request(route, method, status)
        cells = self.samples.cells
        cells[self._in_flight] -= 1
        cells[at + bisect_left(SECONDS, seconds)] += 1
        cells[at + _WIDTH - 1] += seconds

    def share(self, folder: str | None) -> None:
        """Count in a file in `folder` from now on, where the other processes of this server count as well.

        Without a folder, or where it cannot be used, the process counts for itself.
        """
        if not folder:
            return
        try:
            self.samples.share(Path(folder))
            self.folder = Path(folder)
        except OSError as error:
            log.warning("each process shows metrics of its own", extra={"error": str(error)})

    def _new_request(self, route: str, method: str, status: int) -> int:
        shown = method if method in METHODS else OTHER
        with self._lock:
            at = self._place((REQUESTS, route, shown, str(status)), _WIDTH)
        if shown == method:  # strangers may invent methods without end
            self._requests[route, method, status] = at
        return at

    def _series(self, metric: Metric, labels: Mapping[str, str]) -> Series:
        name = self.names.get(metric)
        if name is None:
            raise UndeclaredMetric(f"metric {metric.name} is not registered")
        if labels.keys() != metric.labels.keys():
            raise ValueError(f"metric {metric.name} has the labels {', '.join(metric.labels) or 'none'}")
        return (name, *(labels[each] if labels[each] in known else OTHER for each, known in metric.labels.items()))

    def _add(self, series: Series, bounds: tuple[float, ...], value: float) -> None:
        with self._lock:
            at = self._place(series, len(bounds) + 2)
            cells = self.samples.cells
            cells[at + bisect_left(bounds, value)] += 1
            cells[at + len(bounds) + 1] += value

    def _place(self, series: Series, width: int) -> int:
        """Return where a series stands; when there is no room, where nobody looks."""
        try:
            return self.samples.place(series, width)
        except Full:
            return self.samples.nowhere
