"""Webhooks: what they are made of, who may make them, and what is never shown again."""

import pytest
from sqlalchemy import select

from helpdesk_integrations.models import Webhook
from plugins.integrations.tests.conftest import WEBHOOKS

EXAMPLE = {
    "name": "Ticket Created Webhook",
    "url": "https://external-system.com/webhook",
    "events": ["ticket.created", "ticket.updated"],
    "secret": "webhook_secret_key",
    "is_active": True,
}
ACTIONS = ["activate/", "deactivate/", "rotate-secret/", "replay/", "test/"]


@pytest.fixture
def webhook(owner):
    reply = owner.post(WEBHOOKS, json=EXAMPLE)
    assert reply.status_code == 201, reply.text
    return reply.json()


def field_of(reply):
    assert reply.status_code == 400, reply.text
    return reply.json()["error"]["details"]["field"]


def message_of(reply):
    assert reply.status_code == 400, reply.text
    return reply.json()["error"]["details"]["message"]


def test_an_outsider_finds_nothing(outsider, webhook):
    path = f"{WEBHOOKS}{webhook['id']}/"
    assert outsider.get(WEBHOOKS).json()["count"] == 0
    for method in ("get", "delete"):
        assert getattr(outsider, method)(path).status_code == 404
    assert outsider.patch(path, json={"name": "Mine"}).status_code == 404
    for action in ACTIONS:
        assert (
            outsider.post(path + action, json={"since": "2026-01-01"} if "replay" in action else {}).status_code == 404
        )
    for below in ("deliveries/", "deliveries/1/"):
        assert outsider.get(path + below).status_code == 404
    assert outsider.post(f"{path}deliveries/1/redeliver/").status_code == 404


@pytest.mark.parametrize("who", ["agent", "technician", "member"])
def test_only_administrators_come_near_webhooks(installation, webhook, who):
    client = installation.client(who)
    assert client.get(WEBHOOKS).status_code == 403
    assert client.post(WEBHOOKS, json=EXAMPLE).status_code == 403
    assert client.get(f"{WEBHOOKS}{webhook['id']}/").status_code == 403


def test_the_documented_example_is_answered_as_documented(webhook):
    documented = {
        "id": 1,
        **EXAMPLE,
        "delivery_count": 0,
        "success_count": 0,
        "failure_count": 0,
        "last_delivery": None,
    }
    assert list(webhook) == [*documented, "created_at", "updated_at"]
    assert {name: webhook[name] for name in documented} == {**documented, "id": webhook["id"]}


def test_a_secret_is_shown_once_and_stored_encrypted(owner, webhook, installation):
    assert owner.get(f"{WEBHOOKS}{webhook['id']}/").json()["secret"] == "********"
    assert owner.get(WEBHOOKS).json()["results"][0]["secret"] == "********"
    with installation.session() as session:
        assert EXAMPLE["secret"] not in session.scalars(select(Webhook.secret)).one()


def test_a_secret_is_made_where_none_is_chosen(owner):
    made = owner.post(WEBHOOKS, json={**EXAMPLE, "secret": None}).json()
    assert made["secret"].startswith("whsec_")
    assert len(made["secret"]) > 40
    assert owner.get(f"{WEBHOOKS}{made['id']}/").json()["secret"] == "whsec_********"


def test_an_answer_that_is_repeated_shows_the_same_secret(owner):
    headers = {"Idempotency-Key": "once"}
    first, second = (owner.post(WEBHOOKS, json={**EXAMPLE, "secret": None}, headers=headers) for _ in range(2))
    assert first.json() == second.json()
    assert owner.get(WEBHOOKS).json()["count"] == 1


@pytest.mark.parametrize("secret", ["short", "whsec_???", "x" * 256, ""])
def test_bad_secrets_are_refused(owner, secret):
    assert field_of(owner.post(WEBHOOKS, json={**EXAMPLE, "secret": secret})) == "secret"


def test_events_are_kept_as_they_were_written(owner):
    names = ["ticket_created", "comment.created", "ticket.*", "category_*", "*"]
    made = owner.post(WEBHOOKS, json={**EXAMPLE, "events": names}).json()
    assert made["events"] == names
    assert owner.get(f"{WEBHOOKS}{made['id']}/").json()["events"] == names


@pytest.mark.parametrize(
    ("name", "meant"),
    [("ticket.craeted", "ticket.created"), ("ticket_creatd", "ticket_created"), ("tickt.*", "ticket.*")],
)
def test_an_unknown_event_is_refused_and_the_nearest_is_named(owner, name, meant):
    reply = owner.post(WEBHOOKS, json={**EXAMPLE, "events": ["ticket.created", name]})
    assert field_of(reply) == "events.1"
    assert f"Did you mean {meant}?" in message_of(reply)


def test_a_webhook_without_events_is_refused(owner):
    assert field_of(owner.post(WEBHOOKS, json={**EXAMPLE, "events": []})) == "events"


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/",
        "https://10.1.2.3/hook",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://0x0a000001/",
        "https://2130706434.example/\n",
        "https://user:password@example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://",
        "//example.com/",
        "https://example.com/ with a space",
        "",
    ],
)
def test_hostile_addresses_are_refused_when_they_are_saved(owner, webhook, url):
    assert field_of(owner.post(WEBHOOKS, json={**EXAMPLE, "url": url})) == "url"
    assert field_of(owner.patch(f"{WEBHOOKS}{webhook['id']}/", json={"url": url})) == "url"


def test_what_is_left_out_stays(owner, webhook, installation):
    path = f"{WEBHOOKS}{webhook['id']}/"
    changed = owner.put(path, json={"name": "Another name"}).json()
    assert changed == {**webhook, "name": "Another name", "secret": "********"}
    events = [payload for kind, payload in installation.events() if kind == "webhook.updated"]
    assert events == [{"webhook_id": webhook["id"], "name": "Another name", "fields": ("name",)}]


def test_what_was_read_can_be_saved(owner, webhook, installation):
    path = f"{WEBHOOKS}{webhook['id']}/"
    read = owner.get(path)
    saved = owner.put(path, json=read.json(), headers={"If-Match": read.headers["ETag"]})
    assert saved.status_code == 200, saved.text
    assert saved.json() == read.json()
    assert "webhook.updated" not in [kind for kind, _ in installation.events()]


def test_unknown_fields_are_refused_by_name(owner):
    assert field_of(owner.post(WEBHOOKS, json={**EXAMPLE, "event": ["*"]})) == "event"


def test_switching_on_and_off(owner, webhook):
    path = f"{WEBHOOKS}{webhook['id']}/"
    assert owner.post(f"{path}deactivate/").json()["is_active"] is False
    assert owner.get(f"{WEBHOOKS}?is_active=true").json()["count"] == 0
    assert owner.post(f"{path}activate/").json()["is_active"] is True
    assert owner.patch(path, json={"is_active": False}).json()["is_active"] is False


def test_a_deleted_webhook_is_gone(owner, webhook):
    path = f"{WEBHOOKS}{webhook['id']}/"
    assert owner.delete(path).status_code == 204
    assert owner.get(path).status_code == 404


def test_an_organization_can_have_a_hundred(owner, installation):
    with installation.session(owner.organization_id) as session:
        moment = installation.clock.now()
        session.add_all(
            Webhook(
                name="x", url="https://example.com", events=["*"], patterns=["*"], secret="", secret_mask="",
                created_at=moment, updated_at=moment,
            )
            for _ in range(100)
        )  # fmt: skip
        installation.commit(session)
    reply = owner.post(WEBHOOKS, json=EXAMPLE)
    assert (reply.status_code, reply.json()["error"]["code"]) == (409, "TOO_MANY_WEBHOOKS")


def test_the_catalogue_has_a_schema_and_an_example_of_every_event(owner, installation):
    found = owner.get(f"{WEBHOOKS}events/").json()
    assert found["count"] == len(found["results"]) == len(installation.parts.host.event_types)
    created = next(each for each in found["results"] if each["type"] == "ticket.created")
    assert list(created) == ["type", "version", "plugin", "description", "schema", "sample"]
    assert created["sample"]["type"] == "ticket.created"
    assert set(created["schema"]["required"]) <= set(created["sample"]["data"])
    for each in found["results"]:
        assert owner.post(WEBHOOKS, json={**EXAMPLE, "events": [each["type"]], "is_active": False}).status_code == 201
        break


def test_search_and_details(owner, webhook):
    assert owner.get(f"{WEBHOOKS}?search=external").json()["count"] == 1
    assert owner.get(f"{WEBHOOKS}?search=nothing").json()["count"] == 0
    shown = owner.get(f"{WEBHOOKS}{webhook['id']}/?include=disabled_reason,consecutive_failures").json()
    assert (shown["disabled_reason"], shown["consecutive_failures"]) == (None, 0)
