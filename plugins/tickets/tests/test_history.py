"""The history of a ticket and the events it publishes: every field that changed, once, with who and when."""

import pytest


def changed(client, ticket, **body):
    reply = client.patch(f"/tickets/{ticket['id']}/", json=body)
    assert reply.status_code == 200, reply.text
    return reply.json()


def history(client, ticket, **parameters):
    reply = client.get(f"/tickets/{ticket['id']}/history/", params=parameters)
    assert reply.status_code == 200, reply.text
    return reply.json()["results"]


def steps(client, ticket):
    """Return what changed since the ticket was opened."""
    first, *later = [(row["field"], row["before"], row["after"]) for row in history(client, ticket)]
    assert first[:2] == ("status", None)
    return later


def published(installation, *, besides=("ticket.created",)):
    return [
        (kind, data)
        for kind, data in installation.events()
        if kind.startswith(("ticket.", "comment."))
        if kind not in besides
    ]


class TestHistory:
    def test_begins_with_how_the_ticket_was_opened(self, agent, member, ticket):
        (opened,) = history(agent, ticket)
        assert (opened["field"], opened["before"], opened["after"]) == ("status", None, "new")
        assert (opened["actor"]["id"], opened["created_at"]) == (member.user.id, ticket["created_at"])
        given = agent.post("/tickets/", json={"subject": "For me", "assigned_agent": agent.user.id}).json()
        assert [(row["field"], row["before"], row["after"]) for row in history(agent, given)] == [
            ("status", None, "open"),
            ("assigned_agent", None, agent.user.id),
        ]

    def test_has_one_row_for_each_field_that_changed(self, agent, ticket):
        changed(agent, ticket, subject="Fire", priority="high", description="Second floor", tags=["login"])
        assert steps(agent, ticket) == [
            ("subject", "Printer on fire", "Fire"),
            ("priority", "medium", "high"),
            ("tags", [], ["login"]),
        ]

    def test_says_who_and_when(self, agent, ticket, clock):
        clock.advance(minutes=1)
        changed(agent, ticket, priority="high")
        _, row = history(agent, ticket)
        assert (row["actor"]["id"], row["created_at"]) == (agent.user.id, "2026-03-02T10:01:00Z")
        assert history(agent.classic, ticket)[1]["actor"]["username"] == "agent"

    def test_has_nothing_where_nothing_changed(self, agent, ticket, installation):
        before = agent.get(f"/tickets/{ticket['id']}/").json()
        assert changed(agent, ticket, **before) == before
        assert steps(agent, ticket) == []
        assert published(installation) == []

    def test_speaks_the_callers_document(self, agent, ticket):
        changed(agent, ticket, subject="Fire")
        for status in ("pending", "in_progress"):
            agent.post(f"/tickets/{ticket['id']}/change_status/", json={"status": status})
        assert steps(agent.classic, ticket) == [
            ("title", "Printer on fire", "Fire"),
            ("status", "open", "in_progress"),
            ("status", "in_progress", "in_progress"),
        ]
        assert steps(agent, ticket)[1:] == [("status", "new", "pending"), ("status", "pending", "open")]

    def test_shows_what_followed_from_a_change(self, agent, member, ticket):
        agent.post(f"/tickets/{ticket['id']}/assign/", json={"user_id": agent.user.id})
        agent.post(f"/tickets/{ticket['id']}/close/", json={"resolution": "Out"})
        agent.post(f"/tickets/{ticket['id']}/reopen/")
        assert steps(member, ticket) == [
            ("assigned_agent", None, agent.user.id),
            ("status", "new", "open"),
            ("status", "open", "closed"),
            ("resolution", None, "Out"),
            ("status", "closed", "open"),
            ("resolution", "Out", None),
        ]

    def test_is_paged_and_sorted(self, agent, ticket):
        for priority in ("low", "high", "urgent"):
            changed(agent, ticket, priority=priority)
        assert [row["after"] for row in history(agent, ticket, page_size=2, page=2)] == ["high", "urgent"]
        backwards = history(agent, ticket, ordering="-created_at")
        assert [row["after"] for row in backwards] == ["urgent", "high", "low", "new"]


class TestEvents:
    def test_of_a_new_ticket_say_what_it_is(self, member, installation):
        body = {"subject": "Down", "priority": "urgent", "tags": ["login"]}
        key = member.classic.post("/tickets/", json=body).json()["id"]
        (created,) = [data for kind, data in installation.events() if kind == "ticket.created"]
        assert created == {
            "ticket_id": key,
            "customer_id": member.user.id,
            "created_by_id": member.user.id,
            "assigned_agent_id": None,
            "category_id": None,
            "status": "new",
            "priority": "urgent",
        }

    def test_of_an_assignment_come_in_order(self, agent, ticket, installation):
        agent.post(f"/tickets/{ticket['id']}/assign/", json={"user_id": agent.user.id})
        kinds = [kind for kind, _ in published(installation)]
        assert kinds == ["ticket.updated", "ticket.assigned", "ticket.status_changed"]
        facts = [data for _, data in published(installation)]
        assert facts[0]["fields"] == ("assigned_agent", "status")
        assert (facts[1]["assigned_agent_id"], facts[1]["previous_agent_id"]) == (agent.user.id, None)
        assert (facts[2]["before"], facts[2]["after"]) == ("new", "open")

    def test_of_comments_say_whether_they_are_internal(self, agent, ticket, installation):
        comment = agent.post(f"/tickets/{ticket['id']}/comments/", json={"content": "x", "is_internal": True}).json()
        path = f"/tickets/{ticket['id']}/comments/{comment['id']}/"
        agent.patch(path, json={"content": "y"})
        agent.delete(path)
        told = [(kind, data) for kind, data in published(installation) if kind.startswith("comment.")]
        assert [kind for kind, _ in told] == ["comment.created", "comment.updated", "comment.deleted"]
        assert all(data["is_internal"] and data["comment_id"] == comment["id"] for _, data in told)

    def test_of_deletion_and_restoration(self, owner, ticket, installation):
        owner.delete(f"/tickets/{ticket['id']}/")
        owner.post(f"/tickets/{ticket['id']}/restore/")
        assert [kind for kind, _ in published(installation)] == ["ticket.deleted", "ticket.restored"]

    @pytest.mark.parametrize("body", [{"priority": "extreme"}, {"status": "pending", "assigned_agent": 999_999}])
    def test_of_what_was_refused_are_not_published(self, agent, ticket, installation, body):
        assert agent.patch(f"/tickets/{ticket['id']}/", json=body).status_code == 400
        assert published(installation) == []
        assert steps(agent, ticket) == []
