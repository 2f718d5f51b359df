"""Figures by agent, promises of single tickets, and figures of those who do not see everything."""

import pytest


def opened(client, **fields):
    reply = client.post("/tickets/", json={"subject": "Down", **fields})
    assert reply.status_code == 201, reply.text
    return reply.json()


def moved(client, ticket, status):
    assert client.post(f"/tickets/{ticket['id']}/change_status/", json={"status": status}).status_code == 200


def by_agent(client, **parameters):
    reply = client.get("/tickets/statistics/agents/", params=parameters)
    assert reply.status_code == 200, reply.text
    return {row["agent"]["email"].split("@")[0]: row for row in reply.json()["results"]}


class TestByAgent:
    def test_everybody_who_can_be_assigned_has_figures(self, agent, owner, technician, clock):
        done = opened(agent, assigned_agent=agent.user.id, due_date="2026-03-02T11:00:00Z")
        opened(agent, assigned_agent=agent.user.id, due_date="2026-03-02T11:00:00Z")
        clock.advance(hours=2)
        moved(agent, done, "closed")
        rows = by_agent(owner)
        assert list(rows) == ["agent", "owner", "technician"]
        assert {**rows["agent"], "agent": None} == {
            "agent": None,
            "assigned_tickets": 2,
            "open_tickets": 1,
            "resolved_tickets": 1,
            "overdue_tickets": 1,
            "average_resolution_time": "2.0 hours",
            "sla_compliance": 0.0,
        }
        assert rows["technician"]["assigned_tickets"] == 0
        assert rows["technician"]["sla_compliance"] == pytest.approx(100.0)

    def test_a_period_narrows(self, agent, owner):
        opened(agent, assigned_agent=agent.user.id)
        assert by_agent(owner, created_before="2000-01-01")["agent"]["assigned_tickets"] == 0
        assert by_agent(owner, created_after="2000-01-01")["agent"]["assigned_tickets"] == 1

    def test_are_searched_sorted_and_paged(self, owner):
        assert list(by_agent(owner, search="tech")) == ["technician"]
        assert list(by_agent(owner, ordering="-email")) == ["technician", "owner", "agent"]
        assert list(by_agent(owner, page_size=2, page=2)) == ["technician"]

    def test_are_for_agents(self, member, technician):
        for client in (member, technician):
            assert client.get("/tickets/statistics/agents/").status_code == 403


class TestPromises:
    @pytest.fixture
    def policy(self, owner):
        body = {"name": "Fast", "priority": "high", "first_response_minutes": 10, "resolution_minutes": 60}
        return owner.post("/sla-policies/", json=body).json()

    def promises(self, client, ticket):
        return client.get(f"/tickets/{ticket['id']}/sla/").json()

    def test_come_from_the_policy_of_the_priority(self, agent, member, policy, clock):
        ticket = opened(member, priority="high")
        assert self.promises(member, ticket) == {
            "policy": policy["id"],
            "first_response": {"due_at": "2026-03-02T10:10:00Z", "done_at": None, "is_breached": False},
            "resolution": {"due_at": "2026-03-02T11:00:00Z", "done_at": None, "is_breached": False},
        }
        clock.advance(minutes=11)
        assert self.promises(agent, ticket)["first_response"]["is_breached"]
        moved(agent, ticket, "resolved")
        clock.advance(days=1)
        kept = {"due_at": "2026-03-02T11:00:00Z", "done_at": "2026-03-02T10:11:00Z", "is_breached": False}
        assert self.promises(agent, ticket)["resolution"] == kept

    def test_follow_the_due_date_and_the_priority(self, agent, policy):
        ticket = opened(agent, priority="low")
        path = f"/tickets/{ticket['id']}/"
        nothing = {"due_at": None, "done_at": None, "is_breached": False}
        assert self.promises(agent, ticket)["resolution"] == nothing
        for body, due_at in (
            ({"priority": "high"}, "2026-03-02T11:00:00Z"),
            ({"due_date": "2026-03-05T00:00:00Z"}, "2026-03-05T00:00:00Z"),
            ({"priority": "low"}, "2026-03-05T00:00:00Z"),
            ({"priority": "high", "due_date": None}, "2026-03-02T11:00:00Z"),
        ):
            assert agent.patch(path, json=body).status_code == 200
            assert self.promises(agent, ticket)["resolution"]["due_at"] == due_at


class TestFigures:
    @pytest.mark.parametrize("kind", ["stats", "statistics"])
    def test_of_those_who_see_a_part_are_the_same_as_of_who_sees_all(self, agent, member, kind, clock):
        for status in ("new", "pending", "resolved", "closed"):
            ticket = opened(member, due_date="2026-03-02T12:00:00Z", priority="high")
            clock.advance(hours=1)
            if status != "new":
                moved(agent, ticket, status)
        figures = member.get(f"/tickets/{kind}/").json()
        assert figures == agent.get(f"/tickets/{kind}/").json()
        assert figures == agent.get(f"/tickets/{kind}/", params={"created_before": "2027-01-01"}).json()
