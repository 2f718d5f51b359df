"""Who is told of what about tickets."""

import pytest
from sqlalchemy import delete

from helpdesk_tickets.models import Comment


@pytest.fixture
def told(installation):
    """What a client has been told since it was last asked, oldest first, as `(kind, title)`."""
    seen = {}

    def since(client):
        installation.run_jobs()
        reply = client.get("/notifications/", params={"ordering": "created_at", "page_size": 100})
        assert reply.status_code == 200, reply.text
        rows = reply.json()["results"]
        fresh = rows[seen.get(client.user.id, 0) :]
        seen[client.user.id] = len(rows)
        return [(row["kind"], row["title"]) for row in fresh]

    return since


@pytest.fixture
def everybody(installation, told):
    """What everybody of Acme has been told since they were last asked, by name, without those who were told nothing."""

    def since():
        people = ("owner", "agent", "technician", "member", "second_member")
        found = {name: [kind for kind, _ in told(installation.client(name))] for name in people}
        return {name: kinds for name, kinds in found.items() if kinds}

    return since


@pytest.fixture
def assigned(ticket, owner, agent, everybody):
    """The ticket, assigned to the agent; whoever was told of that has been."""
    reply = owner.post(f"/tickets/{ticket['id']}/assign/", json={"assigned_agent": agent.user.id})
    assert reply.status_code == 200, reply.text
    everybody()
    return ticket


def comment(client, ticket, content="Hello", **fields):
    reply = client.post(f"/tickets/{ticket['id']}/comments/", json={"content": content, **fields})
    assert reply.status_code == 201, reply.text
    return reply.json()


def move(client, ticket, status, **fields):
    reply = client.post(f"/tickets/{ticket['id']}/change-status/", json={"status": status, **fields})
    assert reply.status_code == 200, reply.text


class TestOpening:
    def test_by_oneself_tells_nobody(self, ticket, everybody):
        assert everybody() == {}

    def test_for_a_customer_is_confirmed_to_them(self, agent, member, told):
        body = {"subject": "No network", "customer": member.user.id}
        number = agent.post("/tickets/", json=body).json()["ticket_number"]
        assert told(member) == [("ticket_created", f"Ticket {number} was opened for you: No network")]
        assert told(agent) == []

    def test_and_assigning_tells_the_agent(self, owner, agent, everybody):
        owner.post("/tickets/", json={"subject": "No network", "assigned_agent": agent.user.id})
        assert everybody() == {"agent": ["ticket_assigned"]}


class TestAssigning:
    def test_tells_whoever_has_it_now(self, ticket, owner, agent, told):
        owner.post(f"/tickets/{ticket['id']}/assign/", json={"assigned_agent": agent.user.id})
        assert told(agent) == [("ticket_assigned", f"Ticket {ticket['ticket_number']} is yours: Printer on fire")]

    def test_says_where_the_ticket_is(self, assigned, agent):
        row = agent.get("/notifications/").json()["results"][0]
        key = agent.classic.get(f"/tickets/{assigned['id']}/").json()["id"]
        assert (row["object"], row["object_id"], row["link"]) == ("ticket", key, f"/api/v1/tickets/{key}/")
        assert agent.raw("GET", row["link"]).status_code == 200

    def test_to_oneself_tells_nobody(self, ticket, agent, everybody):
        agent.post(f"/tickets/{ticket['id']}/assign/", json={"assigned_agent": agent.user.id})
        assert everybody() == {}

    def test_to_one_after_the_other_tells_only_the_last(self, ticket, owner, agent, technician, everybody):
        for client in (agent, technician):
            owner.post(f"/tickets/{ticket['id']}/assign/", json={"assigned_agent": client.user.id})
        assert everybody() == {"technician": ["ticket_assigned"]}

    def test_to_nobody_tells_nobody(self, assigned, owner, everybody):
        owner.post(f"/tickets/{assigned['id']}/unassign/")
        assert everybody() == {}


class TestStates:
    def test_tell_the_customer(self, assigned, agent, member, told):
        move(agent, assigned, "pending")
        title = f"Ticket {assigned['ticket_number']} is now waiting for an answer: Printer on fire"
        assert told(member) == [("ticket_status_changed", title)]
        assert told(agent) == []

    def test_resolved_tells_the_customer_how(self, assigned, agent, member, told):
        move(agent, assigned, "resolved", resolution="Bought a new one.")
        assert [kind for kind, _ in told(member)] == ["ticket_resolved"]
        body = member.get("/notifications/").json()["results"][0]["body"]
        assert "\n\nBought a new one.\n\n" in body

    def test_resolved_without_a_word_leaves_no_gap(self, assigned, agent, member, told):
        move(agent, assigned, "resolved")
        told(member)
        assert "\n\n\n" not in member.get("/notifications/").json()["results"][0]["body"]

    def test_by_the_customer_tell_the_agent(self, assigned, member, everybody):
        move(member, assigned, "resolved")
        assert everybody() == {"agent": ["ticket_status_changed"]}

    def test_by_somebody_else_tell_both(self, assigned, owner, everybody):
        move(owner, assigned, "closed")
        assert everybody() == {"agent": ["ticket_status_changed"], "member": ["ticket_status_changed"]}

    def test_new_ones_that_are_open_now_go_without_saying(self, ticket, agent, everybody):
        move(agent, ticket, "open")
        assert everybody() == {}


class TestComments:
    def test_of_the_customer_tell_the_agent(self, assigned, member, agent, told, everybody):
        comment(member, assigned, "Any news?")
        title = f"Member Example commented on ticket {assigned['ticket_number']}: Printer on fire"
        assert told(agent) == [("comment_added", title)]
        assert everybody() == {}

    def test_of_the_agent_tell_the_customer(self, assigned, member, agent, everybody):
        comment(agent, assigned)
        assert everybody() == {"member": ["comment_added"]}

    def test_of_somebody_else_tell_both(self, assigned, owner, everybody):
        comment(owner, assigned)
        assert everybody() == {"member": ["comment_added"], "agent": ["comment_added"]}

    def test_that_are_internal_tell_the_agent_alone(self, installation, assigned, owner, everybody):
        comment(owner, assigned, "The customer is difficult", is_internal=True)
        assert everybody() == {"agent": ["internal_comment_added"]}
        assert not [mail for mail in installation.mails if "difficult" in mail.text and "agent" not in mail.to]

    def test_that_are_internal_tell_no_agent_who_may_not_read_them(self, assigned, owner, agent, everybody):
        codes = ["tickets:ticket:view", "tickets:comment:create", "notifications:inbox:use"]
        role = owner.post("/users/roles/", json={"name": "Outside help", "base": "agent", "permissions": codes}).json()
        changed = owner.post(f"/users/{agent.user.id}/change-role/", json={"custom_role": role["id"]})
        assert changed.status_code == 200, changed.text
        comment(owner, assigned, is_internal=True)
        assert everybody() == {}
        comment(owner, assigned)
        assert everybody() == {"agent": ["comment_added"], "member": ["comment_added"]}

    def test_that_were_made_internal_meanwhile_are_not_told_to_customers(self, assigned, agent, everybody):
        made = comment(agent, assigned, "Oops")
        path = f"/tickets/{assigned['id']}/comments/{made['id']}/"
        assert agent.patch(path, json={"is_internal": True}).status_code == 200
        assert everybody() == {}

    def test_that_are_gone_tell_nobody(self, installation, assigned, agent, everybody):
        comment(agent, assigned, "Oops")
        with installation.session() as session:
            session.execute(delete(Comment))
            installation.commit(session)
        assert everybody() == {}

    def test_reopen_a_resolved_ticket_and_tell_the_agent_of_both(self, assigned, agent, member, everybody):
        move(agent, assigned, "resolved")
        everybody()
        comment(member, assigned, "It burns again")
        kinds = everybody()
        assert sorted(kinds.pop("agent")) == ["comment_added", "ticket_status_changed"]
        assert kinds == {}


def test_a_deleted_ticket_is_told_to_nobody(assigned, owner, agent, everybody):
    comment(owner, assigned)
    owner.delete(f"/tickets/{assigned['id']}/")
    assert everybody() == {}


def test_another_organisation_is_told_nothing(assigned, owner, outsider, told):
    comment(owner, assigned)
    assert told(outsider) == []


def test_a_handler_that_runs_late_tells_nobody(ticket, owner, agent, clock, everybody):
    owner.post(f"/tickets/{ticket['id']}/assign/", json={"assigned_agent": agent.user.id})
    clock.advance(days=8)
    assert everybody() == {}


def test_people_are_mailed_what_their_inbox_says(installation, assigned, owner, member):
    comment(owner, assigned, "Please <b>wait</b> & see")
    installation.run_jobs()
    (mail,) = [mail for mail in installation.mails if mail.to == member.user.email]
    assert mail.subject == f"Owner Example commented on ticket {assigned['ticket_number']}: Printer on fire"
    assert "Please <b>wait</b> & see" in mail.text
    assert "Please &lt;b&gt;wait&lt;/b&gt; &amp; see" in mail.html


def test_people_read_it_in_german(installation, assigned, agent, member, told):
    member.patch("/users/profile/", json={"language": "de"})
    move(agent, assigned, "pending")
    number = assigned["ticket_number"]
    assert told(member) == [("ticket_status_changed", f"Ticket {number}, wartet auf eine Antwort: Printer on fire")]


def test_the_words_can_be_changed(owner, agent, ticket, told):
    path = "/notification-templates/ticket_assigned/"
    assert owner.put(path, json={"subject": "Yours: {ticket_number}"}).status_code == 200
    owner.post(f"/tickets/{ticket['id']}/assign/", json={"assigned_agent": agent.user.id})
    assert told(agent) == [("ticket_assigned", f"Yours: {ticket['ticket_number']}")]


def test_the_built_in_templates_are_listed(owner):
    names = {row["name"] for row in owner.get("/notification-templates/").json()["results"]}
    assert names >= {
        *("ticket_created", "ticket_assigned", "ticket_status_changed", "ticket_resolved"),
        *("comment_added", "internal_comment_added", "ticket_due_soon", "ticket_overdue"),
    }
