"""The composition root of the web process: every part of it is named once, in order."""

import contextlib
import re
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import ASGIApp, ExceptionHandler

from helpdesk_core.assembly import Parts, assemble, create_pool, lane_sizes, made_by, reads_on_the_loop
from helpdesk_core.clock import Clock
from helpdesk_core.errors import HelpdeskError, MethodNotAllowed, NotFound
from helpdesk_core.garbage import without_collecting
from helpdesk_core.jobs import Pool
from helpdesk_core.plugins import PluginHealth, PluginHost, Watchdog
from helpdesk_core.plugins.discovery import BUILT_IN
from helpdesk_core.schemas import Dialect
from helpdesk_core.settings import Settings
from helpdesk_core.telemetry.assembling import RequestWatcher, watch_web
from helpdesk_core.telemetry.collecting import Telemetry
from helpdesk_core.telemetry.metrics import Metrics
from helpdesk_core.telemetry.reading import metrics_routes
from helpdesk_core.tracing import Tracing
from helpdesk_core.web.answers import Form
from helpdesk_core.web.authentication import Authenticator, ContainedAuthenticator
from helpdesk_core.web.context import Services
from helpdesk_core.web.dispatch import Api
from helpdesk_core.web.docs import documentation_routes
from helpdesk_core.web.errors import render
from helpdesk_core.web.health import health_routes
from helpdesk_core.web.lanes import Lanes
from helpdesk_core.web.limits import HEADERS, Limits
from helpdesk_core.web.middleware import Frame
from helpdesk_core.web.pages import page_routes
from helpdesk_core.web.realtime.endpoint import hub_of, socket_routes
from helpdesk_core.web.realtime.hub import Hub
from helpdesk_core.web.realtime.wakers import Wakers
from helpdesk_core.web.serving.refusals import Refusals
from helpdesk_core.web.serving.state import Serving
from helpdesk_core.web.unit_of_work import UnitOfWork

ACCEPTED_HEADERS = (
    *("Authorization", "X-API-Key", "X-CSRFToken"),
    *("Content-Type", "Accept", "Idempotency-Key", "If-Match", "If-None-Match"),
)
EXPOSED_HEADERS = (
    "X-Request-ID",
    "X-API-Version",
    "ETag",
    "X-Count-Capped",
    "Idempotency-Replayed",
    "Retry-After",
    *HEADERS,
)


def _authenticators(host: PluginHost, services: Services) -> list[Authenticator]:
    """Return what finds callers; one that cannot be made, or fails when it is asked, finds nobody."""
    health = services.get(PluginHealth)
    found = []
    for plugin, factory in host.declared("register_authenticators"):
        made = made_by(plugin, health, partial(factory, services))
        if made is not None:
            found.append(made if plugin.id in BUILT_IN else ContainedAuthenticator(plugin.id, made, health))
    return found


@without_collecting()
def create_app(
    settings: Settings, *, parts: Parts | None = None, works: bool = False, background: bool = True
) -> Starlette:
    """Return the ASGI application.

    Args:
        settings: as read at start.
        parts: what `assemble` made, when the caller keeps hold of it.
        works: whether the process also runs jobs; otherwise it tells the workers when there are any.
        background: whether anything runs beside requests; tests do by hand what would.
    """
    parts = parts or assemble(settings)
    services, host = parts.services, parts.host
    lanes = Lanes(
        *lane_sizes(settings),
        reads_here=reads_on_the_loop(settings),
        watchdog=services.get(Watchdog),
        patience=settings.queue_seconds,
        strand=services.database.strand,
    )
    serving = Serving(lanes.pressure, settings.header_timeout_seconds)
    authenticators = _authenticators(host, services)
    readers = {endpoint.path: endpoint for endpoint in parts.endpoints if endpoint.method == "GET"}
    unit_of_work = UnitOfWork(services, authenticators, host.gate, readers)
    api = Api(parts.endpoints, unit_of_work, lanes, settings)
    hub = hub_of(services, authenticators)
    telemetry = watch_web(services, lanes, hub)

    pool = partial(create_pool, parts, busy=api.is_busy) if works else None

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[Mapping[str, Any]]:
        async with _beside_requests(parts, pool, hub, telemetry, background=background):
            try:
                yield {"serving": serving, "refusals": Refusals(services.clock)}
            finally:
                lanes.close()

    app = Starlette(
        routes=[
            _below("/api/v1", api),
            *page_routes(host, services, authenticators, lanes),
            *documentation_routes(parts.endpoints, host, services, authenticators),
            *health_routes(parts.services, host),
            *metrics_routes(settings, telemetry),
            *socket_routes(services, hub),
        ],
        middleware=middleware(settings, services),
        exception_handlers={HTTPException: outside_the_api(services.clock)},
        lifespan=lifespan,
    )
    app.state.serving = serving
    return app


@contextlib.asynccontextmanager
async def _beside_requests(
    parts: Parts, make_pool: Callable[[], Pool] | None, hub: Hub, telemetry: Telemetry, *, background: bool
) -> AsyncIterator[None]:
    """Run what a process does beside requests for as long as the block lasts; jobs, if `make_pool` is given."""
    services = parts.services
    pool = make_pool() if make_pool is not None else None
    watchdog, wakers, tracing = services.get(Watchdog), services.get(Wakers), services.get(Tracing)
    if background:
        for each in (pool or parts.bell, parts.upkeep, wakers, watchdog, telemetry, tracing):
            each.start()
    hub.start()
    try:
        yield
    finally:
        await hub.stop()
        if pool is not None:
            await run_in_threadpool(pool.stop)
        for each in (parts.bell, watchdog, telemetry, parts.upkeep):
            each.stop()
        await run_in_threadpool(wakers.close)
        services.get(Limits).close(services.clock.now())
        await run_in_threadpool(tracing.stop)
        services.database.dispose()


def middleware(settings: Settings, services: Services) -> list[Middleware]:
    """Return what is around every request, the outermost first."""
    watcher = RequestWatcher(services.get(Metrics))
    clock, hosts, logs = services.clock, settings.allowed_hosts, settings.log_requests
    around = [Middleware(Frame, clock=clock, hosts=hosts, log_requests=logs, watcher=watcher)]
    around += services.get(Tracing).around_requests()
    if settings.allowed_origins:
        # Browsers send the cookie of a session from another origin only where they are named one by one.
        credentials = "*" not in settings.allowed_origins
        cors = Middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["*"],
            allow_headers=ACCEPTED_HEADERS,
            allow_credentials=credentials,
            expose_headers=EXPOSED_HEADERS,
        )
        around.append(cors)
    return around


def _below(prefix: str, api: ASGIApp) -> Mount:
    """Mount the API; a line break in a path, which Starlette's pattern stops at, is the API's to refuse as well."""
    mount = Mount(prefix, app=api)
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
    return mount


def outside_the_api(clock: Clock) -> ExceptionHandler:
    """Return what answers unknown paths and wrong methods outside `/api/v1/`, in the documented form."""

    async def answer(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        told: HelpdeskError = NotFound("There is nothing at this path.") if status == 404 else HelpdeskError()
        if isinstance(error, HTTPException) and status == 405:
            told = MethodNotAllowed(headers=error.headers)
        form = Form(envelope=False, request_id=request.scope["request_id"], now=clock.now())
        rendered = render(told, Dialect.COMPREHENSIVE, form)
        body = rendered.body if isinstance(rendered.body, bytes) else b""
        return Response(body, rendered.status, dict(rendered.headers), rendered.media_type)

    return answer
