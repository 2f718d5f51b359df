"""`Telemetry`: brings together what is counted and what is asked for, and keeps it current for other processes."""

import logging
import threading
from collections.abc import Callable, Sequence

from helpdesk_core.telemetry.exposition import expose
from helpdesk_core.telemetry.metrics import Metrics
from helpdesk_core.telemetry.sources import Source

log = logging.getLogger("helpdesk.telemetry")

INTERVAL_SECONDS = 5.0
"""How old gauges of other processes may be. What is counted is never old: it is read where it is counted."""


class Telemetry:
    """What one process shows of itself, and of those that share a folder with it.

    Attributes:
        metrics: what is counted.
        sources: ask for the rest; the list may grow until `start`.
    """

    def __init__(self, metrics: Metrics, sources: Sequence[Source], queue: Source) -> None:
        """Prepare; `queue` is asked only when somebody looks, for it asks the database."""
        self.metrics = metrics
        self.sources = [*sources]
        self._queue = queue
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Keep the figures current that others read; where there are no others, nothing has to be done."""
        if self.metrics.folder is not None:
            self._thread = threading.Thread(target=self._loop, name="telemetry", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Put down the last figures, and stop."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self.refresh()

    def answer(self, accept: str = "") -> tuple[bytes, str]:
        """Return everything in the format that `accept` asks for, and its media type."""
        self.refresh()
        self._tell(self._queue)
        return expose(self.metrics, accept)

    def refresh(self) -> None:
        """Ask every source how things stand."""
        for source in self.sources:
            self._tell(source)

    def _tell(self, source: Callable[[Metrics], None]) -> None:
        try:
            source(self.metrics)
        except Exception:  # one figure less is better than none
            log.exception("a figure cannot be told")

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self.refresh()
            self._stopping.wait(INTERVAL_SECONDS)
