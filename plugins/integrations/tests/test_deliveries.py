"""Deliveries: what is sent, in which order, how often, and what is told of it afterwards."""

import base64
import json
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from standardwebhooks import Webhook as Verifier

from helpdesk_integrations.models import Attempt, Delivery, Message, Webhook
from helpdesk_integrations.service import sending
from helpdesk_integrations.signatures import key_of
from plugins.integrations.tests.conftest import WEBHOOKS


def verified(secret, request):
    """Verify a request as a receiver would; the library's clock is not that of the test."""
    verifier = Verifier(base64.b64encode(key_of(secret)).decode())
    signed = verifier.sign(
        request.headers["webhook-id"],
        datetime.fromtimestamp(int(request.headers["webhook-timestamp"])).astimezone(),
        request.body.decode(),
    )
    return signed in request.headers["webhook-signature"].split()


def counts(webhook):
    return {name: webhook[f"{name}_count"] for name in ("delivery", "success", "failure")}


class TestWhatIsSent:
    def test_a_ticket_in_the_words_of_the_api(self, *, hook, receiver, open_ticket, run_jobs, owner, installation):
        webhook = hook(events=["ticket.created"])
        ticket = open_ticket()
        run_jobs()
        (request,) = receiver.received
        assert request.method == "POST"
        assert request.headers["content-type"] == "application/json"
        assert list(request.json) == ["id", "type", "timestamp", "data"]
        assert request.json["id"] == request.headers["webhook-id"]
        assert (request.json["type"], request.json["timestamp"]) == ("ticket.created", ticket["created_at"])
        assert request.json["data"] == owner.get(f"/tickets/{ticket['id']}/").json()
        assert verified(webhook["secret"], request)
        assert int(request.headers["webhook-timestamp"]) == int(installation.clock.now().timestamp())

    def test_only_what_was_asked_for(self, *, hook, receiver, open_ticket, run_jobs, agent):
        hook("/created", events=["ticket_created"])
        hook("/comments", events=["comment.*"])
        hook("/all", events=["*"])
        hook("/off", is_active=False)
        ticket = open_ticket()
        agent.post(f"/tickets/{ticket['id']}/comments/", json={"content": "On my way"})
        run_jobs()
        assert [each.json["type"] for each in receiver.of("/created")] == ["ticket.created"]
        assert [each.json["type"] for each in receiver.of("/comments")] == ["comment.created"]
        assert {"ticket.created", "comment.created"} <= {each.json["type"] for each in receiver.of("/all")}
        assert not receiver.of("/off")

    def test_another_organization_hears_nothing(self, outsider, receiver, open_ticket, run_jobs):
        body = {"name": "Elsewhere", "url": f"{receiver.base}/hook", "events": ["*"]}
        assert outsider.post(WEBHOOKS, json=body).status_code == 201
        open_ticket()
        run_jobs()
        assert not [each for each in receiver.received if each.json["type"].startswith("ticket.")]

    def test_internal_comments_are_told_to_nobody(self, *, hook, receiver, open_ticket, run_jobs, agent):
        hook(events=["*"])
        ticket = open_ticket()
        path = f"/tickets/{ticket['id']}/comments/"
        internal = agent.post(path, json={"content": "He never pays", "is_internal": True}).json()
        agent.put(f"{path}{internal['id']}/", json={"content": "He never pays in time"})
        agent.post(path, json={"content": "We are looking into it"})
        agent.patch(f"/tickets/{ticket['id']}/", json={"priority": "high"})
        run_jobs()
        agent.delete(f"{path}{internal['id']}/")
        run_jobs()
        assert not [each for each in receiver.received if b"never pays" in each.body]
        comments = [each for each in receiver.received if each.json["type"].startswith("comment.")]
        assert [each.json["data"]["content"] for each in comments] == ["We are looking into it"]

    def test_what_is_gone_is_told_by_its_id(self, *, hook, receiver, open_ticket, run_jobs, agent):
        hook(events=["ticket.deleted"])
        ticket = open_ticket()
        assert agent.delete(f"/tickets/{ticket['id']}/").status_code == 204
        run_jobs()
        (request,) = receiver.received
        assert request.json["data"]["id"] == ticket["id"]

    def test_what_is_large_is_told_by_its_address(self, *, hook, receiver, open_ticket, run_jobs, owner):
        hook(events=["ticket.created"])
        ticket = open_ticket(description="long " * 5_000)
        run_jobs()
        (request,) = receiver.received
        data = request.json["data"]
        assert len(request.body) < 1_000
        assert data["id"] == ticket["id"]
        path = data["url"].partition("/api/v1")[2]
        assert owner.get(path).json()["id"] == ticket["id"]

    def test_a_large_comment_is_told_by_its_address(self, hook, receiver, open_ticket, run_jobs, agent):
        hook(events=["comment.created"])
        ticket = open_ticket()
        comment = agent.post(f"/tickets/{ticket['id']}/comments/", json={"content": "long " * 5_000}).json()
        run_jobs()
        (request,) = receiver.received
        shown = agent.get(request.json["data"]["url"].partition("/api/v1")[2]).json()
        assert shown["id"] == request.json["data"]["id"] == comment["id"]

    def test_each_webhook_gets_a_signature_of_its_own(self, hook, receiver, open_ticket, run_jobs):
        webhooks = [hook(path, events=["ticket.created"]) for path in ("/a", "/b")]
        open_ticket()
        run_jobs()
        requests = [*receiver.of("/a"), *receiver.of("/b")]
        assert [verified(each["secret"], request) for each, request in zip(webhooks, requests, strict=True)] == [
            True
        ] * 2
        assert not verified(webhooks[0]["secret"], requests[1])
        assert len({request.body for request in requests}) == 1


class TestOrder:
    def test_events_of_one_ticket_arrive_in_order_although_the_first_fails(
        self, *, hook, receiver, open_ticket, agent, run_until_done
    ):
        hook(events=["ticket.*"])
        receiver.failures["/hook"] = 2
        ticket = open_ticket()
        agent.patch(f"/tickets/{ticket['id']}/", json={"priority": "high"})
        run_until_done()
        assert [each.json["type"] for each in receiver.received] == ["ticket.created"] * 3 + ["ticket.updated"]

    def test_what_fails_three_times_no_longer_holds_back_the_others(
        self, *, hook, receiver, open_ticket, agent, run_jobs, clock
    ):
        hook(events=["ticket.*"])
        receiver.failures["/hook"] = 3
        ticket = open_ticket()
        agent.patch(f"/tickets/{ticket['id']}/", json={"priority": "high"})
        for seconds in (0, 6, 360, 2):
            clock.advance(seconds=seconds)
            run_jobs()
        assert [each.json["type"] for each in receiver.received] == ["ticket.created"] * 3 + ["ticket.updated"]

    def test_tickets_do_not_wait_for_each_other(self, hook, receiver, open_ticket, run_jobs):
        hook(events=["ticket.created"])
        receiver.failures["/hook"] = 1
        tickets = [open_ticket(), open_ticket()]
        run_jobs()
        assert [each.json["data"]["id"] for each in receiver.received] == [each["id"] for each in tickets]


class TestRotation:
    def test_two_secrets_sign_until_the_overlap_ends(self, *, owner, hook, receiver, open_ticket, run_jobs, clock):
        webhook = hook(events=["ticket.created"])
        path = f"{WEBHOOKS}{webhook['id']}/"
        rotated = owner.post(f"{path}rotate-secret/", json={"overlap_seconds": 3600}).json()
        assert rotated["secret"] != webhook["secret"]
        assert owner.get(path).json()["secret"] == "whsec_********"
        open_ticket()
        run_jobs()
        clock.advance(seconds=3601)
        open_ticket()
        run_jobs()
        during, after = receiver.received
        assert [verified(each["secret"], during) for each in (webhook, rotated)] == [True, True]
        assert [verified(each["secret"], after) for each in (webhook, rotated)] == [False, True]

    def test_a_second_rotation_ends_the_oldest_secret(self, *, owner, hook, receiver, open_ticket, run_jobs):
        webhook = hook(events=["ticket.created"])
        path = f"{WEBHOOKS}{webhook['id']}/rotate-secret/"
        second = owner.post(path, json={"secret": "my own second secret"}).json()
        assert second["secret"] == "my own second secret"
        owner.post(path, json={})
        open_ticket()
        run_jobs()
        (request,) = receiver.received
        assert [verified(each["secret"], request) for each in (webhook, second)] == [False, True]

    def test_without_an_overlap_the_secret_of_before_ends_at_once(
        self, *, owner, hook, receiver, open_ticket, run_jobs
    ):
        webhook = hook(events=["ticket.created"])
        owner.post(f"{WEBHOOKS}{webhook['id']}/rotate-secret/", json={"overlap_seconds": 0})
        open_ticket()
        run_jobs()
        assert not verified(webhook["secret"], receiver.received[0])

    def test_a_retry_is_signed_with_the_secret_of_its_time(self, *, owner, hook, receiver, open_ticket, run_until_done):
        webhook = hook(events=["ticket.created"])
        receiver.failures["/hook"] = 1
        open_ticket()
        run_jobs_once = run_until_done
        owner.patch(f"{WEBHOOKS}{webhook['id']}/", json={"secret": "a secret by hand"})
        run_jobs_once()
        assert all(verified("a secret by hand", each) for each in receiver.received)


class TestLog:
    def test_every_try_is_told_without_the_signature(self, *, hook, receiver, open_ticket, run_until_done, log):
        webhook = hook(events=["ticket.created"])
        receiver.failures["/hook"] = 1
        open_ticket()
        run_until_done()
        (delivery,) = log(webhook)
        first, second = delivery["attempts"]
        assert (first["number"], first["response_status"], first["response_body"]) == (1, 500, "no")
        assert first["error"] == "The receiver answered 500."
        assert (second["number"], second["response_status"], second["error"]) == (2, 200, None)
        assert second["response_body"] == '{"taken": true}'
        assert first["duration_ms"] >= 0
        assert first["request_headers"]["webhook-signature"] == "***"
        assert first["request_headers"]["webhook-id"] == delivery["message"]["id"]
        signatures = [each.headers["webhook-signature"] for each in receiver.received]
        assert not [each for each in signatures if each in json.dumps(delivery)]

    def test_answers_are_cut_and_secrets_in_them_starred(self, *, hook, receiver, open_ticket, run_jobs, log):
        webhook = hook(events=["ticket.created"], secret="a secret that comes back")
        receiver.answers["/hook"] = (200, {}, b"a secret that comes back \x00\xff" + b"x" * 5_000)
        open_ticket()
        run_jobs()
        shown = log(webhook)[0]["attempts"][0]["response_body"]
        assert len(shown) <= 1024
        assert shown.startswith("*** \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}xxx")

    def test_filters(self, *, owner, hook, receiver, open_ticket, agent, run_until_done, clock):
        webhook = hook(events=["ticket.*"])
        ticket = open_ticket()
        run_until_done()
        clock.advance(hours=1)
        agent.patch(f"/tickets/{ticket['id']}/", json={"priority": "high"})
        run_until_done()
        path = f"{WEBHOOKS}{webhook['id']}/deliveries/"
        since = clock.now().isoformat()

        def found(**query):
            reply = owner.get(path, params=query)
            assert reply.status_code == 200, reply.text
            return [each["event_type"] for each in reply.json()["results"]]

        assert found() == ["ticket.updated", "ticket.created"]
        assert found(event_type="ticket.created") == ["ticket.created"]
        assert found(created_after=since) == ["ticket.updated"]
        assert found(state="dead") == []
        assert found(state="delivered,pending") == found()
        assert owner.get(path, params={"state": "lost"}).status_code == 400

    def test_a_delivery_of_another_webhook_is_unknown(self, *, owner, hook, open_ticket, run_jobs, log):
        one, other = hook("/a"), hook("/b")
        open_ticket()
        run_jobs()
        delivery = log(one)[0]
        assert owner.get(f"{WEBHOOKS}{other['id']}/deliveries/{delivery['id']}/").status_code == 404
        assert owner.post(f"{WEBHOOKS}{other['id']}/deliveries/{delivery['id']}/redeliver/").status_code == 404

    def test_old_deliveries_are_forgotten_and_the_counters_stay(
        self, *, owner, hook, open_ticket, installation, clock, log
    ):
        webhook = hook(events=["ticket.created"])
        open_ticket()
        installation.run_jobs()
        clock.advance(days=29)
        open_ticket()
        installation.run_jobs()
        clock.advance(days=2)
        installation.run_schedules()
        assert len(log(webhook)) == 1
        assert counts(owner.get(f"{WEBHOOKS}{webhook['id']}/").json()) == {"delivery": 2, "success": 2, "failure": 0}
        with installation.session() as session:
            assert [session.scalar(select(func.count()).select_from(each)) for each in (Message, Attempt)] == [1, 1]


class TestAgain:
    @pytest.fixture
    def dead(self, hook, receiver, open_ticket, run_until_done, log):
        webhook = hook(events=["ticket.created"])
        receiver.failures["/hook"] = 10
        open_ticket()
        run_until_done()
        (delivery,) = log(webhook)
        assert delivery["state"] == "dead"
        return webhook, delivery

    def test_a_dead_delivery_is_made_again_with_the_same_id(self, *, owner, dead, receiver, run_jobs, log):
        webhook, delivery = dead
        path = f"{WEBHOOKS}{webhook['id']}/deliveries/{delivery['id']}/"
        reply = owner.post(f"{path}redeliver/")
        assert (reply.status_code, reply.json()["state"]) == (200, "pending")
        assert owner.post(f"{path}redeliver/").json()["error"]["code"] == "DELIVERY_PENDING"
        run_jobs()
        (again,) = log(webhook)
        assert (again["state"], again["tries"], len(again["attempts"])) == ("delivered", 1, 11)
        assert len({(each.headers["webhook-id"], each.body) for each in receiver.received}) == 1
        shown = owner.get(f"{WEBHOOKS}{webhook['id']}/").json()
        assert counts(shown) == {"delivery": 1, "success": 1, "failure": 0}

    def test_nothing_is_made_again_for_a_webhook_that_is_off(self, owner, dead):
        webhook, delivery = dead
        path = f"{WEBHOOKS}{webhook['id']}/"
        owner.post(f"{path}deactivate/")
        replies = [
            owner.post(f"{path}deliveries/{delivery['id']}/redeliver/"),
            owner.post(f"{path}replay/", json={"since": "2026-01-01"}),
        ]
        assert [reply.json()["error"]["code"] for reply in replies] == ["WEBHOOK_INACTIVE"] * 2

    def test_a_period_is_replayed(self, *, owner, hook, receiver, open_ticket, run_until_done, clock, log):
        webhook = hook(events=["ticket.created"])
        receiver.mode = "410"
        open_ticket("Before")
        run_until_done()
        clock.advance(hours=1)
        since = clock.now().isoformat()
        path = f"{WEBHOOKS}{webhook['id']}/"
        for number in range(3):
            owner.post(f"{path}activate/")
            receiver.failures["/hook"] = len(receiver.received) + 1
            open_ticket(f"Number {number}")
            run_until_done()
        owner.post(f"{path}activate/")
        reply = owner.post(f"{path}replay/", json={"since": since})
        assert (reply.status_code, reply.json()["deliveries"]) == (202, 3)
        run_until_done()
        assert [each["state"] for each in log(webhook)] == ["delivered"] * 4
        assert counts(owner.get(path).json()) == {"delivery": 4, "success": 4, "failure": 0}

    def test_many_are_replayed_in_batches(self, *, owner, hook, open_ticket, run_until_done, monkeypatch, receiver):
        monkeypatch.setattr("helpdesk_integrations.service.deliveries.BATCH", 2)
        webhook = hook(events=["ticket.created"])
        for _ in range(5):
            open_ticket()
        run_until_done()
        body = {"since": "2026-01-01", "states": ["delivered"]}
        assert owner.post(f"{WEBHOOKS}{webhook['id']}/replay/", json=body).json()["deliveries"] == 5
        run_until_done()
        assert len(receiver.received) == 10

    @pytest.mark.parametrize(
        "body", [{}, {"since": "2026-02-01", "until": "2026-01-01"}, {"since": "2026-01-01", "states": ["pending"]}]
    )
    def test_a_replay_needs_a_period(self, owner, hook, body):
        assert owner.post(f"{WEBHOOKS}{hook()['id']}/replay/", json=body).status_code == 400


class TestTests:
    def test_a_test_is_sent_at_once_and_told(self, owner, hook, receiver):
        webhook = hook(is_active=False)
        reply = owner.post(f"{WEBHOOKS}{webhook['id']}/test/")
        assert reply.status_code == 200, reply.text
        (request,) = receiver.received
        assert request.json["type"] == "webhook.test"
        assert verified(webhook["secret"], request)
        told = reply.json()
        assert (told["state"], told["is_test"], told["response_status"]) == ("delivered", True, 200)
        assert told["attempts"][0]["response_body"] == '{"taken": true}'

    def test_a_test_that_fails_counts_for_nothing(self, owner, hook, receiver):
        webhook = hook()
        receiver.failures["/hook"], receiver.mode = 1, "410"
        told = owner.post(f"{WEBHOOKS}{webhook['id']}/test/").json()
        assert (told["state"], told["error"]) == ("dead", "The receiver answered 410.")
        shown = owner.get(f"{WEBHOOKS}{webhook['id']}/").json()
        assert shown["is_active"] is True
        assert counts(shown) == {"delivery": 0, "success": 0, "failure": 0}

    def test_a_test_cannot_be_delivered_again(self, owner, hook):
        path = f"{WEBHOOKS}{hook()['id']}/"
        told = owner.post(f"{path}test/").json()
        assert owner.post(f"{path}deliveries/{told['id']}/redeliver/").status_code == 404


class TestRestraint:
    def test_a_failing_receiver_is_left_alone_and_everything_arrives_when_it_is_back(
        self, *, hook, receiver, open_ticket, run_jobs, run_until_done, log, clock
    ):
        webhook = hook(events=["ticket.created"])
        receiver.failures["/hook"] = 8
        for _ in range(20):
            open_ticket()
        run_jobs()
        assert len(receiver.received) == 5  # then the circuit is open
        clock.advance(seconds=31)
        run_jobs()
        assert len(receiver.received) == 6  # one probe, which fails
        clock.advance(seconds=31)
        run_jobs()
        assert len(receiver.received) == 6
        run_until_done()
        assert [each["state"] for each in log(webhook)] == ["delivered"] * 20
        assert len(receiver.received) == 28

    def test_deliveries_beyond_500_an_hour_wait_and_are_not_lost(
        self, *, hook, receiver, open_ticket, run_jobs, run_until_done, log, clock, monkeypatch
    ):
        monkeypatch.setattr(sending, "MOST_AN_HOUR", 5)
        webhook = hook(events=["ticket.created"])
        began = clock.now()
        for _ in range(12):
            open_ticket()
        run_jobs()
        assert len(receiver.received) == 5
        clock.advance(minutes=59)
        run_jobs()
        assert len(receiver.received) == 5
        run_until_done()
        moments = sorted(datetime.fromisoformat(each["attempts"][-1]["started_at"]) for each in log(webhook))
        assert len(moments) == 12
        assert all(later - earlier >= timedelta(hours=1) for earlier, later in zip(moments, moments[5:], strict=False))
        assert moments[-1] - began <= timedelta(hours=3)

    def test_five_days_of_failures_switch_a_webhook_off(
        self, *, owner, hook, receiver, open_ticket, run_until_done, clock, installation
    ):
        webhook = hook(events=["ticket.created"])
        receiver.failures["/hook"] = 1_000
        open_ticket()
        run_until_done()
        assert owner.get(f"{WEBHOOKS}{webhook['id']}/").json()["is_active"] is True
        clock.advance(days=2)
        open_ticket()
        run_until_done()
        shown = owner.get(f"{WEBHOOKS}{webhook['id']}/?include=disabled_reason").json()
        assert shown["is_active"] is False
        assert "5 days" in shown["disabled_reason"]
        disabled = [payload for kind, payload in installation.events() if kind == "webhook.disabled"]
        assert [each["webhook_id"] for each in disabled] == [webhook["id"]]
        owner.post(f"{WEBHOOKS}{webhook['id']}/activate/")
        receiver.failures["/hook"] = 0
        open_ticket()
        run_until_done()
        assert receiver.received[-1].json["type"] == "ticket.created"

    def test_administrators_are_told_of_a_webhook_that_is_switched_off(
        self, *, owner, agent, outsider, hook, receiver, open_ticket, run_jobs
    ):
        hook(events=["ticket.created"], name="To the warehouse")
        receiver.mode, receiver.failures["/hook"] = "410", 1
        open_ticket()
        run_jobs()

        def told(client):
            rows = client.get("/notifications/").json()["results"]
            return [str(row) for row in rows if "To the warehouse" in str(row)]

        assert len(told(owner)) == 1
        assert "410" in told(owner)[0]
        assert told(agent) == told(outsider) == []

    def test_what_waits_for_a_webhook_that_is_switched_off_is_given_up(
        self, *, owner, hook, receiver, open_ticket, run_jobs, run_until_done, log
    ):
        webhook = hook(events=["ticket.created"])
        receiver.failures["/hook"] = 1
        open_ticket()
        run_jobs()
        owner.post(f"{WEBHOOKS}{webhook['id']}/deactivate/")
        run_until_done()
        (delivery,) = log(webhook)
        assert (delivery["state"], delivery["error"]) == ("dead", "The webhook is switched off.")
        assert len(receiver.received) == 1

    def test_a_deleted_webhook_gets_nothing_more(self, *, owner, hook, receiver, open_ticket, run_jobs, clock):
        webhook = hook(events=["ticket.created"])
        receiver.failures["/hook"] = 1
        open_ticket()
        run_jobs()
        owner.delete(f"{WEBHOOKS}{webhook['id']}/")
        clock.advance(days=1)
        run_jobs()
        assert len(receiver.received) == 1

    def test_a_process_that_died_while_sending_holds_nobody_up_for_long(
        self, *, hook, receiver, open_ticket, installation, run_until_done, owner, log
    ):
        webhook = hook(events=["ticket.created"])
        open_ticket()
        installation.run_jobs()
        with installation.session(owner.organization_id) as session:
            delivery = session.scalars(select(Delivery)).one()
            for number in range(2, 6):
                attempt = Attempt(
                    webhook_id=webhook["id"], delivery_id=delivery.id, number=number, url="", request_headers={},
                    started_at=installation.clock.now(),
                )  # fmt: skip
                session.add(attempt)
            installation.commit(session)
        open_ticket()
        installation.run_jobs()
        assert len(receiver.received) == 1
        began = installation.clock.now()
        run_until_done()
        assert len(receiver.received) == 2
        assert installation.clock.now() - began <= timedelta(seconds=70)


def test_counters_are_what_brute_force_counts(
    *, owner, hook, receiver, open_ticket, run_until_done, run_jobs, installation, clock
):
    good, flaky, gone = hook("/good"), hook("/flaky"), hook("/gone")
    receiver.failures |= {"/flaky": 7, "/gone": 1_000}
    for number in range(6):
        open_ticket(f"Number {number}")
        run_jobs()
        clock.advance(minutes=7)
    owner.post(f"{WEBHOOKS}{good['id']}/test/")
    run_jobs()
    assert_counted(owner, installation, clock)
    run_until_done()
    assert_counted(owner, installation, clock)
    assert owner.get(f"{WEBHOOKS}{gone['id']}/").json()["failure_count"] == 6
    assert owner.get(f"{WEBHOOKS}{flaky['id']}/").json()["success_count"] == 6


def assert_counted(owner, installation, clock):
    with installation.session(owner.organization_id) as session:
        for webhook in session.scalars(select(Webhook)):
            states = session.scalars(
                select(Delivery.state).where(Delivery.webhook_id == webhook.id, Delivery.is_test.is_(False))
            ).all()
            counted = (webhook.delivery_count, webhook.success_count, webhook.failure_count)
            assert counted == (len(states), states.count("delivered"), states.count("dead"))
