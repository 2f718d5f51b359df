"""Categories over HTTP."""

import pytest
from sqlalchemy import select

from helpdesk_tickets.models import Ticket, TicketCount
from helpdesk_tickets.service.counting import contributions


@pytest.fixture
def category(agent):
    return made(agent, "Network")


def made(client, name, **fields):
    reply = client.post("/categories/", json={"name": name, **fields})
    assert reply.status_code == 201, reply.text
    return reply.json()


def open_ticket(client, **fields):
    reply = client.post("/tickets/", json={"subject": "Down", **fields})
    assert reply.status_code == 201, reply.text
    return reply.json()


def names(client, **parameters):
    return [row["name"] for row in client.get("/categories/", params=parameters).json()["results"]]


def counts_are_true(installation, organization_id):
    """Whether the counters say what counting says."""
    with installation.session(organization_id) as session:
        stored = {
            (row.status, row.priority, row.category_id): row.total
            for row in session.scalars(select(TicketCount))
            if row.total
        }
        counted = {}
        for ticket in session.scalars(select(Ticket)):
            for key, number in contributions(ticket)[0].items():
                counted[key] = counted.get(key, 0) + number
    return stored == counted


class TestOutsiders:
    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
    def test_find_no_category(self, outsider, category, method):
        options = {} if method in {"get", "delete"} else {"json": {"name": "Mine"}}
        assert getattr(outsider, method)(f"/categories/{category['id']}/", **options).status_code == 404

    def test_list_no_tickets_of_it(self, outsider, category):
        assert outsider.get(f"/categories/{category['id']}/tickets/").status_code == 404

    def test_move_no_tickets_into_it(self, outsider, category):
        own = made(outsider, "Network")
        reply = outsider.delete(f"/categories/{own['id']}/", params={"move_to": category["id"]})
        assert reply.status_code == 400

    def test_have_slugs_of_their_own(self, outsider, category):
        own = made(outsider, "Network")
        assert outsider.get(f"/categories/{own['id']}/", params={"include": "slug"}).json()["slug"] == "network"


class TestCustomers:
    def test_see_categories(self, member, category):
        assert member.get(f"/categories/{category['id']}/").json() == category
        assert names(member) == ["Network"]

    def test_change_none(self, member, technician, category):
        for client in (member, technician):
            assert client.post("/categories/", json={"name": "Mine"}).status_code == 403
            assert client.put(f"/categories/{category['id']}/", json={"name": "Mine"}).status_code == 403
            assert client.delete(f"/categories/{category['id']}/").status_code == 403


class TestSlugs:
    def test_are_derived_and_unique(self, agent):
        slugs = []
        for name in ("Technical Support", "Technical-Support", "technical support!"):
            reply = agent.post("/categories/", params={"include": "slug"}, json={"name": name})
            slugs.append(reply.json()["slug"])
        assert slugs == ["technical_support", "technical_support_2", "technical_support_3"]

    def test_stay_when_the_name_changes(self, agent, category):
        path = f"/categories/{category['id']}/"
        changed = agent.patch(path, params={"include": "slug"}, json={"name": "Wi-Fi"}).json()
        assert (changed["name"], changed["slug"]) == ("Wi-Fi", "network")


class TestChanges:
    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_leave_out_what_is_not_sent(self, agent, clock, method):
        before = made(agent, "Network", description="Cables", color="#123456")
        clock.advance(minutes=1)
        after = getattr(agent, method)(f"/categories/{before['id']}/", json={"name": "Wi-Fi"}).json()
        assert after == {**before, "name": "Wi-Fi", "updated_at": "2026-03-02T10:01:00Z"}

    def test_accept_what_was_read(self, agent, category):
        reply = agent.put(f"/categories/{category['id']}/", json=category)
        assert (reply.status_code, reply.json()) == (200, category)

    def test_null_clears(self, agent):
        before = made(agent, "Network", description="Cables", color="#123456")
        after = agent.patch(f"/categories/{before['id']}/", json={"description": None, "color": None}).json()
        assert (after["description"], after["color"]) == ("", "#007bff")
        assert agent.patch(f"/categories/{before['id']}/", json={"name": None}).status_code == 400

    def test_to_a_name_that_is_taken_conflict(self, agent, category):
        other = made(agent, "Billing")
        reply = agent.patch(f"/categories/{other['id']}/", json={"name": " NETWORK "})
        assert (reply.status_code, reply.json()["error"]["details"]["field"]) == (409, "name")

    def test_of_its_case_alone_are_fine(self, agent, category):
        assert agent.patch(f"/categories/{category['id']}/", json={"name": "NETWORK"}).json()["name"] == "NETWORK"

    def test_with_a_stale_tag_are_refused(self, agent, category):
        path = f"/categories/{category['id']}/"
        tag = agent.get(path).headers["ETag"]
        assert agent.patch(path, json={"name": "Wi-Fi"}, headers={"If-Match": tag}).status_code == 200
        assert agent.patch(path, json={"name": "LAN"}, headers={"If-Match": tag}).status_code == 412

    @pytest.mark.parametrize("name", ["x" * 101, "a\x00b", "", None, 5])
    def test_need_a_good_name(self, agent, category, name):
        assert agent.post("/categories/", json={"name": name}).status_code == 400
        assert agent.put(f"/categories/{category['id']}/", json={"name": name}).status_code == 400


class TestDeletion:
    @pytest.fixture
    def tickets(self, agent, category):
        kept = open_ticket(agent, category=category["id"], priority="high")
        gone = open_ticket(agent, category=category["id"])
        agent.delete(f"/tickets/{gone['id']}/")
        open_ticket(agent)
        return kept

    def test_leaves_tickets_without_a_category(self, agent, category, tickets):
        assert agent.delete(f"/categories/{category['id']}/").status_code == 204
        shown = agent.get(f"/tickets/{tickets['id']}/", params={"include": "category"}).json()
        assert shown["category"] is None
        assert agent.get("/tickets/", params={"category": category["id"]}).json()["count"] == 0

    def test_moves_tickets_to_another_category(self, agent, category, tickets):
        other = made(agent, "Billing")
        open_ticket(agent, category=other["id"], priority="high")
        reply = agent.delete(f"/categories/{category['id']}/", params={"move_to": other["id"]})
        assert reply.status_code == 204
        assert agent.get("/tickets/", params={"category": other["id"]}).json()["count"] == 2

    @pytest.mark.parametrize("moved", [False, True])
    def test_keeps_the_counters_true(self, installation, agent, category, tickets, moved):
        parameters = {"move_to": made(agent, "Billing")["id"]} if moved else {}
        agent.delete(f"/categories/{category['id']}/", params=parameters)
        assert counts_are_true(installation, agent.organization_id)

    def test_moves_to_no_unknown_category_nor_to_itself(self, agent, category, tickets):
        for target in (category["id"], 999_999, "x"):
            reply = agent.delete(f"/categories/{category['id']}/", params={"move_to": target})
            assert reply.status_code == 400, target
        assert agent.get("/tickets/", params={"category": category["id"]}).json()["count"] == 1

    def test_is_told(self, installation, agent, category):
        agent.delete(f"/categories/{category['id']}/")
        told = {"category_id": category["id"], "name": "Network", "moved_to": None}
        assert installation.events()[-1] == ("category.deleted", told)


class TestTicketsOfACategory:
    def test_are_those_that_one_may_see(self, agent, member, second_member, category):
        for client in (member, second_member):
            ticket = open_ticket(client)
            agent.patch(f"/tickets/{ticket['id']}/", json={"category": category["id"]})
        open_ticket(agent)
        path = f"/categories/{category['id']}/tickets/"
        assert (agent.get(path).json()["count"], member.get(path).json()["count"]) == (2, 1)

    def test_are_narrowed_by_parameters(self, agent, category):
        for priority in ("low", "high"):
            open_ticket(agent, category=category["id"], priority=priority)
        path = f"/categories/{category['id']}/tickets/"
        assert [row["priority"] for row in agent.get(path, params={"priority": "low"}).json()["results"]] == ["low"]
        assert agent.get(path, params={"category": category["id"]}).status_code == 400


def test_search_looks_at_name_and_description(agent):
    made(agent, "Network", description="Cables and radio")
    made(agent, "Billing")
    assert names(agent, search="radio NET") == ["Network"]
