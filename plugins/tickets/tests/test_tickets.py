"""Tickets over HTTP: what the documents only imply, and the rules behind it."""

import pytest

UNKNOWN = "00000000-0000-4000-8000-000000000000"
ACTIONS = {
    "assign/": {"user_id": None},
    "unassign/": {},
    "change_status/": {"status": "open"},
    "close/": {},
    "reopen/": {},
    "change-priority/": {"priority": "low"},
    "tags/": {"tags": ["login"]},
}


def opened(client, subject="Down", **fields):
    reply = client.post("/tickets/", json={"subject": subject, **fields})
    assert reply.status_code == 201, reply.text
    return reply.json()


def acted(client, ticket, action, **body):
    reply = client.post(f"/tickets/{ticket['id']}/{action}/", json=body)
    assert reply.status_code == 200, reply.text
    return reply.json()


def shown(client, ticket, **parameters):
    reply = client.get(f"/tickets/{ticket['id']}/", params=parameters)
    assert reply.status_code == 200, reply.text
    return reply.json()


def listed(client, path="/tickets/", **parameters):
    reply = client.get(path, params=parameters)
    assert reply.status_code == 200, reply.text
    return [row.get("subject", row.get("title")) for row in reply.json()["results"]]


def refused(reply, status):
    assert reply.status_code == status, reply.text
    return reply.json()


class TestOutsiders:
    @pytest.mark.parametrize("action", ACTIONS)
    def test_act_on_no_ticket(self, outsider, second_member, ticket, action):
        for client in (outsider, second_member):
            refused(client.post(f"/tickets/{ticket['id']}/{action}", json=ACTIONS[action]), 404)
            refused(client.post(f"/tickets/{UNKNOWN}/{action}", json=ACTIONS[action]), 404)

    @pytest.mark.parametrize("path", ["", "history/", "sla/", "comments/"])
    def test_read_nothing_of_it(self, outsider, second_member, ticket, path):
        for client in (outsider, second_member):
            refused(client.get(f"/tickets/{ticket['id']}/{path}"), 404)

    def test_find_it_by_no_number(self, outsider, second_member, ticket):
        for client in (outsider, second_member):
            refused(client.get("/tickets/by-number/TKT-001/"), 404)

    def test_restore_none(self, outsider, agent, ticket):
        agent.delete(f"/tickets/{ticket['id']}/")
        refused(outsider.post(f"/tickets/{ticket['id']}/restore/"), 404)

    def test_name_nobody_of_another_organization(self, outsider, member, agent):
        for body in ({"customer": member.user.id}, {"customer": member.user.email}, {"assigned_agent": agent.user.id}):
            refused(outsider.post("/tickets/", json={"subject": "Down", **body}), 400)


class TestActions:
    def test_unassigning_takes_the_ticket_from_everybody(self, agent, ticket):
        acted(agent, ticket, "assign", user_id=agent.user.id)
        assert acted(agent, ticket, "unassign")["assigned_agent"] is None

    def test_closing_keeps_what_was_done(self, agent, ticket):
        assert acted(agent, ticket, "close", resolution="Put it out")["status"] == "closed"
        assert shown(agent, ticket, include="resolution")["resolution"] == "Put it out"

    def test_reopening_forgets_what_was_done(self, agent, ticket):
        acted(agent, ticket, "close", resolution="Put it out")
        assert acted(agent, ticket, "reopen")["status"] == "open"
        extras = shown(agent, ticket, include="resolution,resolved_at,closed_at,reopen_count")
        names = ("resolution", "resolved_at", "closed_at", "reopen_count")
        assert [extras[name] for name in names] == [None, None, None, 1]

    def test_reopening_an_open_ticket_changes_nothing(self, agent, ticket):
        assert acted(agent, ticket, "reopen")["status"] == "new"

    def test_customers_reopen_what_is_resolved_and_not_what_is_closed(self, agent, member, ticket):
        acted(agent, ticket, "change_status", status="resolved")
        assert acted(member, ticket, "reopen")["status"] == "open"
        acted(agent, ticket, "close")
        refused(member.post(f"/tickets/{ticket['id']}/reopen/"), 403)

    def test_closing_what_was_resolved_keeps_the_time_of_its_resolution(self, agent, ticket, clock):
        acted(agent, ticket, "change_status", status="resolved")
        resolved = shown(agent, ticket, include="resolved_at")["resolved_at"]
        clock.advance(hours=1)
        acted(agent, ticket, "close")
        extras = shown(agent, ticket, include="resolved_at,closed_at")
        assert extras["resolved_at"] == resolved < extras["closed_at"]

    def test_priority_is_changed(self, agent, ticket):
        assert acted(agent, ticket, "change-priority", priority="urgent")["priority"] == "urgent"
        refused(agent.post(f"/tickets/{ticket['id']}/change-priority/", json={"priority": "extreme"}), 400)

    def test_tags_are_added_and_removed_one_by_one(self, agent, ticket):
        assert acted(agent, ticket, "tags", tags=["login"])["tags"] == ["login"]
        assert acted(agent, ticket, "tags", tag="password")["tags"] == ["login", "password"]
        assert acted(agent, ticket, "tags", tags=["LOGIN"])["tags"] == ["login", "password"]
        (login,) = [tag["id"] for tag in shown(agent.classic, ticket)["tags"] if tag["name"] == "login"]
        assert agent.delete(f"/tickets/{ticket['id']}/tags/{login}/").status_code == 204
        assert shown(agent, ticket)["tags"] == ["password"]
        refused(agent.delete(f"/tickets/{ticket['id']}/tags/{login}/"), 404)

    def test_a_ticket_has_fifty_tags_at_most(self, agent, ticket):
        acted(agent, ticket, "tags", tags=[f"tag {number}" for number in range(50)])
        refused(agent.post(f"/tickets/{ticket['id']}/tags/", json={"tags": ["one more"]}), 400)
        refused(agent.post("/tickets/", json={"subject": "x", "tags": [f"{n}" for n in range(51)]}), 400)


class TestCustomers:
    @pytest.mark.parametrize("action", ["assign/", "unassign/"])
    def test_assign_nobody(self, member, ticket, action):
        refused(member.post(f"/tickets/{ticket['id']}/{action}", json=ACTIONS[action]), 403)

    def test_change_neither_category_nor_due_date_once_it_is_filed(self, member, agent, owner, ticket):
        category = owner.post("/categories/", json={"name": "Hardware"}).json()
        for body in ({"category": category["id"]}, {"due_date": "2030-01-01"}, {"assigned_agent": agent.user.id}):
            refused(member.patch(f"/tickets/{ticket['id']}/", json=body), 403)
        same = {"category": None, "due_date": None, "assigned_agent": None, "customer": member.user.id}
        assert member.patch(f"/tickets/{ticket['id']}/", json=same).status_code == 200

    def test_give_their_ticket_to_nobody(self, member, second_member, ticket):
        refused(member.patch(f"/tickets/{ticket['id']}/", json={"customer": second_member.user.id}), 403)

    def test_change_what_they_wrote(self, member, ticket):
        reply = member.patch(f"/tickets/{ticket['id']}/", json={"subject": "Fire", "priority": "urgent"})
        assert (reply.json()["subject"], reply.json()["priority"]) == ("Fire", "urgent")

    def test_learn_nothing_of_the_users_whom_they_name(self, member, second_member):
        for customer in (second_member.user.id, second_member.user.email, 999_999, "nobody@example.com"):
            refused(member.post("/tickets/", json={"subject": "x", "customer": customer}), 403)


class TestTechnicians:
    def test_see_what_they_made_have_or_work_on(self, technician, agent, member):
        opened(technician, "made")
        opened(agent, "for them", customer=technician.user.id)
        acted(agent, opened(member, "work on"), "assign", user_id=technician.user.id)
        opened(member, "another's")
        assert sorted(listed(technician)) == ["for them", "made", "work on"]

    def test_resolve_what_they_work_on(self, technician, agent, ticket):
        acted(agent, ticket, "assign", user_id=technician.user.id)
        assert acted(technician, ticket, "change_status", status="resolved")["status"] == "resolved"


class TestNumbers:
    def test_find_their_ticket_in_any_case(self, member, ticket):
        for number in ("TKT-001", "tkt-1"):
            assert member.get(f"/tickets/by-number/{number}/").json() == shown(member, ticket)

    @pytest.mark.parametrize("number", ["TKT-002", "WO-001", "TKT-99999999999", "TKT-", "001"])
    def test_of_no_ticket_find_nothing(self, agent, ticket, number):
        refused(agent.get(f"/tickets/by-number/{number}/"), 404)


class TestOverdue:
    def test_is_what_is_past_due_and_not_done_the_longest_first(self, agent, clock):
        for subject, due in (("late", "2026-03-02T09:00:00Z"), ("later", "2026-03-01"), ("in time", "2030-01-01")):
            opened(agent, subject, due_date=due)
        opened(agent, "never due")
        acted(agent, opened(agent, "done", due_date="2020-01-01"), "change_status", status="resolved")
        assert listed(agent, "/tickets/overdue/") == ["later", "late"]
        assert listed(agent, "/tickets/overdue/", ordering="-due_date") == ["late", "later"]
        assert listed(agent, "/tickets/overdue/", priority="low") == []
        assert agent.get("/tickets/stats/").json()["overdue_tickets"] == 2

    def test_begins_the_second_after_it_is_due(self, agent, clock):
        opened(agent, "soon", due_date="2026-03-02T10:00:05Z")
        clock.advance(seconds=5)
        assert listed(agent, "/tickets/overdue/") == []
        assert agent.get("/tickets/stats/").json()["overdue_tickets"] == 0
        clock.advance(seconds=1)
        assert listed(agent, "/tickets/overdue/") == ["soon"]
        assert agent.get("/tickets/stats/").json()["overdue_tickets"] == 1


class TestDeletion:
    @pytest.fixture
    def deleted(self, agent, member):
        ticket = opened(member, "Printer on fire", tags=["login"], priority="high")
        member.post(f"/tickets/{ticket['id']}/comments/", json={"content": "Hurry"})
        assert agent.delete(f"/tickets/{ticket['id']}/").status_code == 204
        return ticket

    def test_is_listed_for_administrators_alone(self, owner, agent, member, deleted):
        assert listed(owner, "/tickets/deleted/") == ["Printer on fire"]
        assert listed(owner, "/tickets/deleted/", search="printer tkt-001") == ["Printer on fire"]
        assert listed(owner, "/tickets/deleted/", search="flood") == []
        for client in (agent, member):
            refused(client.get("/tickets/deleted/"), 403)

    def test_takes_the_ticket_out_of_search_counts_and_tags(self, owner, agent, deleted):
        assert listed(agent, search="printer") == []
        assert agent.get("/tickets/", params={"priority": "high"}).json()["count"] == 0
        assert agent.get("/tickets/stats/").json()["total_tickets"] == 0
        assert owner.get("/tags/popular/").json()["count"] == 0

    def test_is_undone_by_administrators(self, owner, agent, deleted):
        refused(agent.post(f"/tickets/{deleted['id']}/restore/"), 403)
        restored = acted(owner, deleted, "restore")
        assert [comment["content"] for comment in restored["comments"]] == ["Hurry"]
        assert listed(agent, search="printer") == listed(agent.classic, search="hurry") == ["Printer on fire"]
        assert agent.get("/tickets/stats/").json()["total_tickets"] == 1
        assert owner.get("/tags/popular/").json()["results"][0]["usage_count"] == 1
        refused(owner.post(f"/tickets/{deleted['id']}/restore/"), 404)

    @pytest.mark.parametrize("action", ACTIONS)
    def test_leaves_nothing_to_act_on(self, agent, deleted, action):
        refused(agent.post(f"/tickets/{deleted['id']}/{action}", json=ACTIONS[action]), 404)


class TestExtras:
    def test_every_name_of_either_dialect_can_be_asked_for(self, agent, ticket):
        known = refused(agent.get(f"/tickets/{ticket['id']}/", params={"include": "nothing"}), 400)
        names = known["error"]["details"]["message"].split("Known: ")[1].rstrip(".").split(", ")
        for client in (agent, agent.classic):
            assert set(names) <= set(shown(client, ticket, include=",".join(names)))
            row = client.get("/tickets/", params={"include": ",".join(names)}).json()["results"][0]
            assert set(names) <= set(row)

    def test_only_what_is_asked_for_is_added(self, agent, ticket):
        assert set(shown(agent, ticket, include="category")) - set(shown(agent, ticket)) == {"category"}


class TestErrors:
    """Name fields as the caller wrote them, also where the server only finds out behind the edge."""

    @pytest.mark.parametrize("spelling", ["assigned_to", "assigned_agent", "user_id"])
    def test_of_references_have_the_callers_name(self, agent, member, ticket, spelling):
        body = {spelling: member.user.id}
        found = refused(agent.post(f"/tickets/{ticket['id']}/assign/", json=body), 400)
        assert found["error"]["details"]["field"] == spelling
        found = refused(agent.classic.put(f"/tickets/{ticket['id']}/", json=body), 400)
        assert list(found["details"]) == [spelling]

    def test_of_what_is_missing_have_the_documents_name(self, agent, ticket):
        found = refused(agent.post(f"/tickets/{ticket['id']}/assign/", json={}), 400)
        assert found["error"]["details"]["field"] == "assigned_agent"
        found = refused(agent.classic.post(f"/tickets/{ticket['id']}/assign/", json={}), 400)
        assert list(found["details"]) == ["user_id"]

    @pytest.mark.parametrize(
        "body",
        [
            {"tags": [None]},
            {"tags": [True]},
            {"tags": [{"name": "x"}]},
            {"tags": "login"},
            {"tags": [""]},
            {"tags": ["x" * 51]},
            {"tags": [2**60]},
            {"category": 2**60},
            {"category": "Hardware"},
            {"customer": {"email": "a@example.com"}},
            {"attachments": [999]},
            {"due_date": "99999-01-01"},
            {"due_date": 5},
            {"description": 7},
            {"description": "x" * 100_001},
            {"subject": "x" * 256},
            {"subject": "nul\x00"},
            {"priority": None},
        ],
        ids=str,
    )
    def test_answer_whatever_is_sent(self, agent, ticket, body):
        for reply in (
            agent.post("/tickets/", json={"subject": "x", **body}),
            agent.patch(f"/tickets/{ticket['id']}/", json=body),
        ):
            (field,) = body
            assert refused(reply, 400)["error"]["details"]["field"].partition(".")[0] == field
