"""What people choose to be told."""

import pytest

from tests.notifications.conftest import choose, inbox

PATH = "/notifications/preferences/"


def test_are_what_is_usual_until_somebody_chooses(agent):
    shown = agent.get(PATH).json()
    assert shown["email"] is True
    assert shown["quiet_hours"] is None
    assert shown["timezone"] == "UTC"
    assert shown["channels"]["shift_paged"] == {"in_app": True, "email": True}
    assert shown["channels"]["shift_planned"] == {"in_app": True, "email": False}
    assert shown["titles"]["shift_paged"] == "You were paged"
    assert shown["channels"].keys() == shown["titles"].keys()


def test_name_kinds_in_the_readers_language(agent):
    agent.patch("/users/profile/", json={"language": "de"})
    assert agent.get(PATH).json()["titles"]["shift_paged"] == "Sie wurden gerufen"


def test_are_ones_own(agent, member, outsider):
    before = [client.get(PATH).json() for client in (member, outsider)]
    choose(agent, email=False, channels={"shift_paged": {"in_app": False}})
    assert [client.get(PATH).json() for client in (member, outsider)] == before


def test_change_only_what_is_sent(agent):
    choose(agent, channels={"shift_paged": {"email": False}})
    choose(agent, quiet_hours={"start": "22:00", "end": "07:00"})
    shown = choose(agent, channels={"shift_planned": {"in_app": False}})
    assert shown["quiet_hours"] == {"start": "22:00", "end": "07:00"}
    assert shown["channels"]["shift_paged"] == {"in_app": True, "email": False}
    assert shown["channels"]["shift_planned"] == {"in_app": False, "email": False}
    assert agent.get(PATH).json() == shown


def test_can_be_sent_back_as_they_were_read(agent):
    shown = choose(agent, channels={"shift_paged": {"email": False}})
    reply = agent.put(PATH, json=shown)
    assert reply.status_code == 200, reply.text
    assert reply.json() == shown


def test_go_back_to_what_is_usual(agent):
    choose(agent, channels={"shift_paged": {"email": False, "in_app": False}})
    assert choose(agent, channels={"shift_paged": {"email": None}})["channels"]["shift_paged"] == {
        "in_app": False,
        "email": True,
    }
    assert choose(agent, channels={"shift_paged": None})["channels"]["shift_paged"] == {"in_app": True, "email": True}


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"channels": {"shift_pagd": {"email": False}}}, "channels.shift_pagd", "Did you mean shift_paged?"),
        ({"channels": {"shift_paged": {"mail": False}}}, "channels", ""),
        ({"channels": {"shift_paged": {"email": "no"}}}, "channels", ""),
        ({"quiet_hours": {"start": "22:00", "end": "22:00"}}, "quiet_hours.end", "cannot end when they begin"),
        ({"quiet_hours": {"start": "24:00", "end": "07:00"}}, "quiet_hours", ""),
        ({"quiet_hours": {"start": "22:00"}}, "quiet_hours", ""),
        ({"emial": False}, "emial", "email"),
    ],
)
def test_say_what_is_wrong(agent, body, field, words):
    reply = agent.put(PATH, json=body)
    assert reply.status_code == 400
    details = reply.json()["error"]["details"]
    assert details["field"] == field
    assert words in details["message"]


def test_keep_out_of_the_inbox_what_is_not_wanted_there(installation, agent, tell):
    choose(agent, channels={"shift_paged": {"in_app": False}})
    tell(agent)
    installation.run_jobs()
    assert inbox(agent) == []
    assert [mail.to for mail in installation.mails] == [agent.user.email]
    assert "notification.created" not in [event[0] for event in installation.events()]


def test_of_nothing_at_all_leave_nothing(installation, agent, tell):
    choose(agent, email=False, channels={"shift_paged": {"in_app": False}})
    tell(agent)
    installation.run_jobs()
    assert inbox(agent) == []
    assert installation.mails == []


def test_have_a_tag(agent):
    tag = agent.get(PATH).headers["etag"]
    assert agent.put(PATH, json={"email": False}, headers={"If-Match": tag}).status_code == 200
    assert agent.put(PATH, json={"email": True}, headers={"If-Match": tag}).status_code == 412


def test_do_not_speak_of_plugins_that_are_off(agent, owner):
    path = f"/organizations/{owner.organization_id}/plugins/rota/"
    reply = owner.post(f"{path}disable/")
    assert reply.status_code == 200, reply.text
    assert "shift_paged" not in agent.get(PATH).json()["channels"]
    assert "shift_paged" not in [row["name"] for row in owner.get("/notification-templates/").json()["results"]]
    assert owner.get("/notification-templates/shift_paged/").status_code == 404
