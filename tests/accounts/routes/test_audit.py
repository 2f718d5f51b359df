"""The audit log through the API: what happens to accounts is in it, and only administrators see it."""

import pytest


def acts(client, **filters):
    reply = client.get("/audit-log/", params={"page_size": 100, **filters})
    assert reply.status_code == 200, reply.text
    return reply.json()["results"]


def test_outsiders_see_their_own_log_only(outsider, owner, member):
    owner.post(f"/users/{member.user.id}/change-role/", json={"role": "agent"})
    assert not acts(outsider, target="user", target_id=member.user.id)
    entry = acts(owner, act="user.role_changed")[0]
    assert outsider.get(f"/audit-log/{entry['id']}/").json().get("act") != "user.role_changed"


@pytest.mark.parametrize("who", ["member", "technician", "agent"])
def test_only_administrators_see_it(installation, who):
    assert installation.client(who).get("/audit-log/").status_code == 403


def test_an_entry_says_who_did_what_from_where(owner, member):
    owner.post(f"/users/{member.user.id}/change-role/", json={"role": "agent"})
    (entry,) = acts(owner, act="user.role_changed")
    assert entry["actor_id"] == owner.user.id
    assert entry["credential"] == "jwt"
    assert entry["address"] == "testclient"
    assert (entry["target"], entry["target_id"]) == ("user", member.user.id)
    assert entry["before"] == {"role": "customer", "custom_role": None}
    assert entry["after"] == {"role": "agent", "custom_role": None}
    assert owner.get(f"/audit-log/{entry['id']}/").json() == entry


def test_a_failed_login_is_there_although_the_request_failed(owner, anonymous, member):
    anonymous.post("/users/login/", json={"username": "member", "password": "a wrong one"})
    (entry,) = acts(owner, act="login.failed")
    assert entry["target_id"] == member.user.id
    assert entry["actor_id"] is None


def test_what_is_refused_leaves_no_entry(owner, member):
    owner.post(f"/users/{owner.user.id}/change-role/", json={"role": "agent"})
    assert not acts(owner, act="user.role_changed")


def test_secrets_in_the_settings_of_plugins_are_masked(owner):
    path = f"/organizations/{owner.organization_id}/"
    for secret in ("PLANTED", "REPLACED"):
        settings = {"gate": {"secret": secret, "doors": [{"name": "front", "pin": secret}]}}
        assert owner.patch(path, json={"settings": settings}).status_code == 200
    entry = acts(owner, act="organization.updated")[0]
    masked = {"gate": {"secret": "***", "doors": [{"name": "front", "pin": "***"}]}}
    assert (entry["before"], entry["after"]) == ({"settings": masked}, {"settings": masked})


def test_entries_are_numbered_without_gaps(owner, agent, member):
    for client in (owner, agent, member):
        client.get("/users/profile/")
    numbers = [entry["id"] for entry in acts(owner)]
    assert numbers == list(range(len(numbers), 0, -1))


def test_it_is_filtered(owner, agent, clock):
    agent.get("/users/profile/")
    clock.advance(days=1)
    owner.put("/users/profile/", json={"first_name": "Olga"})
    mine = acts(owner, actor=owner.user.id, created_after="2026-03-03")
    assert {entry["act"] for entry in mine} == {"login.succeeded", "user.updated"}
    assert not acts(owner, act="user.updated,user.deleted", created_before="2026-03-02")
