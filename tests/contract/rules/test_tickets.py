"""Tickets: the six stored states in two vocabularies, their fields, their people, their numbers."""

import pytest

from tests.contract.steps import (
    UNKNOWN_KEY,
    UNKNOWN_UUID,
    assign,
    change_status,
    change_ticket,
    comment_on,
    created,
    deleted,
    key_of,
    open_ticket,
    refused,
    rows,
    served,
    show_ticket,
    stored_as,
    subjects,
)

STATES = ["new", "open", "in_progress", "pending", "resolved", "closed"]
SHOWN = {
    "classic": dict(zip(STATES, ["open", "open", "in_progress", "in_progress", "resolved", "closed"], strict=True)),
    "comprehensive": dict(zip(STATES, ["new", "open", "open", "pending", "resolved", "closed"], strict=True)),
}
MATCHES = {
    "classic": {"open": ["new", "open"], "in_progress": ["in_progress", "pending"]},
    "comprehensive": {"open": ["in_progress", "open"], "in_progress": ["in_progress"]},
}
DIALECTS = list(SHOWN)


def speaking(dialect, person):
    return person.classic if dialect == "classic" else person


@pytest.mark.parametrize("dialect", DIALECTS)
class TestStates:
    @pytest.mark.parametrize("state", STATES)
    def test_are_shown_in_the_vocabulary_of_the_dialect(self, member, agent, dialect, state):
        ticket = stored_as(state, member, agent)
        assert show_ticket(speaking(dialect, agent), ticket)["status"] == SHOWN[dialect][state]

    def test_are_filtered_in_the_vocabulary_of_the_dialect(self, member, agent, dialect):
        for state in STATES:
            stored_as(state, member, agent)
        for value in STATES:
            expected = MATCHES[dialect].get(value, [value])
            assert sorted(subjects(speaking(dialect, agent), status=value)) == expected, value

    @pytest.mark.parametrize("state", STATES)
    def test_stay_when_what_is_shown_is_written_back(self, member, agent, dialect, state):
        ticket = stored_as(state, member, agent)
        client = speaking(dialect, agent)
        before = {each: show_ticket(speaking(each, agent), ticket)["status"] for each in DIALECTS}
        change_ticket(client, ticket, status=SHOWN[dialect][state])
        assert {each: show_ticket(speaking(each, agent), ticket)["status"] for each in DIALECTS} == before

    @pytest.mark.parametrize("state", ["in_progress", "pending", "resolved", "closed"])
    def test_of_the_other_vocabulary_are_understood(self, member, agent, dialect, state):
        ticket = open_ticket(member)
        changed = change_status(speaking(dialect, agent), ticket, state)
        assert changed["status"] == SHOWN[dialect][state]


class TestStatusChanges:
    def test_an_unknown_status_is_refused(self, agent):
        path = f"/tickets/{open_ticket(agent)['id']}/"
        refused(agent.put(path, json={"status": "done"}), 400)
        refused(agent.post(f"{path}change_status/", json={"status": "done"}), 400)

    def test_the_first_assignment_opens_a_new_ticket(self, agent, member):
        assert assign(agent, open_ticket(member), agent)["status"] == "open"

    def test_the_first_comment_of_an_agent_opens_a_new_ticket(self, agent, member):
        ticket = open_ticket(member)
        comment_on(member, ticket)
        assert show_ticket(agent, ticket)["status"] == "new"
        comment_on(agent, ticket)
        assert show_ticket(agent, ticket)["status"] == "open"

    @pytest.mark.parametrize("status", ["resolved", "pending", "in_progress", "new"])
    def test_a_closed_ticket_moves_to_nothing_but_open(self, agent, member, status):
        ticket = stored_as("closed", member, agent)
        path = f"/tickets/{ticket['id']}/"
        refused(agent.post(f"{path}change_status/", json={"status": status}), 422)
        refused(agent.put(path, json={"status": status}), 422)
        assert show_ticket(agent, ticket)["status"] == "closed"

    def test_an_agent_reopens_a_closed_ticket(self, agent, member):
        ticket = stored_as("closed", member, agent)
        assert change_status(agent, ticket, "open")["status"] == "open"

    def test_a_customer_does_not_reopen_a_closed_ticket(self, agent, member):
        ticket = stored_as("closed", member, agent)
        reply = member.post(f"/tickets/{ticket['id']}/change_status/", json={"status": "open"})
        assert reply.status_code in {403, 422}
        assert show_ticket(member, ticket)["status"] == "closed"

    def test_a_resolution_is_kept_with_a_final_status(self, agent, member):
        ticket = open_ticket(member)
        change_status(agent, ticket, "resolved", resolution="Put it out")
        assert show_ticket(agent.classic, ticket)["resolution"] == "Put it out"
        assert show_ticket(agent, ticket, include="resolution")["resolution"] == "Put it out"

    def test_a_resolution_with_another_status_is_ignored(self, agent, member):
        ticket = open_ticket(member)
        change_status(agent, ticket, "in_progress", resolution="Not yet")
        assert not show_ticket(agent.classic, ticket)["resolution"]

    def test_no_resolution_is_needed(self, agent, member):
        assert change_status(agent, open_ticket(member), "resolved")["status"] == "resolved"

    def test_displays_are_titles_of_the_status_shown(self, agent, member):
        shown = show_ticket(agent.classic, stored_as("pending", member, agent, priority="urgent"))
        assert (shown["status_display"], shown["priority_display"]) == ("In Progress", "Urgent")


class TestUpdates:
    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_fields_left_out_keep_their_values(self, agent, method):
        ticket = open_ticket(agent, description="Hot", priority="high", tags=["fire"])
        path = f"/tickets/{ticket['id']}/"
        changed = served(getattr(agent, method)(path, json={"subject": "Smoke"}))
        assert {**changed, "updated_at": None} == {**ticket, "subject": "Smoke", "updated_at": None}

    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_null_clears(self, agent, method):
        ticket = assign(agent, open_ticket(agent, due_date="2030-01-01T00:00:00Z"), agent)
        path = f"/tickets/{ticket['id']}/"
        served(getattr(agent.classic, method)(path, json={"due_date": None, "assigned_to": None}))
        shown = show_ticket(agent.classic, ticket)
        assert (shown["due_date"], shown["assigned_to"]) == (None, None)

    def test_null_does_not_clear_what_every_ticket_has(self, agent):
        path = f"/tickets/{open_ticket(agent)['id']}/"
        for field in ("subject", "priority", "status"):
            refused(agent.put(path, json={field: None}), 400)

    def test_tags_that_are_sent_replace(self, agent):
        ticket = open_ticket(agent, tags=["fire", "smoke"])
        assert change_ticket(agent, ticket, tags=["water"])["tags"] == ["water"]
        assert change_ticket(agent, ticket, tags=[])["tags"] == []


class TestCreation:
    @pytest.mark.parametrize("subject", ["", "   ", None])
    def test_needs_a_subject_with_text(self, member, subject):
        refused(member.post("/tickets/", json={"subject": subject}), 400)

    def test_fills_in_the_rest(self, member):
        ticket = open_ticket(member)
        assert (ticket["description"], ticket["priority"], ticket["status"]) == ("", "medium", "new")
        assert (ticket["tags"], ticket["attachments"], ticket["comments"]) == ([], [], [])

    @pytest.mark.parametrize(
        ("sent", "shown"),
        [
            ("2024-01-20T17:00:00+02:00", "2024-01-20T15:00:00Z"),
            ("2024-01-20T17:00:00", "2024-01-20T17:00:00Z"),
            ("2024-01-20T17:00:00.9Z", "2024-01-20T17:00:00Z"),
        ],
    )
    def test_times_are_kept_in_utc_and_may_be_past(self, member, sent, shown):
        assert show_ticket(member.classic, open_ticket(member, due_date=sent))["due_date"] == shown

    def test_either_dialect_files_a_ticket_under_a_category(self, owner, member):
        category = created(owner.post("/categories/", json={"name": "Hardware"}))
        ticket = open_ticket(member, category=category["id"])
        shown = show_ticket(member.classic, ticket)["category"]
        assert shown == {name: category[name] for name in ("id", "name", "color")}

    def test_an_unknown_category_is_refused(self, member):
        refused(member.post("/tickets/", json={"subject": "Smoke", "category": UNKNOWN_KEY}), 400)


class TestTags:
    def test_come_as_ids_as_names_or_mixed(self, owner):
        tag = created(owner.post("/tags/", json={"name": "fire", "color": "#ff0000"}))
        for tags in (["fire", "smoke"], [tag["id"], "smoke"]):
            assert sorted(open_ticket(owner, tags=tags)["tags"]) == ["fire", "smoke"]
        ids = sorted(row["id"] for row in rows(owner, "/tags/"))
        assert sorted(open_ticket(owner, tags=ids)["tags"]) == ["fire", "smoke"]

    def test_are_names_in_one_dialect_and_objects_in_the_other(self, owner):
        tag = created(owner.post("/tags/", json={"name": "fire", "color": "#ff0000"}))
        ticket = open_ticket(owner, tags=["fire"])
        assert show_ticket(owner.classic, ticket)["tags"] == [{"id": tag["id"], "name": "fire", "color": "#ff0000"}]

    def test_of_an_unknown_name_are_created_grey(self, agent):
        open_ticket(agent, tags=["novelty"])
        (tag,) = rows(agent, "/tags/")
        assert (tag["name"], tag["color"]) == ("novelty", "#6c757d")

    def test_of_an_unknown_id_are_refused(self, agent):
        refused(agent.post("/tickets/", json={"subject": "Smoke", "tags": [UNKNOWN_KEY]}), 400)

    def test_are_the_same_in_any_case(self, agent):
        open_ticket(agent, tags=["Fire"])
        open_ticket(agent, tags=["fire", "FIRE"])
        assert len(rows(agent, "/tags/")) == 1


class TestPeople:
    def test_only_staff_of_the_organization_is_assigned(self, agent, technician, owner, member, outsider):
        path = f"/tickets/{open_ticket(member)['id']}/assign/"
        for person in (agent, technician, owner):
            served(agent.post(path, json={"user_id": person.user.id}))
        for person in (member, outsider):
            refused(agent.post(path, json={"user_id": person.user.id}), 400)

    def test_null_unassigns(self, agent, member):
        ticket = assign(agent, open_ticket(member), agent)
        reply = agent.post(f"/tickets/{ticket['id']}/assign/", json={"user_id": None})
        assert served(reply)["assigned_agent"] is None

    def test_a_customer_assigns_nobody(self, member, agent):
        body = {"subject": "Smoke", "assigned_agent": agent.user.id}
        refused(member.post("/tickets/", json=body), 403)
        created(member.post("/tickets/", json={**body, "assigned_agent": None}))
        path = f"/tickets/{open_ticket(member)['id']}/assign/"
        refused(member.post(path, json={"user_id": agent.user.id}), 403)

    def test_an_agent_names_the_customer_by_id_or_address(self, agent, member):
        for customer in (member.user.id, member.user.email):
            ticket = open_ticket(agent, customer=customer)
            assert ticket["customer"]["id"] == member.user.id
            assert show_ticket(agent.classic, ticket)["created_by"]["id"] == agent.user.id
            show_ticket(member, ticket)

    def test_the_customer_is_the_caller_unless_named(self, agent, member):
        assert open_ticket(agent)["customer"]["id"] == agent.user.id
        assert open_ticket(member)["customer"]["id"] == member.user.id

    def test_a_customer_names_no_other(self, member, second_member):
        body = {"subject": "Smoke", "customer": second_member.user.id}
        refused(member.post("/tickets/", json=body), 403)
        created(member.post("/tickets/", json={**body, "customer": member.user.id}))

    def test_my_tickets_are_those_i_made_have_or_work_on(self, agent, member, second_member):
        open_ticket(agent, "made", customer=member.user.id)
        assign(agent, open_ticket(member, "work on"), agent)
        open_ticket(second_member, "another's")
        assert mine(agent) == ["made", "work on"]
        assert mine(member) == ["made", "work on"]
        assert mine(agent, role="assigned") == ["work on"]
        assert mine(agent, role="created") == ["made"]
        assert mine(agent, search="work") == ["work on"]


class TestNumbers:
    def test_count_up_in_each_organization(self, member, outsider):
        assert [open_ticket(member)["ticket_number"] for _ in range(2)] == ["TKT-001", "TKT-002"]
        assert open_ticket(outsider)["ticket_number"] == "TKT-001"

    def test_are_never_used_again(self, agent):
        deleted(agent.delete(f"/tickets/{open_ticket(agent)['id']}/"))
        assert open_ticket(agent)["ticket_number"] == "TKT-002"


class TestDeletion:
    def test_takes_a_ticket_out_of_sight(self, agent, member):
        ticket = open_ticket(member)
        deleted(agent.classic.delete(f"/tickets/{key_of(agent, ticket)}/"))
        for client in (agent, member):
            refused(client.get(f"/tickets/{ticket['id']}/"), 404)
            assert subjects(client) == []
        assert served(agent.get("/tickets/statistics/"))["total_tickets"] == 0

    def test_is_not_for_customers(self, member):
        refused(member.delete(f"/tickets/{open_ticket(member)['id']}/"), 403)


class TestWhatTheCallerCannotSee:
    """Answers exactly like what does not exist."""

    @pytest.mark.parametrize("stranger", ["second_member", "outsider"])
    @pytest.mark.parametrize("call", ["get", "put", "patch"])
    def test_a_strangers_ticket(self, request, member, stranger, call):
        client = request.getfixturevalue(stranger)
        body = {"json": {"subject": "Mine now"}} if call != "get" else {}
        answers = [
            refused(getattr(client, call)(f"/tickets/{identifier}/", **body), 404)
            for identifier in (open_ticket(member)["id"], UNKNOWN_UUID)
        ]
        assert without_request(answers[0]) == without_request(answers[1])

    def test_a_strangers_ticket_is_not_deleted(self, member, outsider):
        ticket = open_ticket(member)
        for identifier in (ticket["id"], UNKNOWN_UUID):
            refused(outsider.delete(f"/tickets/{identifier}/"), 404)
        show_ticket(member, ticket)

    @pytest.mark.parametrize("action", ["assign/", "change_status/", "comments/"])
    def test_an_action_on_a_ticket_of_another_organization(self, member, outsider, action):
        body = {"user_id": outsider.user.id, "status": "closed", "content": "Hello"}
        field = {"assign/": "user_id", "change_status/": "status", "comments/": "content"}[action]
        for identifier in (open_ticket(member)["id"], UNKNOWN_UUID):
            refused(outsider.post(f"/tickets/{identifier}/{action}", json={field: body[field]}), 404)

    def test_lists_show_customers_their_own_and_agents_all(self, member, second_member, agent, outsider):
        open_ticket(member, "hers")
        open_ticket(second_member, "his")
        assert (subjects(member), subjects(second_member)) == (["hers"], ["his"])
        assert sorted(subjects(agent)) == ["hers", "his"]
        assert subjects(outsider) == []


class TestAge:
    @pytest.mark.parametrize(
        ("passed", "age"),
        [
            ({"seconds": 10}, "just now"),
            ({"seconds": 300}, "5 minutes ago"),
            ({"hours": 2}, "2 hours ago"),
            ({"hours": 1}, "1 hour ago"),
            ({"days": 3}, "3 days ago"),
        ],
    )
    def test_is_told_in_the_largest_unit(self, member, clock, passed, age):
        ticket = open_ticket(member)
        clock.advance(**passed)
        assert show_ticket(member.classic, ticket)["time_since_created"] == age


def mine(client, **parameters):
    return sorted(row["subject"] for row in rows(client, "/tickets/my_tickets/", **parameters))


def without_request(body):
    return {**body["error"], "timestamp": None, "request_id": None}
