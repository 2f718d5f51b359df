"""SLA policies over HTTP."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from helpdesk_tickets.models import Ticket

POLICY = {"name": "Gold", "priority": "high", "first_response_minutes": 30, "resolution_minutes": 240}


@pytest.fixture
def policy(owner):
    return made(owner)


def made(client, **fields):
    reply = client.post("/sla-policies/", json={**POLICY, **fields})
    assert reply.status_code == 201, reply.text
    return reply.json()


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_outsiders_find_no_policy(outsider, policy, method):
    options = {} if method in {"get", "delete"} else {"json": {"name": "Mine"}}
    assert getattr(outsider, method)(f"/sla-policies/{policy['id']}/", **options).status_code == 404


def test_outsiders_have_policies_of_their_own(outsider, policy):
    assert outsider.get("/sla-policies/").json()["count"] == 0
    made(outsider)


def test_staff_reads_and_administrators_write(owner, agent, technician, member, policy):
    path = f"/sla-policies/{policy['id']}/"
    for client in (agent, technician):
        assert client.get(path).json() == policy
        assert client.patch(path, json={"name": "Mine"}).status_code == 403
    assert member.get(path).status_code == 403
    assert owner.delete(path).status_code == 204


def test_a_priority_has_one_policy(owner, policy):
    other = made(owner, priority="low")
    assert owner.post("/sla-policies/", json=POLICY).status_code == 409
    assert owner.patch(f"/sla-policies/{other['id']}/", json={"priority": "high"}).status_code == 409


@pytest.mark.parametrize("method", ["put", "patch"])
def test_what_is_not_sent_stays_and_null_clears(owner, policy, method):
    changed = getattr(owner, method)(f"/sla-policies/{policy['id']}/", json={"first_response_minutes": None})
    assert changed.json() == {**policy, "first_response_minutes": None}


@pytest.mark.parametrize(
    "fields",
    [
        {"resolution_minutes": 0},
        {"resolution_minutes": 29},
        {"resolution_minutes": 10**9},
        {"resolution_minutes": None},
        {"first_response_minutes": 241},
        {"priority": "extreme"},
        {"name": " "},
        {"minutes": 5},
    ],
)
def test_promises_that_make_no_sense_are_refused(owner, policy, fields):
    assert owner.post("/sla-policies/", json={**POLICY, "priority": "low", **fields}).status_code == 400
    assert owner.patch(f"/sla-policies/{policy['id']}/", json=fields).status_code == 400


def test_policies_come_by_urgency(owner):
    for priority in ("low", "urgent", "medium"):
        made(owner, priority=priority)
    rows = owner.get("/sla-policies/").json()["results"]
    assert [row["priority"] for row in rows] == ["urgent", "medium", "low"]


def test_a_change_moves_no_promise_that_was_made(installation, owner, agent, policy):
    agent.post("/tickets/", json={"subject": "Before", "priority": "high"})
    owner.patch(f"/sla-policies/{policy['id']}/", json={"resolution_minutes": 60})
    agent.post("/tickets/", json={"subject": "After", "priority": "high"})
    owner.patch(f"/sla-policies/{policy['id']}/", json={"is_active": False})
    agent.post("/tickets/", json={"subject": "Without", "priority": "high"})
    with installation.session(owner.organization_id) as session:
        targets = dict(session.execute(select(Ticket.subject, Ticket.target_at)).all())
    assert targets == {
        "Before": datetime(2026, 3, 2, 14, 0, tzinfo=UTC),
        "After": datetime(2026, 3, 2, 11, 0, tzinfo=UTC),
        "Without": None,
    }
