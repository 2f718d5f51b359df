"""A receiver that fails k times, in each of the ways in which receivers fail."""

from datetime import datetime, timedelta

import pytest

from helpdesk_integrations.schedule import RETRIES
from helpdesk_integrations.service import sending
from plugins.integrations.tests.conftest import WEBHOOKS

RETRY_AFTER = 600
SOME = (0, 1, 2, 5, 9, 10, 12)
"""Waiting takes time."""
MODES = {
    "500": {},
    "timeout": {},
    "reset": {},
    "302": {"Location": "/elsewhere"},
    "429": {"Retry-After": str(RETRY_AFTER)},
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Receivers that never answer are given up soon."""
    monkeypatch.setattr(sending, "TIMEOUT", timedelta(seconds=0.3))


@pytest.fixture
def failing(receiver, hook):
    """Arranges a webhook for each number of failures."""

    def arrange(mode, headers, numbers):
        receiver.mode, receiver.headers = mode, headers
        for k in numbers:
            receiver.failures[f"/{k}"] = k
        return {k: hook(f"/{k}") for k in numbers}

    return arrange


@pytest.mark.parametrize("mode", MODES)
def test_what_fails_less_than_ten_times_arrives_and_the_rest_is_dead(
    *, mode, failing, receiver, open_ticket, run_until_done, log, owner
):
    webhooks = failing(mode, MODES[mode], SOME if mode == "timeout" else range(13))
    open_ticket()
    run_until_done()
    for k, webhook in webhooks.items():
        (delivery,) = log(webhook)
        assert (delivery["state"], delivery["tries"]) == (("delivered", k + 1) if k < 10 else ("dead", 10)), k
        requests = receiver.of(f"/{k}")
        assert len(requests) == min(k + 1, 10)
        assert {each.headers["webhook-id"] for each in requests} == {delivery["message"]["id"]}
        assert {each.body for each in requests} == {delivery["message"]["body"].encode()}
        assert len({each.headers["webhook-timestamp"] for each in requests}) == len(requests)
        assert_on_schedule(delivery["attempts"], at_least=RETRY_AFTER if mode == "429" else 0)
        shown = owner.get(f"{WEBHOOKS}{webhook['id']}/").json()
        assert (shown["delivery_count"], shown["success_count"], shown["failure_count"]) == (1, k < 10, k >= 10)
        assert shown["last_delivery"] == delivery["attempts"][-1]["started_at"]
    assert not receiver.of("/elsewhere")


def assert_on_schedule(attempts, *, at_least):
    moments = [datetime.fromisoformat(each["started_at"]) for each in attempts]
    for place, planned in enumerate(RETRIES.delays[: len(moments) - 1]):
        passed, wanted = moments[place + 1] - moments[place], max(planned, timedelta(seconds=at_least))
        assert wanted * 0.8 <= passed <= wanted * 1.2, place
        assert passed >= timedelta(seconds=at_least)


def test_a_receiver_that_is_gone_is_told_nothing_more(*, failing, receiver, open_ticket, run_until_done, log, owner):
    webhooks = failing("410", {}, range(13))
    open_ticket()
    run_until_done()
    for k, webhook in webhooks.items():
        (delivery,) = log(webhook)
        shown = owner.get(f"{WEBHOOKS}{webhook['id']}/?include=disabled_reason").json()
        assert len(receiver.of(f"/{k}")) == 1
        assert (delivery["state"], shown["is_active"]) == (("dead", False) if k else ("delivered", True))
        assert (shown["disabled_reason"] is not None) == bool(k)
    open_ticket("Another one")
    run_until_done()
    assert len(receiver.received) == 14
