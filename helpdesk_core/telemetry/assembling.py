"""What the composition root makes of all this."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection, event
from starlette.routing import Mount
from starlette.types import Scope

from helpdesk_core.database import Database
from helpdesk_core.events import Handler
from helpdesk_core.jobs.registry import Registered
from helpdesk_core.limits.stores import Chain
from helpdesk_core.plugins import PluginHealth, PluginHost
from helpdesk_core.telemetry import families, sources
from helpdesk_core.telemetry.collecting import Telemetry
from helpdesk_core.telemetry.metrics import Metrics
from helpdesk_core.telemetry.queue import QueueFigures
from helpdesk_core.web.context import Services
from helpdesk_core.web.dispatch import Api
from helpdesk_core.web.lanes import Lanes
from helpdesk_core.web.limits import Limits
from helpdesk_core.web.realtime.hub import Hub

UNMATCHED = "unmatched"
GONE = 499
"""Counted as the status where the client went before it was answered."""


def metrics_of(host: PluginHost) -> Metrics:
    """Return where this process counts."""
    return Metrics((plugin.id, metric) for plugin, metric in host.declared("register_metrics"))


def telemetry_of(services: Services, chain: Chain) -> Telemetry:
    """Return what shows the process, but for what only the web server has."""
    database, metrics = services.database, services.get(Metrics)
    watch_transactions(database, metrics)
    return Telemetry(metrics, [*_sources(services, database, chain)], QueueFigures(database, services.clock).tell)


def _sources(services: Services, database: Database, chain: Chain) -> Iterator[sources.Source]:
    yield sources.process(database.kind)
    yield sources.connections(database.engine, database.writer_waits)
    yield sources.limits(lambda: services.get(Limits).refused, chain)
    yield sources.plugins(services.get(PluginHost), services.get(PluginHealth))


def watch_web(services: Services, lanes: Lanes, hub: Hub) -> Telemetry:
    """Have the web server's own figures told as well."""
    telemetry = services.get(Telemetry)
    telemetry.sources += [sources.lanes(lanes), sources.sockets(hub)]
    return telemetry


def job_watcher(metrics: Metrics) -> Callable[[Registered, float, str], None]:
    """Return what counts what a worker has run."""

    def ran(registered: Registered, seconds: float, outcome: str) -> None:
        kind = "delivery" if isinstance(registered.what, Handler) else "job"
        metrics.timed(families.JOB_RUNS, seconds, registered.plugin, kind, outcome)

    return ran


class RequestWatcher:
    """Counts the requests of the web server."""

    def __init__(self, metrics: Metrics) -> None:
        """Begin to count there."""
        self._metrics = metrics
        self.began = metrics.began

    def ended(self, scope: Scope, status: int, seconds: float) -> None:
        """Count a request by what its path looks like to the router, never by the path."""
        self._metrics.ended(route_of(scope), scope["method"], status or GONE, seconds)
        if status >= 400:
            self._metrics.tally(families.HTTP_ERRORS, scope.get("code") or str(status))


def route_of(scope: Scope) -> str:
    """Return the template of a request's path, or `unmatched`: what strangers make up is one route."""
    template = scope.get("template")
    if template is not None:
        return f"{scope.get('root_path', '')}{template}"
    route = scope.get("route")
    return UNMATCHED if route is None or isinstance(getattr(route, "app", None), Api | Mount) else str(route.path)


def watch_transactions(database: Database, metrics: Metrics) -> None:
    """Measure every transaction, and count what the database refuses."""

    def began(connection: Connection) -> None:
        connection.info["began"] = time.perf_counter()

    def ended(connection: Connection) -> None:
        began_at = connection.info.pop("began", None)
        if began_at is not None:
            access = "write" if connection.get_execution_options().get("writes") else "read"
            metrics.timed(families.TRANSACTION_SECONDS, time.perf_counter() - began_at, access)

    def failed(error: BaseException) -> None:
        metrics.tally(families.DATABASE_ERRORS, type(error).__name__)

    def connected(_connection: Any, record: Any) -> None:
        record.info["failed"] = failed  # for statements that go past SQLAlchemy

    event.listen(database.engine, "begin", began)
    event.listen(database.engine, "commit", ended)
    event.listen(database.engine, "rollback", ended)
    event.listen(database.engine, "handle_error", lambda context: failed(context.original_exception))
    event.listen(database.engine, "connect", connected)
