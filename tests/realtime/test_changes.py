"""The change feed: a client that follows it has what the API shows."""

from typing import Any

import pytest

from helpdesk_core.resources import Resources
from helpdesk_core.testing import Client, Installation


def follow(client: Client, cursor: str | None = None, **parameters: Any) -> tuple[list[dict[str, Any]], str]:
    """Return everything after a cursor, and where that ends."""
    items: list[dict[str, Any]] = []
    more = True
    while more:
        given = {**parameters, **({"cursor": cursor} if cursor is not None else {})}
        reply = client.get("/changes/", params=given)
        assert reply.status_code == 200, reply.text
        page = reply.json()
        items += page["results"]
        cursor, more = page["next_cursor"], page["has_more"]
    assert cursor is not None
    return items, cursor


def now(client: Client) -> str:
    reply = client.get("/changes/?cursor=now")
    assert reply.json()["results"] == []
    return str(reply.json()["next_cursor"])


def made(client: Client, path: str = "/tickets/", **body: Any) -> dict[str, Any]:
    reply = client.post(path, json={"subject": "Printer", **body} if path == "/tickets/" else body)
    assert reply.status_code == 201, reply.text
    return dict(reply.json())


def told(items: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(item["type"], item["object"]) for item in items]


class TestWhoSeesWhat:
    def test_an_outsider_hears_of_nothing(self, agent: Client, outsider: Client) -> None:
        cursor = now(outsider)
        made(agent)
        assert follow(outsider, cursor)[0] == []
        assert not [item for item in follow(outsider)[0] if item["object"] == "ticket"]

    def test_a_ticket_is_shown_as_its_own_endpoint_shows_it(self, agent: Client) -> None:
        cursor = now(agent)
        ticket = made(agent)
        (item,) = follow(agent, cursor)[0]
        assert item["data"] == agent.get(f"/tickets/{ticket['id']}/").json()
        assert item["about"] == {"ticket": item["key"]}
        assert item["type"] == "ticket.created"

    def test_a_client_of_the_other_document_reads_its_words(self, agent: Client) -> None:
        cursor = now(agent)
        made(agent)
        (item,) = follow(agent.classic, cursor)[0]
        assert item["data"]["title"] == "Printer"
        assert item["data"]["id"] == item["key"]

    def test_a_customer_hears_of_their_own_tickets_alone(self, member: Client, second_member: Client) -> None:
        cursor = now(member)
        made(member)
        assert told(follow(member, cursor)[0]) == [("ticket.created", "ticket")]
        assert follow(second_member, cursor)[0] == []

    def test_who_loses_a_ticket_is_told_that_it_is_gone(
        self, agent: Client, member: Client, second_member: Client
    ) -> None:
        ticket = made(member)
        cursor = now(agent)
        agent.patch(f"/tickets/{ticket['id']}/", json={"customer": second_member.user.id, "subject": "Theirs"})
        mine = [item for item in follow(member, cursor)[0] if item["data"] is None]
        assert mine == []  # who opened a ticket still sees it
        ticket = made(agent, customer=member.user.id)
        cursor = now(agent)
        agent.patch(f"/tickets/{ticket['id']}/", json={"customer": second_member.user.id})
        (lost,) = follow(member, cursor)[0]
        assert (lost["type"], lost["data"]) == ("ticket.updated", None)
        assert follow(second_member, cursor)[0][0]["data"]["id"] == ticket["id"]

    def test_what_is_deleted_is_gone_for_all_who_could_see_it(
        self, agent: Client, member: Client, second_member: Client
    ) -> None:
        ticket = made(member)
        cursor = now(agent)
        agent.delete(f"/tickets/{ticket['id']}/")
        for witness in (agent, member):
            items = follow(witness, cursor)[0]
            assert [(item["type"], item["data"]) for item in items] == [("ticket.deleted", None)]
        assert follow(second_member, cursor)[0] == []

    def test_what_is_restored_comes_back(self, owner: Client, member: Client) -> None:
        ticket = made(member)
        owner.delete(f"/tickets/{ticket['id']}/")
        cursor = now(member)
        assert owner.post(f"/tickets/{ticket['id']}/restore/").status_code == 200
        assert follow(member, cursor)[0][0]["data"]["id"] == ticket["id"]

    def test_an_internal_comment_is_unknown_to_the_customer(self, agent: Client, member: Client) -> None:
        ticket = made(member)
        cursor = now(agent)
        comments = f"/tickets/{ticket['id']}/comments/"
        key = made(agent, comments, content="He never reads it", is_internal=True)["id"]
        agent.patch(f"{comments}{key}/", json={"content": "He still does not"})
        agent.delete(f"{comments}{key}/")
        staff, customer = follow(agent, cursor)[0], follow(member, cursor)[0]
        assert ("comment.deleted", "comment") in told(staff)
        assert {kind for kind, _ in told(customer)} <= {"ticket.updated", "ticket.status_changed"}
        assert not [item for item in customer if item["object"] == "comment" or "comment" in item["about"]]
        assert "never reads" not in str(customer)

    def test_a_comment_that_becomes_internal_is_gone_for_the_customer(self, agent: Client, member: Client) -> None:
        ticket = made(member)
        comments = f"/tickets/{ticket['id']}/comments/"
        key = made(agent, comments, content="Oops")["id"]
        cursor = now(agent)
        agent.patch(f"{comments}{key}/", json={"is_internal": True})
        gone = [item for item in follow(member, cursor)[0] if item["object"] == "comment"]
        assert [(item["key"], item["data"]) for item in gone] == [(key, None)]
        agent.patch(f"{comments}{key}/", json={"is_internal": False})
        back = [item for item in follow(member, cursor)[0] if item["object"] == "comment"]
        assert back[-1]["data"]["content"] == "Oops"

    def test_a_plugin_that_is_off_tells_nothing(self, installation: Installation, owner: Client, agent: Client) -> None:
        manifests = [plugin.manifest for plugin in installation.parts.host.active if plugin.manifest]
        needing = [manifest.id for manifest in manifests if "tickets" in manifest.requires]
        cursor = now(agent)
        made(agent)
        plugins = f"/organizations/{owner.organization_id}/plugins/"
        for each in (*needing, "tickets"):
            assert owner.post(f"{plugins}{each}/disable/").status_code == 200
        assert not [item for item in follow(agent, cursor)[0] if item["object"] == "ticket"]

    def test_people_are_followed_by_those_who_see_them(self, owner: Client, agent: Client, member: Client) -> None:
        cursor = now(agent)
        owner.patch(f"/users/{member.user.id}/", json={"first_name": "Renamed"})
        assert told(follow(agent, cursor)[0]) == [("user.updated", "user")]
        assert told(follow(member, cursor)[0]) == [("user.updated", "user")]
        assert follow(agent, cursor)[0][0]["data"]["full_name"].startswith("Renamed")


class TestEveryChangeIsTold:
    @pytest.fixture
    def ticket(self, agent: Client) -> dict[str, Any]:
        category = made(agent, "/categories/", name="Hardware")
        return made(agent, tags=["paper"], category=category["id"])

    def tag(self, agent: Client, name: str) -> int:
        rows = agent.get("/tags/").json()["results"]
        return int(next(row["id"] for row in rows if row["name"] == name))

    def test_deleting_a_tag_updates_its_tickets(self, agent: Client, ticket: dict[str, Any]) -> None:
        cursor = now(agent)
        agent.delete(f"/tags/{self.tag(agent, 'paper')}/")
        items = follow(agent, cursor)[0]
        assert told(items) == [("ticket.updated", "ticket"), ("tag.deleted", "tag")]
        assert items[0]["data"]["tags"] == []

    def test_merging_tags_updates_tickets_and_the_tag_that_stays(self, agent: Client, ticket: dict[str, Any]) -> None:
        other = made(agent, "/tags/", name="toner")
        cursor = now(agent)
        assert agent.post(f"/tags/{self.tag(agent, 'paper')}/merge/", json={"into": other["id"]}).status_code == 200
        items = follow(agent, cursor)[0]
        assert told(items) == [("ticket.updated", "ticket"), ("tag.updated", "tag"), ("tag.merged", "tag")]
        assert items[0]["data"]["tags"] == ["toner"]
        assert items[2]["data"] is None

    def test_deleting_a_category_updates_its_tickets(self, agent: Client, ticket: dict[str, Any]) -> None:
        key = agent.get("/categories/").json()["results"][0]["id"]
        cursor = now(agent)
        assert agent.delete(f"/categories/{key}/").status_code == 204
        items = follow(agent, cursor)[0]
        assert told(items) == [("ticket.updated", "ticket"), ("category.deleted", "category")]
        assert items[0]["data"]["id"] == ticket["id"]

    def test_a_file_is_told_when_it_comes_to_a_ticket(self, agent: Client, ticket: dict[str, Any]) -> None:
        cursor = now(agent)
        file = agent.post("/attachments/", files={"file": ("a.txt", b"text", "text/plain")}).json()
        agent.patch(f"/tickets/{ticket['id']}/", json={"attachments": [file["id"]]})
        items = follow(agent, cursor)[0]
        assert ("attachment.moved", "attachment") in told(items)
        ticket_items = [item for item in items if item["object"] == "ticket"]
        assert ticket_items[-1]["data"]["attachments"][0]["id"] == file["id"]

    def test_a_comment_touches_its_ticket_as_well(self, agent: Client, ticket: dict[str, Any]) -> None:
        cursor = now(agent)
        comment = made(agent, f"/tickets/{ticket['id']}/comments/", content="Done")
        items = follow(agent, cursor, types="comment.created")[0]
        assert [item["object"] for item in items] == ["comment", "ticket"]
        assert items[0]["data"] == comment
        assert items[0]["about"] == {"comment": comment["id"], "ticket": items[1]["key"]}
        assert items[1]["data"]["comments"][0]["content"] == "Done"


class TestCursor:
    def test_an_answer_that_was_lost_is_given_again(self, agent: Client) -> None:
        cursor = now(agent)
        made(agent)
        assert follow(agent, cursor) == follow(agent, cursor)

    def test_pages_leave_nothing_out(self, agent: Client) -> None:
        cursor = now(agent)
        keys = [made(agent)["id"] for _ in range(5)]
        assert [item["data"]["id"] for item in follow(agent, cursor, page_size=2)[0]] == keys

    @pytest.mark.parametrize("cursor", ["yesterday", "1", "0-", "-1-2", "0-99999999999999999999", "0-1-2", ""])
    def test_a_malformed_one_is_refused_by_name(self, agent: Client, cursor: str) -> None:
        reply = agent.get("/changes/", params={"cursor": cursor})
        assert reply.status_code == 400
        assert reply.json()["error"]["details"]["field"] == "cursor"

    def test_one_that_is_too_old_is_gone(self, installation: Installation, agent: Client) -> None:
        first = now(agent)
        made(agent)
        installation.run_jobs()
        last = now(agent)
        days = installation.parts.settings.event_days
        installation.clock.advance(days=days + 1)
        installation.run_schedules()
        reply = agent.get("/changes/", params={"cursor": first})
        assert reply.status_code == 410
        assert reply.json()["error"]["code"] == "CURSOR_EXPIRED"
        documented = agent.raw("GET", "/api/openapi.json").json()["paths"]["/api/v1/changes/"]["get"]["responses"]
        assert "410" in documented
        assert agent.get("/changes/", params={"cursor": last}).status_code == 200
        assert agent.get("/changes/").status_code == 200

    def test_of_another_organisation_shows_nothing_of_it(self, agent: Client, outsider: Client) -> None:
        cursor = now(agent)
        made(agent)
        assert follow(outsider, cursor)[0] == []


class TestTypes:
    def test_narrow_what_is_told(self, agent: Client) -> None:
        cursor = now(agent)
        ticket = made(agent)
        made(agent, f"/tickets/{ticket['id']}/comments/", content="Hello")
        assert told(follow(agent, cursor, types="comment")[0]) == [("comment.created", "comment")]
        assert told(follow(agent, cursor, types="ticket_created")[0]) == [("ticket.created", "ticket")]

    def test_unknown_ones_are_refused_with_the_nearest(self, agent: Client) -> None:
        reply = agent.get("/changes/?types=tickets")
        assert reply.status_code == 400
        assert "Did you mean ticket?" in reply.text


def test_a_page_runs_the_same_number_of_statements_whatever_its_size(installation: Installation, agent: Client) -> None:
    cursor = now(agent)
    for _ in range(6):
        ticket = made(agent)
        made(agent, f"/tickets/{ticket['id']}/comments/", content="Hello")
    counts = []
    for size in (6, 6, 24):
        with installation.statements() as seen:
            agent.get("/changes/", params={"cursor": cursor, "page_size": size})
        counts.append(len(seen))
    assert counts[1] == counts[2]
    assert counts[2] <= 16


def test_presented_to_outside_systems_nothing_is_internal(installation: Installation, agent: Client) -> None:
    ticket = made(agent)
    comments = f"/tickets/{ticket['id']}/comments/"
    public, internal = made(agent, comments, content="Hello"), made(agent, comments, content="Hush", is_internal=True)
    key = follow(agent)[0][-1]["about"]["ticket"]
    resources = installation.parts.services.get(Resources)
    with installation.session(agent.organization_id) as session:
        shown = resources.present(session, "ticket", key)
        assert shown is not None
        assert [comment["content"] for comment in shown["comments"]] == ["Hello"]
        assert resources.present(session, "comment", public["id"]) == public
        assert resources.present(session, "comment", internal["id"]) is None
        assert resources.present(session, "ticket", 987_654) is None


def test_the_catalogue_describes_every_event(agent: Client) -> None:
    events = {each["type"]: each for each in agent.get("/meta/events/").json()}
    comment = events["comment.created"]
    assert comment["about"] == ["comment", "ticket"]
    assert comment["payload"]["properties"]["is_internal"]["type"] == "boolean"
    assert set(comment["sample"]) == set(comment["payload"]["properties"])
