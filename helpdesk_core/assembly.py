"""The parts of a process, each made once and named once, in order; what serves and what works share them."""

import os
import select
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from helpdesk_core.accounts.queries import active_organizations, plan_of
from helpdesk_core.changes import Changes
from helpdesk_core.clock import Clock, SystemClock
from helpdesk_core.database import Database
from helpdesk_core.events import Bus, type_of
from helpdesk_core.files import FileStore, FolderStore
from helpdesk_core.garbage import without_collecting
from helpdesk_core.http.outbound import Outbound
from helpdesk_core.jobs import Bell, Pool, Registry, Runner, Tenants, taking_part
from helpdesk_core.keys import Seals, Vault, derived_keys
from helpdesk_core.limits.choice import stores_of
from helpdesk_core.limits.leases import Leases
from helpdesk_core.limits.quota import Quota
from helpdesk_core.limits.stores import Chain
from helpdesk_core.lineages import lineages
from helpdesk_core.mail import Mailer, mailer_for
from helpdesk_core.plugins import Contributions, Phase, Plugin, PluginHealth, PluginHost, Watchdog, load_plugins
from helpdesk_core.plugins.deadline import deadline
from helpdesk_core.positions import pending
from helpdesk_core.resources import Resources
from helpdesk_core.settings import Settings
from helpdesk_core.telemetry.assembling import job_watcher, metrics_of, telemetry_of
from helpdesk_core.telemetry.collecting import Telemetry
from helpdesk_core.telemetry.metrics import Metrics
from helpdesk_core.telemetry.traces import tracing_of
from helpdesk_core.tracing import Tracing
from helpdesk_core.upkeep import Upkeep, every
from helpdesk_core.web.context import Services
from helpdesk_core.web.limits import Limits
from helpdesk_core.web.realtime.wakers import Wakers
from helpdesk_core.web.routing import Endpoint
from helpdesk_core.web.serving.interleaved import PLACES


@dataclass(frozen=True)
class Parts:
    """What the web process and its tests share.

    Attributes:
        settings: as read at start.
        host: every plugin.
        services: what endpoints work with.
        runner: passes events on and runs jobs.
        bell: says when there is something to run.
        upkeep: the chores of this process.
        endpoints: every declared operation.
    """

    settings: Settings
    host: PluginHost
    services: Services
    runner: Runner
    bell: Bell
    upkeep: Upkeep
    endpoints: tuple[Endpoint, ...]


@without_collecting()
def assemble(
    settings: Settings,
    *,
    clock: Clock | None = None,
    host: PluginHost | None = None,
    files: FileStore | None = None,
    instead: Mapping[type, Any] | None = None,
) -> Parts:
    """Make every part of the process, connected to each other and to nothing outside yet.

    Args:
        settings: as read at start.
        clock: tells the time.
        host: the plugins, if they are loaded already.
        files: where uploads go; the installation's folder when it is left out.
        instead: what stands in for registered services, by their type; for tests.
    """
    clock = clock or SystemClock()
    host = host or load_plugins(settings.wanted_plugins, seconds=settings.plugin_start_seconds)
    database = _database(settings)
    upkeep, bell = Upkeep(), Bell(settings)
    contributions = Contributions(host, plan_of)
    files = files or FolderStore(settings.home / "files")
    extra = {**_extra(settings, host, clock, contributions), FileStore: files}
    behind = due_migrations(database, host)
    health = extra[PluginHealth] = PluginHealth(host, database, clock, behind=behind, settings=settings)
    extra[Watchdog] = Watchdog(health, database.let_go)
    extra[Metrics] = metrics_of(host)
    extra.update({**_registered_services(host, settings, clock, health), **(instead or {})})
    extra[Tracing].watch(database.engine)
    bus = _bus(host, clock, contributions, extra, bell)
    tenants = Tenants(contributions.enabled, active_organizations, host.outages)
    runner = Runner(database, Registry.of(host), clock, bus, tenants, extra=extra, later=bell.ask_in)
    runner.ran = job_watcher(extra[Metrics])
    chain = Chain(stores_of(settings))
    leases = Leases(chain)
    quota = Quota(settings, database, bus, leases)
    extra[Limits] = Limits(settings, leases, quota)
    services = Services(
        settings=settings,
        clock=clock,
        database=database,
        files=files,
        roles=host.roles,
        bus=bus,
        extra=extra,
        upkeep=upkeep.chores,
    )
    extra[Telemetry] = telemetry_of(services, chain)
    upkeep.chores.extend([health.refresh, *_chores(services, leases, quota)])
    return Parts(settings, host, services, runner, bell, upkeep, declared_endpoints(host))


def _database(settings: Settings) -> Database:
    quick, slow = lane_sizes(settings)
    interleaved = PLACES if reads_on_the_loop(settings) and not settings.database.startswith("sqlite") else 0
    others = 7  # the event loop, readiness, upkeep, leases, three of the socket
    return Database(
        settings.database,
        threads=quick + slow + interleaved + settings.job_threads + others,
        synchronous=settings.sqlite_synchronous,
        row_security=settings.row_security,
    )


def _extra(settings: Settings, host: PluginHost, clock: Clock, contributions: Contributions) -> dict[type, Any]:
    """Return what endpoints, handlers and jobs get by its type."""
    resources = Resources([(plugin.id, each) for plugin, each in host.declared("register_resources")], host.gate, clock)
    made: list[Any] = [settings, host, host.catalogue, contributions]
    made += [resources, Changes(resources, host.catalogue), Wakers(settings)]
    tracing = tracing_of(settings, os.environ)
    made += [Seals(derived_keys(settings, "audit log")), Vault(derived_keys(settings, "stored secrets"))]
    return {
        **{type(each): each for each in made},
        Mailer: mailer_for(settings),
        Tracing: tracing,
        Outbound: Outbound(settings, tracing=tracing),
    }


def _registered_services(host: PluginHost, settings: Settings, clock: Clock, health: PluginHealth) -> dict[type, Any]:
    """Return the objects that plugins register, by their type; a plugin whose object cannot be made is taken out."""
    made = [
        made_by(plugin, health, partial(factory, settings, clock))
        for plugin, factory in host.declared("register_services")
    ]
    return {type(each): each for each in made if each is not None}


def made_by(plugin: Plugin, health: PluginHealth, make: Callable[[], Any]) -> Any:
    """Return what `make` returns; nothing, and the plugin is taken out, when it fails or takes too long."""
    try:
        with deadline(health.start_seconds):
            return make()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a plugin raises costs nobody else
        health.broke(plugin.id, Phase.START, error)
        return None


def _bus(host: PluginHost, clock: Clock, contributions: Contributions, extra: Mapping[type, Any], bell: Bell) -> Bus:
    within = taking_part(host, contributions.answers, extra)
    extra[Tracing].take_part(within)
    handlers = [handler for _, handler in host.declared("register_event_handlers")]
    return Bus(
        clock,
        handled=frozenset(type_of(each.event) for each in handlers if not each.within),
        within=within,
        wake=bell.ask,
        heard=extra[Wakers].announce,
        seals=extra[Seals],
        extra=extra,
    )


def due_migrations(database: Database, host: PluginHost) -> Callable[[], Mapping[str, str]]:
    """Return what tells the ids of plugins that cannot run on the database as it is, each with the reason."""
    wanted = lineages(host)
    return lambda: pending(database, wanted)


def _chores(services: Services, leases: Leases, quota: Quota) -> Iterator[Callable[[], None]]:
    clock = services.clock
    yield every(timedelta(hours=1), clock, services.database.refresh_statistics)
    if services.settings.limits != "off":
        yield lambda: leases.release(int(clock.now().timestamp()))
        yield every(timedelta(minutes=1), clock, quota.persist)
        yield every(timedelta(minutes=10), clock, lambda: leases.clean(int(clock.now().timestamp())))


def declared_endpoints(host: PluginHost) -> tuple[Endpoint, ...]:
    """Return every endpoint of the active plugins, each marked with its plugin."""
    return tuple(
        replace(endpoint, plugin=plugin.id)
        for plugin, router in host.declared("register_routes")
        for endpoint in router.endpoints
    )


def lane_sizes(settings: Settings) -> tuple[int, int]:
    """Return how many quick and slow database threads there are; see `Lanes`."""
    if settings.database_threads:
        return settings.database_threads, max(1, settings.database_threads // 4)
    return (1, 2) if settings.database.startswith("sqlite") else (8, 4)


def reads_on_the_loop(settings: Settings) -> bool:
    """Tell whether quick reads run on the event loop: where nobody asks for threads, and the system has epoll."""
    return not settings.database_threads and (settings.database.startswith("sqlite") or hasattr(select, "epoll"))


def create_pool(parts: Parts, busy: Callable[[], bool] = lambda: False) -> Pool:
    """Return the threads that run jobs in this process, and give way to what makes it `busy`."""
    one_writer = parts.services.database.kind == "sqlite"
    return Pool(parts.runner, parts.bell, parts.settings.job_threads, one_writer=one_writer, busy=busy)
