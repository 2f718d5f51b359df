"""Categories, tags, response templates and saved filters."""

import pytest

from tests.contract.steps import (
    UNKNOWN_KEY,
    change_status,
    column,
    created,
    open_ticket,
    refused,
    rows,
    served,
    stored_as,
)

COLOURS = {"/categories/": "#007bff", "/tags/": "#6c757d"}


def new_template(client, content, **fields):
    return client.post("/templates/", json={"title": "Reply", "content": content, **fields})


def use(client, template, **context):
    return client.post(f"/templates/{template['id']}/use_template/", json={"context": context})


def new_filter(client, **parameters):
    return client.post("/filters/", json={"name": "Mine", "filter_params": parameters, "is_public": True})


def matches(client, saved, **parameters):
    """The subjects of the tickets that a saved filter selects for the client."""
    path = f"/filters/{saved['id']}/tickets/"
    return sorted(row.get("subject", row.get("title")) for row in rows(client, path, **parameters))


@pytest.mark.parametrize("path", list(COLOURS))
class TestCategoriesAndTags:
    def test_have_a_colour_and_an_empty_description_unless_given(self, owner, path):
        made = created(owner.post(path, json={"name": "Network"}))
        assert (made["color"], made["description"]) == (COLOURS[path], "")

    @pytest.mark.parametrize("color", ["blue", "#12345", "#1234567", "#12345g", "007bff"])
    def test_have_no_other_form_of_colour(self, owner, path, color):
        refused(owner.post(path, json={"name": "Network", "color": color}), 400)

    def test_need_a_name(self, owner, path):
        refused(owner.post(path, json={"color": "#007bff"}), 400)
        refused(owner.post(path, json={"name": "  "}), 400)

    def test_have_names_that_are_taken_once_in_any_case(self, owner, path):
        created(owner.post(path, json={"name": "Network"}))
        for client in (owner, owner.classic):
            refused(client.post(path, json={"name": "NETWORK"}), 409)

    def test_that_are_wrong_and_taken_are_wrong_first(self, owner, path):
        created(owner.post(path, json={"name": "Network"}))
        refused(owner.post(path, json={"name": "Network", "color": "blue"}), 400)

    def test_belong_to_one_organization(self, owner, outsider, path):
        created(owner.post(path, json={"name": "Network"}))
        assert rows(outsider, path) == []
        created(outsider.post(path, json={"name": "Network"}))


class TestTags:
    def test_may_be_called_like_a_priority(self, agent):
        ticket = open_ticket(agent, tags=["urgent"], priority="low")
        assert (ticket["tags"], ticket["priority"]) == (["urgent"], "low")

    def test_are_popular_by_the_number_of_their_tickets(self, agent):
        for tags in (["rare", "common"], ["common"], ["common", "usual"], ["usual"]):
            open_ticket(agent, tags=tags)
        popular = rows(agent, "/tags/popular/")
        expected = [("common", 3), ("usual", 2), ("rare", 1)]
        assert [(tag["name"], tag["usage_count"]) for tag in popular] == expected
        assert column(agent, "/tags/popular/", "name", limit=2) == ["common", "usual"]

    def test_are_ten_when_popular_unless_limited(self, agent):
        open_ticket(agent, tags=[f"tag-{number}" for number in range(12)])
        assert len(rows(agent, "/tags/popular/")) == 10


class TestTemplates:
    def test_find_their_variables_in_order_of_appearance(self, agent):
        made = created(new_template(agent, "{zone}: hello {name}, again {name}, from {agent}"))
        assert made["variables"] == ["zone", "name", "agent"]

    def test_declare_every_placeholder_or_none(self, agent):
        refused(new_template(agent, "Hello {name}", variables=["issue"]), 400)
        refused(new_template(agent, "Hello {name}", variables=[]), 400)

    def test_may_declare_more_than_they_use(self, agent):
        made = created(new_template(agent, "Hello {name}", variables=["name", "issue"]))
        assert made["variables"] == ["name", "issue"]

    def test_refuse_a_context_that_lacks_a_variable_and_name_it(self, agent):
        template = created(new_template(agent, "Hello {name}, about {issue}"))
        found = refused(use(agent, template, name="Ada"), 422)
        assert found["error"]["code"] == "VALIDATION_ERROR"
        assert "issue" in str(found["error"])

    def test_ignore_what_the_context_has_too_much(self, agent):
        template = created(new_template(agent, "Hello {name}"))
        used = served(use(agent, template, name="Ada", issue="login"))
        assert used["processed_content"] == "Hello Ada"

    def test_keep_doubled_braces_as_braces(self, agent):
        template = created(new_template(agent, "{{literal}} {name}"))
        assert template["variables"] == ["name"]
        assert served(use(agent, template, name="Ada"))["processed_content"] == "{literal} Ada"

    def test_fill_in_once_and_never_what_was_filled_in(self, agent):
        template = created(new_template(agent, "{first} {second}"))
        used = served(use(agent, template, first="{second}", second="{{x}}"))
        assert used["processed_content"] == "{second} {{x}}"

    @pytest.mark.parametrize("content", ["{name.__class__}", "{name[0]}", "{name!r}", "{name:>9}", "{0}", "{}"])
    def test_know_no_expressions(self, agent, content):
        reply = new_template(agent, content)
        if reply.status_code == 201:
            template = reply.json()
            context = dict.fromkeys(template["variables"], "x")
            assert served(use(agent, template, **context))["processed_content"] in {content, "x"}
        else:
            refused(reply, 400)

    def test_change_nothing_when_used(self, agent, member):
        ticket = open_ticket(member)
        template = created(new_template(agent, "Hello"))
        served(use(agent, template))
        assert rows(agent, f"/tickets/{ticket['id']}/comments/") == []

    def test_are_filtered_by_their_free_category(self, agent):
        for category in ("greeting", "farewell"):
            created(new_template(agent, category, category=category))
        assert column(agent, "/templates/", "content", category="greeting") == ["greeting"]

    def test_are_their_owners_unless_public(self, owner, agent):
        private = created(new_template(owner, "Private", is_public=False))
        created(new_template(owner, "Public", is_public=True))
        assert column(agent, "/templates/", "content") == ["Public"]
        refused(use(agent, private), 404)

    def test_are_nothing_for_customers(self, agent, member):
        public = created(new_template(agent, "Public", is_public=True))
        reply = member.get("/templates/")
        assert reply.status_code == 403 or served(reply)["count"] == 0
        assert use(member, public).status_code in {403, 404}

    def test_that_do_not_exist_are_not_found(self, agent):
        refused(use(agent, {"id": UNKNOWN_KEY}), 404)


class TestSavedFilters:
    def test_keep_their_parameters_as_they_were_sent(self, agent):
        parameters = {"status": "open,new", "priority": "high", "search": "printer"}
        saved = created(new_filter(agent, **parameters))
        assert saved["filter_params"] == parameters
        assert rows(agent, "/filters/") == [saved]

    def test_know_only_parameters_of_the_ticket_list(self, agent):
        refused(new_filter(agent, colour="blue"), 400)
        refused(new_filter(agent, status="opened"), 400)

    def test_have_a_second_path(self, agent):
        created(agent.post("/saved-filters/", json={"name": "Mine", "filter_params": {"status": "open"}}))
        assert rows(agent, "/saved-filters/") == rows(agent, "/filters/")

    def test_mean_what_their_author_meant(self, agent, owner, member):
        """CLASSIC's open tickets include new ones, COMPREHENSIVE's include those in progress."""
        for state in ("new", "open", "in_progress"):
            stored_as(state, member, agent)
        classic = created(new_filter(agent.classic, status="open"))
        comprehensive = created(new_filter(agent, status="open"))
        for client in (agent, agent.classic, owner, owner.classic):
            assert matches(client, classic) == ["new", "open"]
            assert matches(client, comprehensive) == ["in_progress", "open"]

    def test_are_narrowed_by_further_parameters(self, agent):
        for priority in ("low", "high"):
            open_ticket(agent, priority, priority=priority)
        saved = created(new_filter(agent, status="new"))
        assert matches(agent, saved) == ["high", "low"]
        assert matches(agent, saved, priority="low") == ["low"]

    def test_select_what_is_there_when_they_are_used(self, agent):
        saved = created(new_filter(agent, status="resolved"))
        ticket = open_ticket(agent, "later")
        assert matches(agent, saved) == []
        change_status(agent, ticket, "resolved")
        assert matches(agent, saved) == ["later"]

    def test_are_their_owners_unless_public(self, owner, agent):
        private = {"name": "Private", "filter_params": {}, "is_public": False}
        saved = created(owner.post("/filters/", json=private))
        assert rows(agent, "/filters/") == []
        refused(agent.get(f"/filters/{saved['id']}/tickets/"), 404)
