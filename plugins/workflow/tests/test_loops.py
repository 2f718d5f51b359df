"""Automations that would trigger each other without end are refused; those that end by themselves are not."""

import pytest

from plugins.workflow.tests.workshop import AUTOMATIONS, CREATED, NOTE, act, on

COMMENTED = on("comment_created")
UPDATED = on("ticket_updated")


def changed_to(field, value):
    return on("ticket_updated", {"field": field, "operator": "changed_to", "value": value})


def after(status):
    return on("ticket_status_changed", {"after": status})


ENDLESS = {
    "answering comments": [(COMMENTED, act("add_comment", content="x"))],
    "a ticket for each ticket": [(CREATED, act("create_ticket", subject="x"))],
    "ping and pong": [
        (after("pending"), act("set_status", status="open")),
        (after("open"), act("set_status", status="pending")),
    ],
    "ping and pong by what changed": [
        (changed_to("priority", "low"), act("set_priority", priority="high")),
        (changed_to("priority", "high"), act("set_priority", priority="low")),
    ],
    "one that undoes another": [
        (UPDATED, act("set_priority", priority="high")),
        (UPDATED, act("set_priority", priority="low")),
    ],
    "tags on and off": [
        (UPDATED, act("add_tags", tags=["x"])),
        (UPDATED, act("remove_tags", tags=["X"])),
    ],
    "one that undoes itself": [(UPDATED, act("set_priority", priority="high"), act("set_priority", priority="low"))],
    "whose turn it is, at each change": [(UPDATED, act("assign_agent", strategy="round_robin"))],
    "a due date that moves on": [(UPDATED, act("set_due_date", hours=4))],
    "three in a circle": [
        (after("open"), act("set_priority", priority="low"), act("add_tags", tags=["a"])),
        (changed_to("priority", "low"), act("add_comment", content="x", is_internal=True)),
        (COMMENTED, act("create_ticket", subject="more", priority="high", assigned_agent=None)),
        (CREATED, act("set_priority", priority="low")),
    ],
}
ENDING = {
    "setting what is set already": [(UPDATED, act("set_priority", priority="high"), NOTE)],
    "the same by two": [
        (UPDATED, act("set_priority", priority="high")),
        (UPDATED, act("set_priority", priority="high"), act("set_status", status="open")),
    ],
    "another value than it waits for": [(changed_to("status", "pending"), act("set_status", status="open"))],
    "answering customers only": [
        (on("comment_created", {"author_role": "customer"}), act("add_comment", content="We are on it")),
    ],
    "answering what is public in private": [
        (on("comment_created", {"is_internal": False}), act("add_comment", content="x", is_internal=True)),
    ],
    "answering once, until it is pending": [
        (
            on("comment_created", {"status": "open"}),
            act("add_comment", content="x"),
            act("set_status", status="pending"),
        ),
    ],
    "somebody for tickets that nobody has": [
        (
            on("ticket_updated", {"field": "assigned_agent", "operator": "is_empty"}),
            act("assign_agent", strategy="least_loaded"),
        ),
    ],
    "a follow-up of another kind": [
        (on("ticket_created", {"priority": "high"}), act("create_ticket", subject="Follow up", priority="low")),
    ],
    "comments on what it set": [
        (COMMENTED, act("set_status", status="open")),
        (changed_to("status", "open"), act("add_comment", content="open", is_internal=True)),
    ],
    "raising until it is urgent": [(UPDATED, act("escalate"))],
    "telling people": [(UPDATED, act("send_notification", template="ticket_assigned", recipients=["agent"]))],
}


@pytest.mark.parametrize("automations", ENDLESS.values(), ids=ENDLESS)
def test_an_endless_circle_is_refused_when_it_would_be_closed(workshop, owner, automations):
    *before, (trigger, *actions) = automations
    made = [workshop.automation(first, *rest, name=f"Number {place}") for place, (first, *rest) in enumerate(before)]
    body = {"name": "The last one", "trigger": trigger, "actions": actions}
    reply = owner.post(AUTOMATIONS, json=body)
    assert reply.status_code == 422, reply.text
    error = reply.json()["error"]
    assert error["code"] == "AUTOMATION_LOOP"
    assert error["details"]["automations"][0] == {"id": None, "name": "The last one"}
    named = {each["id"] for each in error["details"]["automations"][1:]}
    assert named <= {each["id"] for each in made}
    assert bool(named) == bool(made)
    # It may be kept while it is off, but not be switched on.
    kept = owner.post(AUTOMATIONS, json={**body, "is_active": False}).json()
    assert owner.post(f"{AUTOMATIONS}{kept['id']}/activate/").status_code == 422


@pytest.mark.parametrize("automations", ENDING.values(), ids=ENDING)
def test_what_ends_by_itself_is_taken_and_does_end(workshop, automations, agent, member):
    for trigger, *actions in automations:
        workshop.automation(trigger, *actions)
    ticket = workshop.ticket(priority="high")
    path = f"/tickets/{ticket['id']}/"
    agent.post(f"{path}change_status/", json={"status": "pending"})
    member.post(f"{path}comments/", json={"content": "Any news?"})
    agent.patch(path, json={"subject": "Changed"})
    workshop.run()
    assert workshop.runs(status="stopped") == []


def test_a_circle_over_one_that_is_off_is_none(workshop, owner):
    first = workshop.automation(after("pending"), act("set_status", status="open"))
    owner.post(f"{AUTOMATIONS}{first['id']}/deactivate/")
    workshop.automation(after("open"), act("set_status", status="pending"))
    assert owner.post(f"{AUTOMATIONS}{first['id']}/activate/").status_code == 422


def test_another_value_that_somebody_else_sets_makes_a_circle(workshop):
    """Alone it would end: it leaves the ticket pending. The other one opens it again before anybody looks."""
    workshop.automation(COMMENTED, act("set_status", status="open"))
    found = workshop.refused(
        on("comment_created", {"status": "open"}),
        act("add_comment", content="x"),
        act("set_status", status="pending"),
        status=422,
    )
    assert "actions" in found
