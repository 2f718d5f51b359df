"""What a role of the organisation's own lets people do with tickets."""

import pytest


@pytest.fixture
def give(owner):
    """Gives somebody a role with these permissions."""

    def give_role(person, base, *codes):
        body = {"name": f"Role {len(codes)}", "base": base, "permissions": [f"tickets:{code}" for code in codes]}
        role = owner.post("/users/roles/", json=body)
        assert role.status_code == 201, role.text
        path = f"/users/{person.user.id}/change-role/"
        reply = owner.post(path, json={"custom_role": role.json()["id"]})
        assert reply.status_code == 200, reply.text

    return give_role


def test_a_read_only_role_sees_all_tickets_and_changes_none(ticket, give, second_member):
    path = f"/tickets/{ticket['id']}/"
    assert second_member.get(path).status_code == 404
    give(second_member, "customer", "ticket:view", "ticket:view_all")
    assert second_member.get(path).status_code == 200
    assert second_member.get("/tickets/").json()["count"] == 1
    assert second_member.patch(path, json={"subject": "Mine"}).status_code == 403
    assert second_member.post("/tickets/", json={"subject": "Mine"}).status_code == 403
    assert second_member.delete(path).status_code == 403


def test_an_agent_by_name_sees_what_the_role_says(ticket, give, agent):
    path = f"/tickets/{ticket['id']}/"
    assert agent.get(path).status_code == 200
    give(agent, "agent", "ticket:view")
    assert agent.get(path).status_code == 404
    assert agent.get("/tickets/").json()["count"] == 0


def test_a_role_without_tickets_is_refused(ticket, give, agent):
    give(agent, "agent")
    assert agent.get("/tickets/").status_code == 403


def test_internal_comments_follow_the_role(ticket, give, agent, second_member):
    path = f"/tickets/{ticket['id']}/comments/"
    reply = agent.post(path, json={"content": "Between us", "is_internal": True})
    assert reply.status_code == 201, reply.text
    give(second_member, "customer", "ticket:view", "ticket:view_all")
    assert second_member.get(path).json()["count"] == 0
    give(second_member, "customer", "ticket:view", "ticket:view_all", "comment:internal")
    assert second_member.get(path).json()["count"] == 1
