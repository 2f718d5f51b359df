"""Many workers at once, and name servers that change their minds."""

import threading

from sqlalchemy import select

from helpdesk_core.api import Outbound
from helpdesk_integrations.models import Delivery, Webhook
from helpdesk_integrations.schedule import MOST_AT_ONCE
from plugins.integrations.tests.conftest import WEBHOOKS

WORKERS = 8


def work_together(installation):
    """Run what is due in several threads, as several workers would."""
    runner = installation.parts.runner
    while runner.pass_on() or runner.run_some(slow=False):
        pass

    def work():
        while runner.run_some(slow=True):
            pass

    threads = [threading.Thread(target=work) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_many_workers_send_everything_once_four_at_a_time(
    *, installation, hook, receiver, open_ticket, run_until_done, owner
):
    webhook = hook(events=["ticket.created"])
    receiver.crowd = MOST_AT_ONCE + 1  # each request waits a moment for a fifth one, which must not come
    for _ in range(12):
        open_ticket()
    work_together(installation)
    assert receiver.most_at_once == MOST_AT_ONCE
    receiver.crowd = 0
    run_until_done()
    assert len({each.headers["webhook-id"] for each in receiver.received}) == len(receiver.received) == 12
    shown = owner.get(f"{WEBHOOKS}{webhook['id']}/").json()
    assert (shown["delivery_count"], shown["success_count"], shown["failure_count"]) == (12, 12, 0)


def test_counters_are_true_whoever_counts(*, installation, hook, receiver, open_ticket, run_until_done, owner):
    webhook = hook(events=["ticket.*"])
    receiver.failures["/hook"] = 4
    for _ in range(10):
        open_ticket()
    work_together(installation)
    with installation.session(owner.organization_id) as session:
        counted = session.scalars(select(Webhook)).one()
        states = session.scalars(select(Delivery.state).where(Delivery.webhook_id == webhook["id"])).all()
        figures = counted.delivery_count, counted.success_count, counted.failure_count
        assert figures == (len(states), states.count("delivered"), states.count("dead"))
    run_until_done()
    shown = owner.get(f"{WEBHOOKS}{webhook['id']}/").json()
    assert (shown["delivery_count"], shown["success_count"], shown["failure_count"]) == (10, 10, 0)


def test_an_address_is_checked_again_when_it_is_sent_to(
    *, installation, hook, receiver, open_ticket, run_until_done, log, owner
):
    """The name server tells a public address while the webhook is saved, and others ever after."""
    others = ["10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "0.0.0.0", "192.168.1.1", "172.16.0.1", "100.64.0.1", "fe80::1"]  # noqa: E501  # fmt: skip
    answers = iter([["93.184.215.14"], *([other] for other in others), ["93.184.215.14", "10.0.0.1"]])
    settings = installation.parts.settings
    installation.parts.services.extra[Outbound] = Outbound(settings, lambda host, port: next(answers))
    webhook = hook(events=["ticket.created"], url="https://rebinding.example/hook")
    open_ticket()
    run_until_done()
    (delivery,) = log(webhook)
    assert (delivery["state"], delivery["tries"]) == ("dead", 10)
    assert {each["response_status"] for each in delivery["attempts"]} == {None}
    assert all("public internet" in each["error"] for each in delivery["attempts"])
    assert not receiver.received
