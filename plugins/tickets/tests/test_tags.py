"""Tags over HTTP."""

import pytest


@pytest.fixture
def tag(agent):
    return made(agent, "login")


def made(client, name, **fields):
    reply = client.post("/tags/", json={"name": name, **fields})
    assert reply.status_code == 201, reply.text
    return reply.json()


def open_ticket(client, *tags):
    reply = client.post("/tickets/", json={"subject": "Down", "tags": list(tags)})
    assert reply.status_code == 201, reply.text
    return reply.json()


def tags_of(client, ticket):
    return client.get(f"/tickets/{ticket['id']}/").json()["tags"]


def uses(client):
    return {row["name"]: row["usage_count"] for row in client.get("/tags/popular/").json()["results"]}


class TestOutsiders:
    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
    def test_find_no_tag(self, outsider, tag, method):
        options = {} if method in {"get", "delete"} else {"json": {"name": "mine"}}
        assert getattr(outsider, method)(f"/tags/{tag['id']}/", **options).status_code == 404

    def test_merge_into_none(self, outsider, tag):
        own = made(outsider, "login")
        assert outsider.post(f"/tags/{own['id']}/merge/", json={"into": tag["id"]}).status_code == 400
        assert outsider.post(f"/tags/{tag['id']}/merge/", json={"into": own["id"]}).status_code == 404

    def test_see_none_popular(self, outsider, agent):
        open_ticket(agent, "login")
        assert uses(outsider) == {}


class TestRoles:
    def test_customers_see_tags_and_create_none(self, member, tag):
        assert member.get(f"/tags/{tag['id']}/").json() == tag
        assert member.post("/tags/", json={"name": "mine"}).status_code == 403

    def test_technicians_create_tags_and_change_none(self, technician, tag):
        made(technician, "network")
        assert technician.put(f"/tags/{tag['id']}/", json={"name": "mine"}).status_code == 403
        assert technician.delete(f"/tags/{tag['id']}/").status_code == 403
        assert technician.post(f"/tags/{tag['id']}/merge/", json={"into": tag["id"]}).status_code == 403


class TestPopular:
    def test_tags_are_shown_ten_at_most_whatever_the_page(self, agent):
        open_ticket(agent, *(f"tag-{number}" for number in range(12)))
        first = agent.get("/tags/popular/", params={"page_size": 6}).json()
        second = agent.get("/tags/popular/", params={"page_size": 6, "page": 2}).json()
        assert (first["count"], len(first["results"]), len(second["results"])) == (10, 6, 4)
        assert first["next"].endswith("page=2")
        assert second["next"] is None
        assert agent.get("/tags/popular/", params={"page_size": 6, "page": 3}).status_code == 404

    @pytest.mark.parametrize("limit", [0, -1, 101, "ten"])
    def test_tags_have_a_sensible_limit(self, agent, limit):
        assert agent.get("/tags/popular/", params={"limit": limit}).status_code == 400

    def test_tags_are_used(self, agent, tag):
        assert uses(agent) == {}

    def test_tags_follow_their_tickets(self, agent):
        ticket = open_ticket(agent, "login", "network")
        agent.patch(f"/tickets/{ticket['id']}/", json={"tags": ["network"]})
        assert uses(agent) == {"network": 1}


class TestChanges:
    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_show_on_tickets(self, agent, tag, method):
        ticket = open_ticket(agent, "login")
        changed = getattr(agent, method)(f"/tags/{tag['id']}/", json={"name": "sign-in"}).json()
        assert changed == {**tag, "name": "sign-in"}
        assert tags_of(agent, ticket) == ["sign-in"]

    def test_to_a_name_that_is_taken_conflict(self, agent, tag):
        other = made(agent, "network")
        assert agent.patch(f"/tags/{other['id']}/", json={"name": "LOGIN"}).status_code == 409

    def test_names_have_at_most_fifty_characters(self, agent):
        assert agent.post("/tags/", json={"name": "x" * 51}).status_code == 400
        made(agent, "x" * 50)


class TestDeletion:
    def test_takes_the_tag_off_its_tickets(self, agent, tag):
        ticket = open_ticket(agent, "login", "network")
        assert agent.delete(f"/tags/{tag['id']}/").status_code == 204
        assert tags_of(agent, ticket) == ["network"]
        assert agent.get(f"/tags/{tag['id']}/").status_code == 404


class TestMerging:
    @pytest.fixture
    def other(self, agent):
        return made(agent, "sign-in")

    def merge(self, client, tag, other):
        return client.post(f"/tags/{tag['id']}/merge/", json={"into": other["id"]})

    def test_gives_tickets_the_other_tag(self, agent, tag, other):
        tickets = [open_ticket(agent, *names) for names in (["login"], ["sign-in"], ["login", "sign-in"], ["x"])]
        reply = self.merge(agent, tag, other)
        assert (reply.status_code, reply.json()["name"]) == (200, "sign-in")
        assert [tags_of(agent, ticket) for ticket in tickets] == [["sign-in"], ["sign-in"], ["sign-in"], ["x"]]
        assert agent.get(f"/tags/{tag['id']}/").status_code == 404

    def test_counts_every_ticket_once(self, agent, tag, other):
        for names in (["login"], ["sign-in"], ["login", "sign-in"]):
            open_ticket(agent, *names)
        gone = open_ticket(agent, "login", "sign-in")
        agent.delete(f"/tickets/{gone['id']}/")
        self.merge(agent, tag, other)
        assert uses(agent) == {"sign-in": 3}
        assert agent.get("/tickets/", params={"tags": other["id"]}).json()["count"] == 3

    def test_needs_another_tag(self, agent, tag):
        assert self.merge(agent, tag, tag).status_code == 400
        assert self.merge(agent, tag, {"id": 999_999}).status_code == 400

    def test_is_told(self, installation, agent, tag, other):
        self.merge(agent, tag, other)
        told = {"tag_id": tag["id"], "into_id": other["id"], "name": "sign-in"}
        assert installation.events()[-1] == ("tag.merged", told)


def test_uses_are_shown_on_request(agent):
    open_ticket(agent, "login")
    (tag,) = agent.get("/tags/", params={"include": "usage_count"}).json()["results"]
    assert tag["usage_count"] == 1
