"""Every covered operation, as each document describes it, answered to speakers of both dialects."""

import pytest

from tests.contract.documents import (
    CLASSIC,
    COMPREHENSIVE,
    CONTRACT,
    DIALECTS,
    NOTHING,
    Variant,
    answer,
    error,
    variants,
)
from tests.contract.scenes import SCENES, scene_of
from tests.contract.shapes import assert_shape
from tests.contract.steps import UNKNOWN_KEY, UNKNOWN_UUID, refused, register


def speaking(dialect, person):
    """The person as a speaker of the dialect; who has no credential speaks none."""
    return person.classic if dialect == CLASSIC else person


def conversations():
    """Each example with each dialect of its caller: without credentials there is only the document's own."""
    for described in variants():
        for dialect in DIALECTS if described.needs_credentials else (described.document,):
            name = f"{described.operation}-as-in-{described.document}-by-a-{dialect}-caller"
            yield pytest.param(described, dialect, id=name)


@pytest.mark.parametrize(("described", "dialect"), list(conversations()))
def test_a_documented_example_gets_its_documented_answer(stage, described, dialect):
    scene = scene_of(described)
    client = getattr(stage, scene.caller)
    if described.needs_credentials:
        client = speaking(dialect, client)
        assert client.token  # the scene may set up a second factor, and logging in would take a code
    path, body = scene.set(stage, described)
    reply = send(client, described, path, body)
    assert reply.status_code == described.success, reply.text
    expected = answer(described.operation, dialect)
    if expected == NOTHING:
        assert reply.content == b""
    else:
        assert_shape(reply.json(), expected)


@pytest.mark.parametrize(
    "described",
    [pytest.param(each, id=f"{each.operation}-{each.document}") for each in variants() if each.query],
)
def test_every_documented_parameter_is_known(stage, described):
    values = {
        "status": "open",
        "priority": "high",
        "ordering": "created_at",
        "subscription_tier": "free",
        "is_active": "true",
        "created_after": "2024-01-01",
        "created_before": "2024-01-01",
    }
    for name in described.query:
        value = OTHER_WORDS.get((described.operation, name), values.get(name, "1"))
        reply = stage.agent.get(described.path, params={name: value})
        assert reply.status_code == 200, f"{name}: {reply.text}"


OTHER_WORDS = {("kb_articles_list", "status"): "published"}
"""Values of parameters that mean something else in one operation."""

REFUSALS = {
    ("users_register", 400): lambda stage: ("anonymous", {}, {"email": "nowhere"}),
    ("users_register", 409): lambda stage: (
        "anonymous",
        {},
        {"username": register(stage.anonymous)["username"]},
    ),
    ("users_profile_retrieve", 400): lambda stage: ("member", {}, {"colour": "blue"}),
    ("users_profile_update", 400): lambda stage: ("member", {}, {"timezone": "Mars/Olympus"}),
    ("users_change_password", 400): lambda stage: ("member", {}, {"old_password": "not my password"}),
    ("users_2fa_setup", 400): lambda stage: ("member", {}, {"device_name": ""}),
    ("users_2fa_verify", 400): lambda stage: ("member", {}, {"code": stage.device["backup_codes"][0]}),
    ("users_2fa_disable", 400): lambda stage: ("member", {}, stage.second_factor and {"password": "not my password"}),
    ("organizations_retrieve", 404): lambda stage: ("owner", {"id": UNKNOWN_KEY}, {}),
    ("organizations_update", 403): lambda stage: ("member", {"id": stage.owner.organization_id}, {}),
    ("organizations_update", 404): lambda stage: ("owner", {"id": UNKNOWN_KEY}, {}),
    ("tickets_create", 400): lambda stage: ("member", {}, {"subject": ""}),
    ("tickets_retrieve", 404): lambda stage: ("agent", {"id": UNKNOWN_UUID}, {}),
    ("tickets_update", 403): lambda stage: (
        "member",
        {"id": stage.ticket["id"]},
        {"assigned_agent": stage.technician.user.id},
    ),
    ("tickets_update", 404): lambda stage: ("agent", {"id": UNKNOWN_UUID}, {"assigned_agent": None}),
    ("tickets_delete", 403): lambda stage: ("member", {"id": stage.ticket["id"]}, {}),
    ("tickets_delete", 404): lambda stage: ("agent", {"id": UNKNOWN_UUID}, {}),
    ("ticket_comments_list", 400): lambda stage: (
        "agent",
        {"ticket_id": stage.ticket["id"]},
        {"page": "last"},
    ),
    ("ticket_comments_list", 404): lambda stage: ("agent", {"ticket_id": UNKNOWN_UUID}, {}),
    ("ticket_comments_create", 400): lambda stage: (
        "agent",
        {"ticket_id": stage.ticket["id"]},
        {"content": ""},
    ),
    ("ticket_comments_create", 404): lambda stage: ("agent", {"ticket_id": UNKNOWN_UUID}, {}),
    ("automations_list", 400): lambda stage: ("owner", {}, {"colour": "blue"}),
    ("automations_create", 400): lambda stage: ("owner", {}, {"trigger": {"type": "ticket_exploded"}}),
    ("api_integrations_list", 400): lambda stage: ("owner", {}, {"colour": "blue"}),
    ("api_integrations_create", 400): lambda stage: ("owner", {}, {"base_url": "nowhere"}),
    ("kb_articles_list", 400): lambda stage: ("member", {}, {"status": "hidden"}),
    ("kb_articles_create", 400): lambda stage: ("agent", {}, {"title": ""}),
    ("kb_categories_list", 400): lambda stage: ("member", {}, {"colour": "blue"}),
    ("kb_categories_create", 400): lambda stage: ("agent", {}, {"name": ""}),
    ("webhooks_list", 400): lambda stage: ("owner", {}, {"page": "last"}),
    ("webhooks_create", 400): lambda stage: ("owner", {}, {"events": ["ticket.exploded"]}),
}
"""Who provokes a documented refusal, with which values in the path, and which in the query or body."""

CANNOT_HAPPEN = {("organizations_retrieve", 403), ("tickets_retrieve", 403)}
"""What a caller may not read answers 404, like what does not exist."""


def documented_refusals():
    for described in variants():
        for status in described.statuses:
            if status >= 400 and (described.operation, status) not in CANNOT_HAPPEN:
                yield pytest.param(described, status, id=f"{described.operation}-{status}")


@pytest.mark.parametrize(("described", "status"), list(documented_refusals()))
def test_a_documented_refusal_is_given(stage, described, status):
    if status == 401:
        reply = send(stage.anonymous, described, any_path(described), described.request)
    else:
        caller, placeholders, fields = REFUSALS[described.operation, status](stage)
        path = described.path.format(**placeholders)
        reply = send(getattr(stage, caller), described, path, {**described.request, **fields}, query=fields)
    assert_shape(refused(reply, status), error(COMPREHENSIVE))


@pytest.mark.parametrize(
    "described",
    [pytest.param(each, id=f"{each.operation}-{each.document}") for each in variants() if each.needs_credentials],
)
def test_nobody_gets_anything_without_credentials(anonymous, described):
    reply = send(anonymous, described, any_path(described), described.request)
    refused(reply, 401)


def test_every_operation_of_the_contract_has_a_scene():
    assert set(CONTRACT["operations"]) == set(SCENES)


def send(client, described: Variant, path, body, query=None):
    method = getattr(client, described.method.lower())
    if described.method == "DELETE":
        return method(path)
    return method(path, params=query or {}) if described.method == "GET" else method(path, json=body)


def any_path(described):
    return described.path.format(id=1, ticket_id=1)
