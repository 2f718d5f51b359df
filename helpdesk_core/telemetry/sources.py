"""Figures that others keep, asked for when somebody wants to see them."""

import os
import platform
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from helpdesk_core.limits.stores import Chain
from helpdesk_core.plugins import PluginHealth, PluginHost, State
from helpdesk_core.telemetry import families
from helpdesk_core.telemetry.metrics import Metrics
from helpdesk_core.web.lanes import Lanes

Source = Callable[[Metrics], None]
"""Puts the present figures of something where they are counted."""


def lanes(found: Lanes) -> Source:
    """Return what tells how many requests wait for their turn, and how many were turned away for it."""
    backlogs = {"quick": found.quick.backlog, "slow": found.slow.backlog}
    if found.reading is not found.quick:
        backlogs["loop"] = found.reading.backlog

    def tell(metrics: Metrics) -> None:
        for name, backlog in backlogs.items():
            metrics.put(families.LANE_WAITING, len(backlog), name)
            metrics.put(families.LANE_WAIT, backlog.age(), name)
        metrics.put(families.TURNED_AWAY, found.pressure.refused)

    return tell


def sockets(hub: Any) -> Source:
    """Return what tells how many clients are connected, and how many the server has sent away."""

    def tell(metrics: Metrics) -> None:
        metrics.put(families.SOCKET_CONNECTIONS, hub.connections)
        for code, number in tuple(hub.ended.items()):
            metrics.put(families.SOCKETS_CLOSED, number, str(code))

    return tell


def connections(engine: Engine, waits: Callable[[], tuple[int, float] | None]) -> Source:
    """Return what tells about the pool, and on SQLite about those who waited for their turn to write."""

    def tell(metrics: Metrics) -> None:
        pool: Any = engine.pool  # there may be another one since
        metrics.put(families.CONNECTIONS, pool.checkedout(), "in_use")
        metrics.put(families.CONNECTIONS, pool.checkedin(), "idle")
        metrics.put(families.CONNECTIONS_MAX, pool.size() + pool._max_overflow)  # noqa: SLF001 - it has no other name
        waited = waits()
        if waited is not None:
            metrics.put(families.WRITER_WAITS, waited[0])
            metrics.put(families.WRITER_WAIT_SECONDS, waited[1])

    return tell


def limits(refused: Callable[[], dict[str, int]], chain: Chain) -> Source:
    """Return what tells whom the limits have refused, and how the stores of counters fare."""

    def tell(metrics: Metrics) -> None:
        for bucket, number in tuple(refused().items()):
            metrics.put(families.LIMITS_REFUSED, number, bucket)
        for store, up, failures in chain.standings():
            metrics.put(families.STORE_UP, up, store)
            metrics.put(families.STORE_FAILURES, failures, store)

    return tell


def plugins(host: PluginHost, health: PluginHealth) -> Source:
    """Return what tells which plugins run, and how often they have failed."""

    def tell(metrics: Metrics) -> None:
        for plugin in host.plugins:
            state, _, _ = host.state_of(plugin)
            if state is not State.DISCOVERED:
                metrics.put(families.PLUGIN_ACTIVE, state is State.ACTIVE, plugin.id)
        for (plugin_id, phase), number in tuple(health.failures.items()):
            metrics.put(families.PLUGIN_FAILURES, number, plugin_id, phase)

    return tell


def process(database: str) -> Source:
    """Return what tells about this process itself, as far as the system lets one see it."""
    started = time.time() - _age()
    core = version("helpdesk-core")

    def tell(metrics: Metrics) -> None:
        metrics.put(families.PROCESSES, 1)
        metrics.put(families.BUILD, 1, core, platform.python_version(), database)
        metrics.put(families.CPU, time.process_time())
        metrics.put(families.STARTED, started)
        for metric, value in _of_the_system():
            metrics.put(metric, value)

    return tell


def _of_the_system() -> Iterator[tuple[Any, float]]:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        files = sum(1 for _ in Path("/proc/self/fd").iterdir())
    except OSError:  # there is no such thing here
        return
    memory = pages * os.sysconf("SC_PAGE_SIZE")
    yield families.MEMORY, memory
    yield families.MEMORY_MOST, memory
    yield families.FILES, files
    limit = os.sysconf("SC_OPEN_MAX")
    if limit > 0:
        yield families.FILES_MAX, limit


def _age() -> float:
    """Return for how many seconds this process has run; nothing where the system does not tell."""
    try:
        began = int(Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
        uptime = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    except OSError:
        return 0.0
    return uptime - began / os.sysconf("SC_CLK_TCK")
