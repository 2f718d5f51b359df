"""A runner with handlers and jobs of a test, beside the installation's own."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pytest
from sqlalchemy import select

from helpdesk_core.accounts.queries import active_organizations
from helpdesk_core.database import commit
from helpdesk_core.events import Event, EventCatalogue, Handler, OutboxEvent, publish, type_of
from helpdesk_core.jobs import Job, Registry, Runner, StoredJob, Tenants, enqueue, taking_part
from helpdesk_core.plugins import Contributions, Plugin, PluginHost
from helpdesk_core.testing import Installation


class SomethingHappened(Event):
    """Something did."""

    type: ClassVar[str] = "something.happened"
    what: str


class ThingChanged(Event):
    """A thing did."""

    type: ClassVar[str] = "thing.changed"
    about: ClassVar[dict[str, str]] = {"thing": "thing_id"}
    thing_id: int
    number: int = 0


@dataclass
class Bench:
    """A runner, and ways to look at what it does."""

    installation: Installation
    runner: Runner
    registry: Registry
    make: Callable[[], Runner]
    seen: list[Any] = field(default_factory=list)

    @property
    def organization(self) -> int:
        return self.installation.accounts["owner"].organization_id

    def publish(self, *events: Event, organization: int | None = None) -> None:
        with self.installation.session(organization or self.organization) as session:
            for event in events:
                publish(session, event)
            commit(session)

    def enqueue(self, what: Job, **options: Any) -> None:
        with self.installation.session(self.organization) as session:
            enqueue(session, what, **options)
            commit(session)

    def jobs(self) -> list[StoredJob]:
        with self.installation.session() as session:
            mine = select(StoredJob).where(StoredJob.name.in_(self.registry.by_name)).order_by(StoredJob.id)
            return list(session.scalars(mine))

    def outbox(self) -> list[OutboxEvent]:
        with self.installation.session() as session:
            wanted = select(OutboxEvent).where(OutboxEvent.type.in_(("something.happened", "thing.changed")))
            return list(session.scalars(wanted.order_by(OutboxEvent.id)))


MakeBench = Callable[..., Bench]


@pytest.fixture
def bench(installation: Installation) -> MakeBench:
    """Make a runner for handlers and jobs that the accounts plugin seems to have registered."""

    def make(*declared: Handler | Job, enabled: Callable[..., bool] = lambda *_: True) -> Bench:
        known = next(installation.parts.host.active)
        plugin = Plugin(known.id, known.package, known.folder, known.manifest)
        handlers = [each for each in declared if isinstance(each, Handler)]
        plugin.declared = {
            "register_event_handlers": handlers,
            "register_jobs": [each for each in declared if isinstance(each, Job)],
            "register_events": [SomethingHappened, ThingChanged],
        }
        host = PluginHost([plugin])
        services = installation.parts.services
        contributions = services.get(Contributions)
        extra = {**services.extra, EventCatalogue: host.catalogue}
        bus = replace(
            services.bus,
            handled=frozenset(type_of(each.event) for each in handlers if not each.within),
            within=taking_part(host, contributions.enabled, extra),
        )
        registry = Registry.of(host)
        tenants = Tenants(enabled, active_organizations)
        installation.parts = replace(installation.parts, services=replace(services, bus=bus))

        def runner() -> Runner:
            return Runner(services.database, registry, installation.clock, bus, tenants, extra=extra)

        return Bench(installation, runner(), registry, runner)

    return make
