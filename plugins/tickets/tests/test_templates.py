"""Response templates over HTTP."""

import pytest

HELLO = "Hello {customer_name}, about {issue}"


@pytest.fixture
def template(agent):
    return made(agent, is_public=True)


@pytest.fixture
def ticket(member):
    return member.post("/tickets/", json={"subject": "Printer on fire", "priority": "high"}).json()


def made(client, content=HELLO, **fields):
    reply = client.post("/templates/", json={"title": "Greeting", "content": content, **fields})
    assert reply.status_code == 201, reply.text
    return reply.json()


def titles(client, **parameters):
    return [row["title"] for row in client.get("/templates/", params=parameters).json()["results"]]


def use(client, template, **context):
    return client.post(f"/templates/{template['id']}/use_template/", json={"context": context})


class TestOutsiders:
    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
    def test_find_no_template(self, outsider, template, method):
        options = {} if method in {"get", "delete"} else {"json": {"title": "Mine"}}
        assert getattr(outsider, method)(f"/templates/{template['id']}/", **options).status_code == 404

    def test_use_and_apply_none(self, outsider, template):
        assert use(outsider, template, customer_name="a", issue="b").status_code == 404
        own = outsider.post("/tickets/", json={"subject": "Mine"}).json()
        body = {"template": template["id"], "context": {"issue": "x"}}
        assert outsider.post(f"/tickets/{own['id']}/apply-template/", json=body).status_code == 400

    def test_list_none(self, outsider, template):
        assert titles(outsider) == []
        assert outsider.get("/templates/categories/").json()["results"] == []


class TestPrivateOnes:
    @pytest.fixture
    def private(self, agent):
        return made(agent, is_public=False, category="secret")

    def test_are_hidden_even_from_administrators(self, owner, private):
        path = f"/templates/{private['id']}/"
        assert titles(owner) == []
        assert owner.get(path).status_code == 404
        assert owner.put(path, json={"title": "Mine"}).status_code == 404
        assert owner.delete(path).status_code == 404
        assert owner.get("/templates/categories/").json()["results"] == []

    def test_are_their_owners(self, agent, private):
        assert titles(agent) == ["Greeting"]
        assert agent.delete(f"/templates/{private['id']}/").status_code == 204


class TestPublicOnes:
    def test_are_read_by_staff_and_changed_by_owner_and_administrators(self, owner, agent, technician, template):
        path = f"/templates/{template['id']}/"
        assert technician.get(path).json() == template
        assert technician.patch(path, json={"title": "Mine"}).status_code == 403
        assert technician.delete(path).status_code == 403
        for client in (agent, owner):
            assert client.patch(path, json={"title": client.user.username}).json()["title"] == client.user.username

    def test_are_nothing_for_customers(self, member, template):
        assert member.get("/templates/").status_code == 403
        assert use(member, template).status_code == 403

    def test_show_their_owner_on_request(self, agent, template):
        shown = agent.get(f"/templates/{template['id']}/", params={"include": "owner,usage_count"}).json()
        assert shown == {**template, "owner": agent.user.id, "usage_count": 0}


class TestVariables:
    def test_of_a_changed_content_are_found_again(self, agent, template):
        changed = agent.patch(f"/templates/{template['id']}/", json={"content": "{b} {a}"}).json()
        assert changed["variables"] == ["b", "a"]

    def test_that_are_sent_must_cover_the_content(self, agent, template):
        path = f"/templates/{template['id']}/"
        assert agent.patch(path, json={"variables": ["issue"]}).status_code == 400
        assert agent.patch(path, json={"content": "{a}", "variables": ["b"]}).status_code == 400
        changed = agent.patch(path, json={"content": "{a}", "variables": ["b", "a"]}).json()
        assert changed["variables"] == ["b", "a"]

    @pytest.mark.parametrize("variables", [["a", "a"], ["a b"], [""], ["a\x00"], "customer_name", [1]])
    def test_are_distinct_words(self, agent, variables):
        reply = agent.post("/templates/", json={"title": "x", "content": "x", "variables": variables})
        assert reply.status_code == 400

    def test_saved_back_as_they_were_read_stay(self, agent, template):
        assert agent.put(f"/templates/{template['id']}/", json=template).json() == template


class TestUse:
    def test_names_every_variable_that_is_missing(self, agent, template):
        error = use(agent, template).json()["error"]
        assert error["code"] == "VALIDATION_ERROR"
        assert error["details"]["missing"] == ["customer_name", "issue"]

    def test_needs_no_value_for_what_the_content_does_not_use(self, agent):
        template = made(agent, "Hello", variables=["name"])
        assert use(agent, template).json()["processed_content"] == "Hello"

    def test_takes_numbers(self, agent):
        assert use(agent, made(agent, "{n} of {m}"), n=3, m=4.5).json()["processed_content"] == "3 of 4.5"

    @pytest.mark.parametrize("value", [None, [], {}])
    def test_takes_nothing_that_is_no_text(self, agent, value):
        assert use(agent, made(agent, "{n}"), n=value).status_code == 400

    def test_is_counted_and_sorts(self, agent, template):
        made(agent, title="Another")
        use(agent, template, customer_name="Ada", issue="login")
        assert titles(agent) == ["Another", "Greeting"]
        assert titles(agent, ordering="-usage_count") == ["Greeting", "Another"]

    def test_makes_no_text_without_end(self, agent):
        template = made(agent, "{x}" * 2_000)
        assert use(agent, template, x="y" * 1_000).status_code == 422


class TestPreview:
    def test_keeps_what_has_no_value(self, agent):
        reply = agent.post("/templates/preview/", json={"content": "{{x}} {a} {b}", "context": {"a": 1}})
        assert reply.status_code == 200
        assert reply.json() == {
            "processed_content": "{x} 1 {b}",
            "original_content": "{{x}} {a} {b}",
            "variables": ["a", "b"],
        }


def test_categories_in_use_are_listed_with_their_number(agent, technician):
    for category in ("greeting", "farewell", "greeting", ""):
        made(agent, category=category, is_public=True)
    made(technician, category="private")
    rows = agent.get("/templates/categories/").json()["results"]
    assert rows == [{"name": "farewell", "template_count": 1}, {"name": "greeting", "template_count": 2}]


class TestApplying:
    def apply(self, client, ticket, template, **fields):
        return client.post(f"/tickets/{ticket['id']}/apply-template/", json={"template": template["id"], **fields})

    def comments(self, client, ticket):
        return client.get(f"/tickets/{ticket['id']}/comments/").json()["results"]

    def test_makes_a_comment_with_what_the_ticket_knows(self, agent, member, ticket):
        names = "{customer_name}|{customer_email}|{ticket_number}|{subject}|{priority}|{agent_name}|{organization_name}"
        reply = self.apply(agent, ticket, made(agent, names))
        assert reply.status_code == 201, reply.text
        expected = "Member Example|member@acme.com|TKT-001|Printer on fire|high|Agent Example|Acme Corporation"
        assert reply.json()["content"] == expected
        assert [comment["content"] for comment in self.comments(member, ticket)] == [expected]

    def test_needs_the_rest_from_the_context(self, agent, ticket, template):
        reply = self.apply(agent, ticket, template)
        assert (reply.status_code, reply.json()["error"]["details"]["missing"]) == (422, ["issue"])
        reply = self.apply(agent, ticket, template, context={"issue": "fire", "customer_name": "Ada"})
        assert reply.json()["content"] == "Hello Ada, about fire"

    def test_counts_as_a_use(self, agent, ticket):
        template = made(agent, "Hello")
        self.apply(agent, ticket, template)
        shown = agent.get(f"/templates/{template['id']}/", params={"include": "usage_count"}).json()
        assert shown["usage_count"] == 1

    def test_may_be_internal(self, agent, member, ticket):
        assert self.apply(agent, ticket, made(agent, "Hello"), is_internal=True).json()["is_internal"] is True
        assert self.comments(member, ticket) == []

    def test_is_not_for_customers(self, member, ticket, template):
        assert self.apply(member, ticket, template).status_code == 403

    def test_needs_a_ticket_that_one_can_see(self, outsider, technician, ticket, template):
        assert self.apply(outsider, ticket, template).status_code == 404
        assert self.apply(technician, ticket, template).status_code == 404
