"""What handlers cost the request that publishes: tickets created with eleven plugins that listen, and with none.

Both run in this process, below the server, each on a copy of one database; only processor time is looked at. Deliveries
are made by workers, after the commit, and are no part of the request.
"""

import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from helpdesk_core.events import Event, on
from helpdesk_core.plugins import Plugin, PluginHost, load_plugins
from tests.benchmarks import data
from tests.benchmarks.inside import Product
from tests.benchmarks.servers import HELPDESK

BATCH = 20
PLUGINS = 11


@dataclass(frozen=True)
class Cost:
    """Processor time of creating a ticket, in microseconds, and the median of the ratios of neighbouring batches."""

    heard: float
    unheard: float
    ratio: float


def measure(path: Path, logins: list[data.Login], bodies: Sequence[bytes], rounds: int) -> Cost:
    """Compare `rounds` pairs of batches; the two take turns in being first."""
    tokens = HELPDESK.tokens(logins[:BATCH])
    hosts = {True: listening(load_plugins()), False: silent(load_plugins())}
    with ExitStack() as stack:
        products = {}
        for heard, host in hosts.items():
            copy = data.copy(path, f"publishing-{heard}")
            data.analyze(copy)
            products[heard] = stack.enter_context(closing(Product(copy, timed=False, host=host, limits="off")))
        found: dict[bool, list[float]] = {True: [], False: []}
        for place in range(rounds + 5):
            for heard in (True, False) if place % 2 else (False, True):
                spent = _spent(products[heard], tokens, bodies, place)
                if place >= 5:
                    found[heard].append(spent)
    ratio = median(one / other for one, other in zip(found[True], found[False], strict=True))
    return Cost(median(found[True]), median(found[False]), ratio)


def listening(host: PluginHost) -> PluginHost:
    """Return the plugins, and so many more that eleven of them handle every event, and every kind of it twice."""
    plugins = [*host.plugins]
    while len(plugins) < PLUGINS:
        name = f"listener{len(plugins)}"
        plugins.append(Plugin(name, name, Path(), None, declared={"register_event_handlers": list(_handlers(name))}))
    return PluginHost(plugins)


def silent(host: PluginHost) -> PluginHost:
    """Return the plugins without any handler."""
    return PluginHost(
        [replace(each, declared={**each.declared, "register_event_handlers": []}) for each in host.plugins]
    )


def _handlers(name: str) -> Any:
    def hear(*_: object) -> None:
        """Nothing to do."""

    yield on(Event, name=f"{name}_all")(hear)
    for kind in load_plugins().event_types.values():
        yield on(kind, name=f"{name}_{kind.type}")(hear)


def _spent(product: Product, tokens: Sequence[str], bodies: Sequence[bytes], place: int) -> float:
    """Return the microseconds of processor time that each request takes."""
    requests = [
        product.request(token, "/tickets/", body=bodies[(place * BATCH + number) % len(bodies)])
        for number, token in enumerate(tokens)
    ]
    began = time.process_time()
    for request in requests:
        product.run(request)
    return (time.process_time() - began) / len(requests) * 1e6
