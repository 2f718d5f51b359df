"""Every action, through HTTP: what it changes, and what the log says that it changed."""

import pytest
from pydantic import BaseModel

from helpdesk_core.api import Contributions
from plugins.workflow.tests.workshop import CREATED, act, on


def ran(workshop, action, trigger=CREATED, **ticket):
    """A new ticket after the action, and what the log says of it."""
    automation = workshop.automation(trigger, action)
    shown = workshop.ticket(**ticket)
    (run,) = workshop.runs(automation, matched="true")
    assert (run["status"], run["reason"]) == ("done", "")
    return shown, run["actions"][0]


def test_assign_agent(workshop, agent):
    ticket, told = ran(workshop, act("assign_agent", agent_id=agent.user.id))
    assert ticket["assigned_to"]["id"] == agent.user.id
    assert told["changes"] == {"status": ["new", "open"], "assigned_agent": [None, agent.user.id]}
    assert told["result"] == {"agent_id": agent.user.id}


def test_assign_nobody(workshop, agent, owner):
    automation = workshop.automation(on("ticket_assigned"), act("assign_agent", agent_id=None))
    ticket = workshop.ticket()
    agent.post(f"/tickets/{ticket['id']}/assign/", json={"user_id": agent.user.id})
    workshop.run()
    assert workshop.shown(ticket)["assigned_to"] is None
    assert workshop.runs(automation)[-1]["actions"][0]["changes"] == {"assigned_agent": [agent.user.id, None]}


def test_assign_whoever_has_least_to_do(workshop, agent, technician, owner):
    for _ in range(2):
        ticket = workshop.ticket()
        agent.post(f"/tickets/{ticket['id']}/assign/", json={"user_id": agent.user.id})
    among = [agent.user.id, technician.user.id]
    workshop.automation(CREATED, act("assign_agent", strategy="least_loaded", among=among))
    chosen = [workshop.ticket()["assigned_to"]["id"] for _ in range(3)]
    assert chosen == [technician.user.id, technician.user.id, min(among)]


def test_assign_in_turn(workshop, agent, technician, owner):
    among = sorted([agent.user.id, technician.user.id, owner.user.id])
    workshop.automation(CREATED, act("assign_agent", strategy="round_robin", among=among))
    assert [workshop.ticket()["assigned_to"]["id"] for _ in range(4)] == [*among, among[0]]


def test_assign_among_agents_unless_others_are_named(workshop, agent):
    ticket, _ = ran(workshop, act("assign_agent", strategy="round_robin"))
    assert ticket["assigned_to"]["id"] == agent.user.id


def test_set_status_with_a_resolution(workshop):
    ticket, told = ran(workshop, act("set_status", status="resolved", resolution="Known"))
    assert (ticket["status"], ticket["resolution"]) == ("resolved", "Known")
    assert told["changes"] == {"status": ["new", "resolved"], "resolution": [None, "Known"]}


def test_set_priority(workshop):
    ticket, told = ran(workshop, act("set_priority", priority="urgent"))
    assert ticket["priority"] == "urgent"
    assert told["changes"] == {"priority": ["medium", "urgent"]}


@pytest.mark.parametrize("name", ["id", "Billing & more", "billing_more"])
def test_set_category_by_any_of_its_names(workshop, owner, name):
    category = owner.post("/categories/", json={"name": "Billing & more"}).json()
    ticket, told = ran(workshop, act("set_category", category=category["id"] if name == "id" else name))
    assert ticket["category"]["id"] == category["id"]
    assert told["changes"] == {"category": [None, category["id"]]}


def test_tags_are_added_and_taken_off(workshop, owner):
    workshop.automation(CREATED, act("add_tags", tags=["VIP", "new one"]), act("remove_tags", tags=["OLD", "unknown"]))
    owner.post("/tags/", json={"name": "old"})
    ticket = workshop.ticket(tags=["old", "kept"])
    assert [tag["name"] for tag in ticket["tags"]] == ["kept", "VIP", "new one"]
    changes = [each["changes"]["tags"] for each in workshop.runs()[0]["actions"]]
    assert changes == [
        [["old", "kept"], ["old", "kept", "VIP", "new one"]],
        [["old", "kept", "VIP", "new one"], ["kept", "VIP", "new one"]],
    ]


def test_a_comment_is_filled_in_literally(workshop, owner):
    content = "{customer_name}, {ticket_number} is {priority}: {subject} {unknown} {{braces}}"
    ticket, told = ran(workshop, act("add_comment", content=content, is_internal=True), title="{customer_email} <b>")
    (comment,) = owner.get(f"/tickets/{ticket['id']}/comments/").json()["results"]
    said = "Member Example, TKT-001 is medium: {customer_email} <b> {unknown} {braces}"
    assert (comment["content"], comment["is_internal"]) == (said, True)
    assert told["result"] == {"content": said, "is_internal": True}
    assert told["made"] == {"comment": comment["id"]}


def test_what_is_done_in_ones_name_is_told_to_oneself(workshop, owner):
    workshop.automation(CREATED, act("assign_agent", agent_id=owner.user.id))
    workshop.ticket(client=owner)
    assert [row["kind"] for row in owner.get("/notifications/").json()["results"]] == ["ticket_assigned"]


def test_notifications_reach_those_who_are_there(workshop, installation):
    member, owner, technician = (installation.client(name) for name in ("member", "owner", "technician"))
    recipients = ["agent", "customer", "creator", "admins", technician.user.id, "somebody@example.net", "customer"]
    action = act("send_notification", template="ticket_assigned", recipients=recipients)
    _, told = ran(workshop, action)
    # Nobody works on it; customer and creator are one.
    assert told["result"]["users"] == [member.user.id, owner.user.id, technician.user.id]
    assert told["result"]["addresses"] == ["somebody@example.net"]
    for client in (member, owner, technician):
        kinds = [row["kind"] for row in client.get("/notifications/").json()["results"]]
        assert kinds.count("ticket_assigned") == 1
    assert installation.client("agent").get("/notifications/").json()["results"] == []
    assert "somebody@example.net" in [mail.to for mail in installation.mails]


def test_another_ticket(workshop, owner, member, agent, clock):
    action = act(
        "create_ticket",
        subject="Follow up {ticket_number}",
        customer="customer",
        priority="low",
        tags=["later"],
        assigned_agent=agent.user.id,
        due_in_hours=24,
    )
    _, told = ran(workshop, action, on("ticket_created", {"priority": "medium"}))
    made = workshop.shown({"id": told["made"]["ticket"]})
    assert made["title"] == "Follow up TKT-001"
    assert (made["priority"], made["due_date"]) == ("low", "2026-03-03T10:00:00Z")
    assert (made["created_by"]["id"], made["assigned_to"]["id"]) == (owner.user.id, agent.user.id)
    assert member.classic.get(f"/tickets/{made['id']}/").status_code == 200


def test_escalating_raises_and_tells(workshop, owner):
    ticket, told = ran(workshop, act("escalate", levels=2), on("ticket_created", {"priority": "low"}), priority="low")
    assert ticket["priority"] == "high"
    assert told["changes"] == {"priority": ["low", "high"]}
    (row,) = [each for each in owner.get("/notifications/").json()["results"] if each["kind"] == "ticket_escalated"]
    assert row["title"] == "TKT-001 was escalated: Printer on fire"
    assert row["body"] == "The priority of TKT-001, Printer on fire, is high now."


def test_due_dates(workshop):
    ticket, told = ran(workshop, act("set_due_date", hours=1.5))
    assert ticket["due_date"] == "2026-03-02T11:30:00Z"
    assert told["changes"] == {"due_date": [None, "2026-03-02T11:30:00Z"]}


def test_a_due_date_by_the_calendar_and_none(workshop):
    ticket, _ = ran(workshop, act("set_due_date", due_date="2026-05-01T02:00:00+02:00"))
    assert ticket["due_date"] == "2026-05-01T00:00:00Z"


def test_due_dates_can_be_taken_away(workshop):
    ticket, told = ran(workshop, act("set_due_date", due_date=None), due_date="2026-04-01T00:00:00Z")
    assert ticket["due_date"] is None
    assert told["changes"] == {"due_date": ["2026-04-01T00:00:00Z", None]}


class Mark(BaseModel):
    mark: str = "!"


class Shouting:
    """An action as another plugin would contribute it, without importing anything of ours."""

    name = "shout"
    title = "Write the subject in capitals"
    parameters = Mark

    def check(self, context, parameters):
        return None

    def run(self, context, parameters):
        return {"said": context.values()["subject"].upper() + parameters.mark}

    def causes(self, parameters):
        return ["ticket.created"]


@pytest.fixture
def shouting(installation, monkeypatch):
    contributions = installation.parts.services.get(Contributions)
    monkeypatch.setattr(contributions, "of", lambda hook, session: [Shouting()])


class TestContributedActions:
    def test_run_and_are_listed(self, workshop, owner, shouting):
        listed = {row["type"] for row in owner.get("/advanced-workflow/actions/").json()["results"]}
        assert "shout" in listed
        assert "actions.0.parameters.loud" in workshop.refused(CREATED, act("shout", loud=True))

    def test_say_what_they_may_cause(self, workshop, shouting):
        assert workshop.refused(CREATED, act("shout"), status=422)
        automation = workshop.automation(on("ticket_restored"), act("shout", mark="?"))
        ticket = workshop.ticket()
        workshop.owner.delete(f"/tickets/{ticket['id']}/")
        workshop.owner.post(f"/tickets/{ticket['id']}/restore/")
        workshop.run()
        (run,) = workshop.runs(automation)
        assert run["actions"][0]["result"] == {"said": "PRINTER ON FIRE?"}
