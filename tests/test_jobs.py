"""Events reach their handlers after the commit, each in a transaction of its own, until they succeed."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from sqlalchemy import select

from helpdesk_core.database import commit
from helpdesk_core.events import Event, Handler, HandlerContext, OutboxEvent, on, publish
from helpdesk_core.jobs import RETRIES, Delivery
from helpdesk_core.keys import Seals
from helpdesk_core.plugins import Plugin, PluginHost
from helpdesk_core.testing import Installation


class SomethingHappened(Event):
    """Something did."""

    type: ClassVar[str] = "something.happened"
    what: str


Deliver = Callable[[Callable[[HandlerContext, Any], None]], Delivery]


@pytest.fixture
def listening(installation: Installation) -> Deliver:
    """Make a delivery with one handler, registered by the built-in plugin."""

    def make(function: Callable[[HandlerContext, Any], None]) -> Delivery:
        handler: Handler = on(SomethingHappened)(function)
        known = next(installation.parts.host.active)
        plugin = Plugin(known.id, known.package, known.folder, known.manifest)
        plugin.declared = {"register_event_handlers": [handler], "register_events": [SomethingHappened]}
        services = installation.parts.services
        delivery = Delivery(
            services.database,
            PluginHost([plugin]),
            installation.clock,
            lambda _: ("free", frozenset()),
            seals=services.get(Seals),
            extra=services.extra,
        )
        installation.parts = replace(installation.parts, services=replace(services, bus=delivery.bus))
        return delivery

    return make


def announce(installation: Installation, what: str) -> None:
    with installation.session(installation.accounts["owner"].organization_id) as session:
        publish(session, SomethingHappened(what=what))
        commit(session)


def outbox(installation: Installation) -> list[OutboxEvent]:
    with installation.session() as session:
        wanted = select(OutboxEvent).where(OutboxEvent.type == "something.happened").order_by(OutboxEvent.id)
        return list(session.scalars(wanted))


def test_a_handler_gets_each_event_once(installation: Installation, listening: Deliver) -> None:
    seen: list[str] = []
    delivery = listening(lambda _, event: seen.append(event.what))
    announce(installation, "one")
    announce(installation, "two")
    assert delivery.deliver_due() == 2
    assert delivery.deliver_due() == 0
    assert seen == ["one", "two"]


def test_a_started_delivery_waits_for_what_is_published(installation: Installation, listening: Deliver) -> None:
    heard = threading.Event()
    delivery = listening(lambda *_: heard.set())
    delivery.start()
    announce(installation, "one")
    assert heard.wait(timeout=30)
    delivery.stop()
    assert [row.due_at for row in outbox(installation)] == [None]


def test_what_is_rolled_back_never_happened(installation: Installation, listening: Deliver) -> None:
    delivery = listening(lambda *_: None)
    with installation.session(installation.accounts["owner"].organization_id) as session:
        publish(session, SomethingHappened(what="undone"))
        session.flush()
    assert delivery.deliver_due() == 0
    assert outbox(installation) == []


def test_a_failing_handler_is_tried_again_later_and_kept_when_it_gives_up(
    installation: Installation, listening: Deliver
) -> None:
    def fail(_ctx: HandlerContext, _event: SomethingHappened) -> None:
        raise ValueError("out of paper")

    delivery = listening(fail)
    announce(installation, "one")
    for wait in RETRIES:
        assert delivery.deliver_due() == 1
        assert delivery.deliver_due() == 0
        installation.clock.advance(seconds=wait.total_seconds())
    assert delivery.deliver_due() == 1
    row = outbox(installation)[0]
    assert (row.due_at, row.attempts, row.last_error) == (None, len(RETRIES) + 1, "out of paper")


def test_an_event_nobody_handles_is_history_and_never_due(installation: Installation) -> None:
    announce(installation, "unheard")
    assert [row.due_at for row in outbox(installation)] == [None]


def test_effects_of_a_failed_handler_are_rolled_back(installation: Installation, listening: Deliver) -> None:
    def write_and_fail(ctx: HandlerContext, event: SomethingHappened) -> None:
        if event.what == "one":
            publish(ctx.session, SomethingHappened(what="never"))
            raise ValueError

    delivery = listening(write_and_fail)
    announce(installation, "one")
    delivery.deliver_due()
    assert [row.payload for row in outbox(installation)] == ['{"what":"one"}']
