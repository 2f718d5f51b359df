"""Every list: pages, filters, search, order, links and counts."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.contract.documents import CONTRACT
from tests.contract.shapes import assert_shape
from tests.contract.steps import (
    change_ticket,
    column,
    comment_on,
    created,
    open_ticket,
    refused,
    rows,
    served,
    subjects,
)

LISTS = ["/tickets/", "/tickets/my_tickets/", "/users/", "/organizations/", "/categories/", "/tags/"]
LISTS += ["/tags/popular/", "/templates/", "/filters/"]


class TestPages:
    @pytest.mark.parametrize("path", LISTS)
    def test_every_list_is_paginated(self, owner, path):
        page = served(owner.get(path, params={"page": 1, "page_size": 5}))
        assert_shape(page, {"count": 0, "next": None, "previous": None, "results": []})

    def test_a_page_holds_twenty_unless_asked_otherwise(self, owner):
        make_tags(owner, 21)
        assert len(rows(owner, "/tags/")) == CONTRACT["pagination"]["default_page_size"]
        assert len(rows(owner, "/tags/", page_size=21)) == 21
        assert len(rows(owner, "/tags/", page=2)) == 1

    def test_more_than_a_hundred_are_served_as_a_hundred(self, owner):
        make_tags(owner, 101)
        page = served(owner.get("/tags/", params={"page_size": 1000}))
        assert (page["count"], len(page["results"])) == (101, CONTRACT["pagination"]["maximum_page_size"])

    @pytest.mark.parametrize("name", ["page", "page_size"])
    @pytest.mark.parametrize("value", ["0", "-1", "ten", "1.5", ""])
    def test_any_other_bad_number_is_refused(self, agent, name, value):
        refused(agent.get("/tickets/", params={name: value}), 400)

    def test_a_page_after_the_last_is_not_found(self, agent):
        open_ticket(agent)
        assert refused(agent.get("/tickets/", params={"page": 2}), 404)["error"]["message"] == "Invalid page."
        assert refused(agent.classic.get("/tickets/", params={"page": 2}), 404)["error"] == "Invalid page."

    def test_the_first_page_of_nothing_is_empty(self, agent):
        page = served(agent.get("/tickets/", params={"page": 1}))
        assert page == {"count": 0, "next": None, "previous": None, "results": []}

    def test_the_count_is_exact_for_filters_and_search(self, agent):
        for number in range(5):
            open_ticket(agent, f"Printer {number}", priority="low" if number < 3 else "high")
        assert served(agent.get("/tickets/", params={"priority": "low", "page_size": 1}))["count"] == 3
        assert served(agent.get("/tickets/", params={"search": "printer", "page_size": 1}))["count"] == 5


class TestLinks:
    def test_lead_through_the_whole_list_and_back(self, agent):
        for number in range(3):
            open_ticket(agent, f"Printer {number}")
        first = served(agent.get("/tickets/", params={"page_size": 2, "search": "printer"}))
        second = follow(agent, first["next"])
        found = [ticket["subject"] for ticket in first["results"] + second["results"]]
        assert found == ["Printer 2", "Printer 1", "Printer 0"]
        assert (first["previous"], second["next"]) == (None, None)
        assert follow(agent, second["previous"])["results"] == first["results"]

    def test_keep_all_other_parameters(self, agent):
        for _ in range(2):
            open_ticket(agent, priority="high")
        parameters = {"page_size": "1", "priority": "high", "status": "new,open", "ordering": "-created_at"}
        link = served(agent.get("/tickets/", params=parameters))["next"]
        asked = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
        assert asked == {**parameters, "page": "2"}

    def test_are_on_the_host_of_the_request_and_of_no_stranger(self, agent):
        for _ in range(2):
            open_ticket(agent)
        link = served(agent.get("/tickets/", params={"page_size": 1}))["next"]
        assert_shape(link, "http://api.example.com/api/v1/tickets/?page=2")
        assert urlsplit(link).path == "/api/v1/tickets/"
        reply = agent.get("/tickets/", params={"page_size": 1}, headers={"Host": "evil.example"})
        assert reply.status_code == 400
        assert "evil.example" not in reply.text


class TestEveryListSearchesAndOrders:
    @pytest.mark.parametrize("path", LISTS)
    def test_takes_search_and_ordering(self, owner, path):
        served(owner.get(path, params={"search": "login", "ordering": "-created_at"}))

    @pytest.mark.parametrize("path", LISTS)
    def test_refuses_an_order_by_an_unknown_field(self, owner, path):
        refused(owner.get(path, params={"ordering": "colour_of_the_sky"}), 400)


class TestOrder:
    def test_tickets_come_newest_first(self, agent, clock):
        for subject in ("first", "second", "third"):
            open_ticket(agent, subject)
            clock.advance(seconds=1)
        assert subjects(agent) == ["third", "second", "first"]
        assert subjects(agent, ordering="created_at") == ["first", "second", "third"]

    def test_tickets_of_the_same_second_keep_the_order_of_their_making(self, agent):
        made = [open_ticket(agent, f"{number}")["subject"] for number in range(5)]
        assert subjects(agent) == made[::-1]

    @pytest.mark.parametrize("path", ["/categories/", "/tags/"])
    def test_catalogues_come_by_name(self, owner, path):
        for name in ("Network", "Billing", "Access"):
            created(owner.post(path, json={"name": name}))
        assert column(owner, path, "name") == ["Access", "Billing", "Network"]
        assert column(owner, path, "name", ordering="-name") == ["Network", "Billing", "Access"]

    def test_templates_come_by_title(self, agent):
        for title in ("Welcome", "Closing"):
            created(agent.post("/templates/", json={"title": title, "content": "Hello"}))
        assert column(agent, "/templates/", "title") == ["Closing", "Welcome"]

    def test_priorities_have_a_rank(self, agent):
        for priority in ("medium", "urgent", "low", "high"):
            open_ticket(agent, priority, priority=priority)
        ranked = ["low", "medium", "high", "urgent"]
        assert subjects(agent, ordering="priority") == ranked
        assert subjects(agent.classic, ordering="-priority") == ranked[::-1]

    def test_tickets_without_a_due_date_come_last_both_ways(self, agent):
        open_ticket(agent, "never")
        open_ticket(agent, "late", due_date="2031-01-01T00:00:00Z")
        open_ticket(agent, "soon", due_date="2030-01-01T00:00:00Z")
        assert subjects(agent, ordering="due_date") == ["soon", "late", "never"]
        assert subjects(agent, ordering="-due_date") == ["late", "soon", "never"]

    def test_a_second_field_breaks_ties(self, agent):
        for subject, priority in (("b", "low"), ("a", "low"), ("c", "high")):
            open_ticket(agent, subject, priority=priority)
        assert subjects(agent, ordering="priority,subject") == ["a", "b", "c"]
        assert subjects(agent, ordering="-priority,subject") == ["c", "a", "b"]

    @pytest.mark.parametrize("field", ["ticket_number", "subject", "status", "updated_at"])
    def test_comprehensive_orders_by_its_own_fields_too(self, agent, field):
        for subject in ("a", "b"):
            open_ticket(agent, subject)
        assert sorted(subjects(agent, ordering=field)) == ["a", "b"]


class TestFilters:
    def test_several_values_mean_any_of_them(self, agent):
        for priority in ("low", "medium", "high"):
            open_ticket(agent, priority, priority=priority)
        assert sorted(subjects(agent, priority="low,high")) == ["high", "low"]
        assert sorted(subjects(agent, priority=["low", "high"])) == ["high", "low"]

    @pytest.mark.parametrize(("name", "value"), [("status", "opened"), ("priority", "extreme")])
    def test_a_value_outside_the_vocabulary_is_refused(self, agent, name, value):
        refused(agent.get("/tickets/", params={name: value}), 400)
        refused(agent.classic.get("/tickets/", params={name: value}), 400)

    @pytest.mark.parametrize("status", ["new", "open", "in_progress", "pending", "resolved", "closed"])
    def test_a_value_of_either_vocabulary_is_known(self, agent, status):
        assert subjects(agent, status=status) == subjects(agent.classic, status=status) == []

    @pytest.mark.parametrize("name", ["category", "assigned_to", "assigned_agent", "created_by", "customer"])
    def test_an_id_of_nobody_matches_nothing(self, agent, name):
        open_ticket(agent)
        assert subjects(agent, **{name: 999_999}) == []

    def test_tags_and_categories_are_filtered_by_id(self, owner):
        category = created(owner.post("/categories/", json={"name": "Hardware"}))
        open_ticket(owner, "both", category=category["id"], tags=["login"])
        open_ticket(owner, "neither")
        (tag,) = rows(owner, "/tags/")
        assert subjects(owner, category=category["id"]) == subjects(owner, tags=tag["id"]) == ["both"]

    def test_the_assignee_has_two_names(self, agent, technician):
        change_ticket(agent, open_ticket(agent, "hers"), assigned_to=technician.user.id)
        open_ticket(agent, "nobody's")
        for name in ("assigned_to", "assigned_agent"):
            for client in (agent, agent.classic):
                assert subjects(client, **{name: technician.user.id}) == ["hers"]

    def test_the_customer_is_not_the_creator(self, agent, member):
        open_ticket(agent, "for a customer", customer=member.user.id)
        assert subjects(agent, customer=member.user.id) == ["for a customer"]
        assert subjects(agent, created_by=agent.user.id) == ["for a customer"]
        assert subjects(agent, created_by=member.user.id) == []
        assert subjects(agent, customer=agent.user.id) == []

    @pytest.mark.parametrize("form", ["true", "TRUE", "1", "yes", "Yes"])
    def test_true_has_several_forms(self, owner, form):
        assert served(owner.get("/organizations/", params={"is_active": form}))["count"] == 1

    @pytest.mark.parametrize("form", ["false", "False", "0", "no", "NO"])
    def test_false_has_several_forms(self, owner, form):
        assert served(owner.get("/organizations/", params={"is_active": form}))["count"] == 0

    @pytest.mark.parametrize("form", ["maybe", "2", ""])
    def test_anything_else_is_neither(self, owner, form):
        refused(owner.get("/organizations/", params={"is_active": form}), 400)


class TestDates:
    @pytest.fixture
    def made(self, agent):
        return open_ticket(agent, "now")["created_at"]

    def test_both_bounds_are_inclusive(self, agent, made):
        assert subjects(agent, created_after=made) == ["now"]
        assert subjects(agent, created_before=made) == ["now"]

    def test_a_day_includes_all_of_itself(self, agent, made):
        day = made[:10]
        assert subjects(agent, created_after=day, created_before=day) == ["now"]

    def test_other_days_are_left_out(self, agent, made):
        assert subjects(agent, created_after="2999-01-01") == []
        assert subjects(agent, created_before="1999-12-31") == []

    def test_a_moment_may_name_its_zone(self, agent, made):
        assert subjects(agent, created_before="1999-12-31T23:59:59+02:00") == []
        assert subjects(agent, created_after="1999-12-31T23:59:59-02:00") == ["now"]

    @pytest.mark.parametrize("value", ["yesterday", "2024-13-01", "01/02/2024", ""])
    def test_what_is_no_date_is_refused(self, agent, value):
        refused(agent.get("/tickets/", params={"created_after": value}), 400)


class TestSearch:
    @pytest.fixture
    def ticket(self, agent):
        ticket = open_ticket(agent, "Printer on fire", description="Second floor, left")
        comment_on(agent, ticket, "Called the brigade")
        open_ticket(agent, "Unrelated")
        return ticket

    @pytest.mark.parametrize("words", ["printer", "FIRE", "print*", "floor", "fire printer", "printer left"])
    def test_every_word_occurs_somewhere_without_case(self, agent, ticket, words):
        assert subjects(agent, search=words) == subjects(agent.classic, search=words) == ["Printer on fire"]

    def test_a_word_that_does_not_occur_matches_nothing(self, agent, ticket):
        assert subjects(agent, search="printer water") == []

    def test_classic_looks_into_comments_and_comprehensive_does_not(self, agent, ticket):
        assert subjects(agent.classic, search="brigade") == ["Printer on fire"]
        assert subjects(agent, search="brigade") == []

    def test_comprehensive_looks_at_the_number_and_classic_does_not(self, agent, ticket):
        assert subjects(agent, search=ticket["ticket_number"].lower()) == ["Printer on fire"]
        assert subjects(agent.classic, search=ticket["ticket_number"]) == []

    @pytest.mark.parametrize("words", ["%", "_", "\\", "'", '"', "*", "(", "fire' OR '1'='1"])
    def test_signs_are_only_signs(self, agent, ticket, words):
        assert subjects(agent, search=words) == []

    def test_a_customer_finds_no_internal_comment(self, agent, member):
        ticket = open_ticket(member, "Slow")
        comment_on(agent, ticket, "The customer is a nuisance", is_internal=True)
        comment_on(agent, ticket, "We are looking into it")
        assert subjects(member.classic, search="nuisance") == []
        assert subjects(member.classic, search="looking") == ["Slow"]
        assert subjects(agent.classic, search="nuisance") == ["Slow"]

    def test_a_customer_finds_no_ticket_of_another(self, member, second_member):
        open_ticket(second_member, "Secret plans")
        assert subjects(member, search="secret") == subjects(member.classic, search="secret") == []
        page = served(member.get("/tickets/", params={"search": "secret"}))
        assert page["count"] == 0


def make_tags(client, number):
    """As many tags, by way of tickets that carry twenty each."""
    names = [f"tag-{index:03}" for index in range(number)]
    for start in range(0, number, 20):
        open_ticket(client, tags=names[start : start + 20])


def follow(client, link):
    parts = urlsplit(link)
    return served(client.get(f"{parts.path.removeprefix('/api/v1')}?{parts.query}"))
