"""Saved filters over HTTP."""

import pytest

from helpdesk_tickets.models import SavedFilter


@pytest.fixture
def saved(agent):
    return made(agent, {"status": "new"}, is_public=True)


def made(client, parameters, **fields):
    reply = client.post("/filters/", json={"name": "Mine", "filter_params": parameters, **fields})
    assert reply.status_code == 201, reply.text
    return reply.json()


def open_ticket(client, subject, **fields):
    reply = client.post("/tickets/", json={"subject": subject, **fields})
    assert reply.status_code == 201, reply.text
    return reply.json()


def found(client, saved, **parameters):
    reply = client.get(f"/filters/{saved['id']}/tickets/", params=parameters)
    assert reply.status_code == 200, reply.text
    return [row.get("subject", row.get("title")) for row in reply.json()["results"]]


class TestOutsiders:
    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
    def test_find_no_filter(self, outsider, saved, method):
        options = {} if method in {"get", "delete"} else {"json": {"name": "Mine"}}
        assert getattr(outsider, method)(f"/filters/{saved['id']}/", **options).status_code == 404

    @pytest.mark.parametrize("path", ["/filters/{}/tickets/", "/filters/{}/count/", "/tickets/?filter={}"])
    def test_use_none(self, outsider, saved, path):
        assert outsider.get(path.format(saved["id"])).status_code == 404


class TestSharing:
    def test_staff_sees_public_ones_and_changes_none(self, owner, technician, saved):
        path = f"/filters/{saved['id']}/"
        for client in (owner, technician):
            assert client.get(path).json() == saved
            assert client.patch(path, json={"name": "Mine"}).status_code == 403
            assert client.delete(path).status_code == 403

    def test_private_ones_are_nothing_for_others(self, owner, agent):
        private = made(agent, {})
        for path in ("/filters/{}/", "/filters/{}/tickets/", "/filters/{}/count/", "/tickets/?filter={}"):
            assert owner.get(path.format(private["id"])).status_code == 404

    def test_customers_keep_their_own_and_see_no_others(self, member, saved):
        own = made(member, {"status": "new"})
        assert [row["id"] for row in member.get("/filters/").json()["results"]] == [own["id"]]
        assert member.get(f"/filters/{saved['id']}/").status_code == 404

    def test_customers_share_none(self, member):
        body = {"name": "Mine", "filter_params": {}, "is_public": True}
        assert member.post("/filters/", json=body).status_code == 403
        own = made(member, {})
        assert member.patch(f"/filters/{own['id']}/", json={"is_public": True}).status_code == 403

    def test_a_shared_filter_shows_only_what_one_may_see(self, agent, technician, member, saved):
        open_ticket(member, "hers")
        assert (found(agent, saved), found(technician, saved)) == (["hers"], [])


class TestParameters:
    @pytest.mark.parametrize(
        "parameters",
        [
            {"status": ["new", "open"], "priority": "high,low"},
            {"category": 1, "assigned_to": [1, 2]},
            {"tags": "1,2", "search": "50% off", "ordering": "-priority"},
            {"created_after": "2026-01-01", "created_before": "2026-12-31T00:00:00+02:00"},
            {"status": None, "page_size": 5},
        ],
    )
    def test_come_back_as_they_were_sent(self, agent, parameters):
        saved = made(agent, parameters)
        assert saved["filter_params"] == parameters
        assert list(saved["filter_params"]) == list(parameters)
        found(agent, saved)

    @pytest.mark.parametrize(
        ("parameters", "field"),
        [
            ({"colour": "blue"}, "filter_params.colour"),
            ({"status": "opened"}, "filter_params.status"),
            ({"status": ["new", {}]}, "filter_params.status"),
            ({"category": {"id": 1}}, "filter_params.category"),
            ({"page": 2}, "filter_params.page"),
            ({"filter": 1}, "filter_params.filter"),
            ({"assigned_to": 1, "assigned_agent": 2}, "filter_params.assigned_agent"),
            ([], "filter_params"),
            (None, "filter_params"),
        ],
    )
    def test_must_be_those_of_the_list(self, agent, parameters, field):
        reply = agent.post("/filters/", json={"name": "Mine", "filter_params": parameters})
        assert reply.status_code == 400
        assert reply.json()["error"]["details"]["field"].startswith(field)

    def test_of_a_change_are_meant_as_its_author_speaks(self, agent, member):
        open_ticket(member, "fresh")
        saved = made(agent, {"status": "open"})
        assert found(agent, saved) == []
        path = f"/filters/{saved['id']}/"
        assert agent.classic.patch(path, json={"name": "Same"}).json()["filter_params"] == {"status": "open"}
        assert found(agent, saved) == []
        agent.classic.patch(path, json={"filter_params": {"status": ["open"]}})
        assert found(agent, saved) == found(agent.classic, saved) == ["fresh"]
        shown = agent.get(path, params={"include": "dialect,owner"}).json()
        assert (shown["dialect"], shown["owner"]) == ("classic", agent.user.id)


class TestNarrowing:
    def test_by_the_same_parameter_finds_what_both_allow(self, agent):
        for priority in ("low", "medium", "high"):
            open_ticket(agent, priority, priority=priority)
        saved = made(agent, {"priority": "low,medium"})
        assert found(agent, saved, priority="medium,high") == ["medium"]
        assert found(agent, saved, priority="high") == []

    def test_by_tags_finds_what_has_both(self, agent):
        open_ticket(agent, "both", tags=["a", "b"])
        open_ticket(agent, "one", tags=["a"])
        tags = {row["name"]: row["id"] for row in agent.get("/tags/").json()["results"]}
        saved = made(agent, {"tags": tags["a"]})
        assert found(agent, saved) == ["one", "both"]
        assert found(agent, saved, tags=tags["b"]) == ["both"]

    def test_by_words_finds_what_has_all(self, agent):
        for subject in ("printer on fire", "printer out of ink", "house on fire"):
            open_ticket(agent, subject)
        saved = made(agent, {"search": "printer"})
        assert found(agent, saved, search="fire") == ["printer on fire"]

    def test_keeps_the_sorting_of_the_filter_unless_asked_otherwise(self, agent):
        for subject in ("b", "a", "c"):
            open_ticket(agent, subject)
        saved = made(agent, {"ordering": "subject", "page_size": 2})
        assert found(agent, saved) == ["a", "b"]
        assert found(agent, saved, ordering="-subject", page_size=3) == ["c", "b", "a"]

    def test_has_links_and_an_exact_count(self, agent):
        for number in range(3):
            open_ticket(agent, f"{number}")
        saved = made(agent, {"status": "new"})
        page = agent.get(f"/filters/{saved['id']}/tickets/", params={"page_size": 2}).json()
        assert (page["count"], page["next"].endswith(f"/filters/{saved['id']}/tickets/?page_size=2&page=2")) == (
            3,
            True,
        )

    def test_by_a_second_filter_is_refused(self, agent, saved):
        reply = agent.get(f"/filters/{saved['id']}/tickets/", params={"filter": saved["id"]})
        assert reply.status_code == 400


class TestOtherWays:
    def test_the_list_of_tickets_takes_a_filter(self, agent):
        for priority in ("low", "high"):
            open_ticket(agent, priority, priority=priority)
        saved = made(agent, {"priority": "low"})
        rows = agent.get("/tickets/", params={"filter": saved["id"]}).json()["results"]
        assert [row["subject"] for row in rows] == ["low"]
        assert agent.get("/tickets/", params={"filter": saved["id"], "priority": "high"}).json()["count"] == 0

    def test_a_search_looks_where_its_author_looks(self, agent):
        """CLASSIC searches comments, COMPREHENSIVE does not."""
        ticket = open_ticket(agent, "Fire")
        agent.post(f"/tickets/{ticket['id']}/comments/", json={"content": "Called the brigade"})
        classic, comprehensive = made(agent.classic, {"search": "brigade"}), made(agent, {"search": "brigade"})
        for client in (agent, agent.classic):
            assert found(client, classic) == ["Fire"]
            assert found(client, comprehensive) == []
        counts = [agent.get(f"/filters/{saved['id']}/count/").json()["count"] for saved in (classic, comprehensive)]
        assert counts == [1, 0]

    def test_counting_needs_no_rows(self, agent, saved):
        for number in range(3):
            open_ticket(agent, f"{number}")
        assert agent.get(f"/filters/{saved['id']}/count/").json() == {"count": 3}

    def test_the_second_name_serves_every_path(self, agent, saved):
        path = f"/saved-filters/{saved['id']}/"
        assert agent.get(path).json() == saved
        assert agent.get(f"{path}tickets/").status_code == agent.get(f"{path}count/").status_code == 200
        assert agent.patch(path, json={"name": "Changed"}).json()["name"] == "Changed"
        assert agent.delete(path).status_code == 204


def test_a_filter_that_the_list_no_longer_understands_says_so(installation, agent, saved):
    with installation.session(agent.organization_id) as session:
        session.get_one(SavedFilter, saved["id"]).filter_params = {"mood": "bad"}
        session.commit()
    reply = agent.get(f"/filters/{saved['id']}/tickets/")
    assert (reply.status_code, reply.json()["error"]["code"]) == (422, "FILTER_OUTDATED")
    assert agent.get(f"/filters/{saved['id']}/").status_code == 200
