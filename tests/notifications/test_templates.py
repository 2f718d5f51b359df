"""The words for notifications, and those that organisations say instead."""

import pytest

from tests.notifications.conftest import inbox

PATH = "/notification-templates/"
PAGED = f"{PATH}shift_paged/"


def made(client, name="escalated", **fields):
    body = {"name": name, "subject": "Escalated: {ticket}", "text": "Look at {ticket}.", **fields}
    reply = client.post(PATH, json=body)
    assert reply.status_code == 201, reply.text
    return reply.json()


def names(client):
    return [row["name"] for row in client.get(PATH).json()["results"]]


class TestOthers:
    @pytest.mark.parametrize("who", ["agent", "technician", "member"])
    def test_may_not_even_see_them(self, installation, who):
        client = installation.client(who)
        for reply in (client.get(PATH), client.get(PAGED), client.put(PAGED, json={"text": "x"}), client.delete(PAGED)):
            assert reply.status_code == 403

    def test_have_their_own(self, owner, outsider):
        made(owner)
        owner.put(PAGED, json={"text": "Ours"})
        assert "escalated" not in names(outsider)
        assert outsider.get(f"{PATH}escalated/").status_code == 404
        assert outsider.put(f"{PATH}escalated/", json={"text": "x"}).status_code == 404
        assert outsider.delete(f"{PATH}escalated/").status_code == 404
        assert outsider.get(PAGED).json()["is_changed"] is False


def test_built_in_ones_are_shown_with_their_variables(owner):
    shown = owner.get(PAGED).json()
    assert shown == {
        "name": "shift_paged",
        "title": "You were paged",
        "subject": "{who} paged you",
        "text": "{who} paged you at {when}.\n\nReason: {reason}",
        "variables": ["who", "when", "reason", "recipient_name", "organization_name"],
        "plugin": "rota",
        "is_custom": False,
        "is_changed": False,
        "default": {"subject": "{who} paged you", "text": "{who} paged you at {when}.\n\nReason: {reason}"},
        "updated_at": None,
    }
    assert shown in owner.get(PATH).json()["results"]


def test_are_changed_and_put_back(owner, agent, tell):
    before = owner.get(PAGED).json()
    changed = owner.put(PAGED, json={"subject": "Wake up, {recipient_name}"}).json()
    assert changed["is_changed"] is True
    assert changed["text"] == before["text"]
    assert changed["default"] == before["default"]
    assert changed["updated_at"] == "2026-03-02T10:00:00Z"
    assert owner.get(PAGED).json() == changed
    agent.patch("/users/profile/", json={"language": "de"})
    tell(agent)
    assert inbox(agent)[0]["title"].startswith("Wake up")
    assert owner.delete(PAGED).status_code == 204
    assert owner.get(PAGED).json() == before
    tell(agent, key="shift 2")
    assert inbox(agent)[0]["title"] == "Ada hat Sie gerufen"
    assert owner.delete(PAGED).status_code == 204


def test_change_again(owner):
    owner.put(PAGED, json={"subject": "First"})
    assert owner.patch(PAGED, json={"text": "Second"}).json()["subject"] == "First"


def test_can_be_sent_back_as_they_were_read(owner):
    for path in (PAGED, f"{PATH}{made(owner)['name']}/"):
        shown = owner.get(path).json()
        again = owner.put(path, json=shown)
        assert again.status_code == 200, again.text
        assert again.json()["text"] == shown["text"]


def test_are_added_used_and_removed(owner, agent, tell):
    shown = made(owner)
    assert shown["is_custom"] is True
    assert shown["title"] == "escalated"
    assert shown["variables"] == ["ticket", "recipient_name", "organization_name"]
    assert names(owner)[-1] == "escalated"
    tell(agent, kind="escalated", values={"ticket": "TKT-001"})
    assert inbox(agent)[0]["title"] == "Escalated: TKT-001"
    assert "escalated" in agent.get("/notifications/preferences/").json()["channels"]
    assert owner.delete(f"{PATH}escalated/").status_code == 204
    assert owner.get(f"{PATH}escalated/").status_code == 404
    assert inbox(agent)[0]["title"] == "Escalated: TKT-001"


@pytest.mark.parametrize("name", ["escalated", "shift_paged"])
def test_names_are_unique(owner, name):
    made(owner)
    reply = owner.post(PATH, json={"name": name, "subject": "x", "text": "x"})
    assert reply.status_code == 409
    assert reply.json()["error"]["details"]["field"] == "name"


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"text": "Reason: {raeson}"}, "text", "There is no variable {raeson}. Did you mean {reason}?"),
        ({"subject": "{zzz}"}, "subject", "Known: organization_name, reason, recipient_name, when, who."),
        ({"subject": ""}, "subject", "blank"),
        ({"subject": "a\nb"}, "subject", "one line"),
        ({"text": " "}, "text", "blank"),
        ({"text": "x" * 10_001}, "text", ""),
        ({"variables": ["who"]}, "variables", "cannot be changed"),
        ({"txt": "x"}, "txt", "text"),
    ],
)
def test_say_what_is_wrong(owner, body, field, words):
    reply = owner.put(PAGED, json=body)
    assert reply.status_code == 400, reply.text
    details = reply.json()["error"]["details"]
    assert details["field"] == field
    assert words in details["message"]
    assert owner.get(PAGED).json()["is_changed"] is False


@pytest.mark.parametrize("name", ["", "Escalated", "a b", "a" * 61, "1a"])
def test_names_are_words(owner, name):
    assert owner.post(PATH, json={"name": name, "subject": "x", "text": "x"}).status_code == 400


def test_own_ones_can_declare_their_variables(owner):
    shown = made(owner, variables=["ticket", "agent"])
    assert shown["variables"] == ["ticket", "agent", "recipient_name", "organization_name"]
    reply = owner.put(f"{PATH}escalated/", json={"variables": ["agent"]})
    assert reply.status_code == 400
    assert reply.json()["error"]["details"]["field"] == "subject"


def test_are_recorded_in_the_audit_log(owner):
    owner.put(PAGED, json={"subject": "Other"})
    entry = owner.get("/audit-log/").json()["results"][0]
    assert entry["act"] == "notification_template.updated"
    assert (entry["before"]["subject"], entry["after"]["subject"]) == ("{who} paged you", "Other")


class TestPreview:
    def test_shows_how_one_would_be_told(self, owner):
        body = {"values": {"who": "<i>Ada</i>", "reason": 7}}
        shown = owner.post(f"{PAGED}preview/", json=body).json()
        assert shown["subject"] == "<i>Ada</i> paged you"
        assert shown["text"] == "<i>Ada</i> paged you at {when}.\n\nReason: 7"
        assert "<p>&lt;i&gt;Ada&lt;/i&gt; paged you at {when}.</p>" in shown["html"]
        assert "<i>" not in shown["html"]

    def test_of_what_is_not_saved(self, owner):
        shown = owner.post(f"{PAGED}preview/", json={"subject": "{organization_name}", "text": "New"}).json()
        assert shown["subject"].startswith("Acme")
        assert shown["text"] == "New"
        assert owner.get(PAGED).json()["is_changed"] is False

    def test_names_unknown_variables(self, owner):
        reply = owner.post(f"{PAGED}preview/", json={"text": "{whoo}"})
        assert reply.status_code == 400
        assert "Did you mean {who}?" in reply.text

    def test_tells_nobody(self, installation, owner):
        owner.post(f"{PAGED}preview/", json={})
        installation.run_jobs()
        assert inbox(owner) == []
        assert installation.mails == []


def test_an_organisation_has_at_most_so_many(owner, monkeypatch):
    monkeypatch.setattr("helpdesk_core.notifications.service.templates.MOST_TEMPLATES", 1)
    made(owner)
    assert owner.post(PATH, json={"name": "more", "subject": "x", "text": "x"}).status_code == 422
