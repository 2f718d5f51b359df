"""Comments: who sees them, who changes them, and what they do to their ticket."""

import pytest

from tests.contract.steps import (
    UNKNOWN_UUID,
    change_status,
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
)


@pytest.fixture
def ticket(member):
    return open_ticket(member)


def contents(client, ticket, **parameters):
    return [row["content"] for row in rows(client, f"/tickets/{ticket['id']}/comments/", **parameters)]


class TestInternalComments:
    @pytest.fixture
    def discussed(self, agent, ticket):
        """A ticket with one comment for everybody and one for staff."""
        comment_on(agent, ticket, "Public")
        comment_on(agent, ticket, "Internal", is_internal=True)
        return ticket

    def test_are_listed_for_staff_only(self, agent, member, discussed):
        assert contents(agent, discussed) == ["Public", "Internal"]
        assert contents(member, discussed) == ["Public"]
        assert contents(member.classic, discussed) == ["Public"]

    def test_are_embedded_for_staff_only(self, agent, member, discussed):
        for client, expected in ((agent, ["Public", "Internal"]), (member, ["Public"])):
            (row,) = rows(client, "/tickets/")
            for shown in (row, show_ticket(client, discussed)):
                assert [comment["content"] for comment in shown["comments"]] == expected

    def test_are_counted_for_staff_only(self, agent, member, discussed):
        for client, expected in ((agent.classic, 2), (member.classic, 1)):
            (row,) = rows(client, "/tickets/")
            assert row["comment_count"] == show_ticket(client, discussed)["comment_count"] == expected
        assert served(member.get(f"/tickets/{discussed['id']}/comments/"))["count"] == 1

    def test_cannot_be_reached_by_customers(self, agent, member, ticket):
        comment = comment_on(agent, ticket, "Internal", is_internal=True)
        path = f"/tickets/{ticket['id']}/comments/{comment['id']}/"
        refused(member.put(path, json={"content": "Mine"}), 404)
        refused(member.delete(path), 404)

    def test_cannot_be_written_by_customers(self, member, ticket):
        path = f"/tickets/{ticket['id']}/comments/"
        refused(member.post(path, json={"content": "Psst", "is_internal": True}), 403)
        assert contents(member, ticket) == []

    def test_are_made_only_when_asked_for(self, agent, ticket):
        assert comment_on(agent, ticket)["is_internal"] is False


class TestLists:
    def test_come_oldest_first_and_in_pages(self, agent, ticket):
        for number in range(3):
            comment_on(agent, ticket, str(number))
        assert contents(agent, ticket) == ["0", "1", "2"]
        assert contents(agent, ticket, page_size=2, page=2) == ["2"]

    def test_embed_the_ten_newest_oldest_first(self, agent, ticket):
        for number in range(12):
            comment_on(agent, ticket, str(number))
        (row,) = rows(agent, "/tickets/")
        assert [comment["content"] for comment in row["comments"]] == [str(n) for n in range(2, 12)]
        shown = show_ticket(agent, ticket)
        assert [comment["content"] for comment in shown["comments"]] == [str(n) for n in range(12)]

    def test_take_either_identifier_of_the_ticket(self, agent, ticket):
        comment_on(agent, ticket, "Hello")
        for identifier in (ticket["id"], key_of(agent, ticket)):
            assert contents(agent, {"id": identifier}) == ["Hello"]
            assert contents(agent.classic, {"id": identifier}) == ["Hello"]

    def test_of_an_unknown_ticket_are_not_found(self, member, second_member, ticket):
        for identifier in (UNKNOWN_UUID, ticket["id"]):
            path = f"/tickets/{identifier}/comments/"
            refused(second_member.get(path), 404)
            refused(second_member.post(path, json={"content": "Hello"}), 404)


@pytest.mark.parametrize("dialect", ["classic", "comprehensive"])
class TestChanges:
    def test_are_the_authors(self, member, ticket, dialect):
        comment = comment_on(member, ticket, "Smoke")
        client = member.classic if dialect == "classic" else member
        path = f"/tickets/{ticket['id']}/comments/{comment['id']}/"
        assert served(client.put(path, json={"content": "Fire"}))["content"] == "Fire"
        assert served(client.patch(path, json={"content": "Ashes"}))["content"] == "Ashes"
        deleted(client.delete(path))
        assert contents(member, ticket) == []

    def test_are_an_administrators(self, owner, member, ticket, dialect):
        comment = comment_on(member, ticket, "Smoke")
        client = owner.classic if dialect == "classic" else owner
        path = f"/tickets/{ticket['id']}/comments/{comment['id']}/"
        changed = served(client.put(path, json={"content": "Fire"}))
        assert (changed["content"], changed["author"]["id"]) == ("Fire", member.user.id)
        deleted(client.delete(path))

    def test_are_nobody_elses(self, agent, member, ticket, dialect):
        comment = comment_on(agent, ticket, "Smoke")
        client = member.classic if dialect == "classic" else member
        path = f"/tickets/{ticket['id']}/comments/{comment['id']}/"
        refused(client.put(path, json={"content": "Fire"}), 403)
        refused(client.patch(path, json={"content": "Fire"}), 403)
        refused(client.delete(path), 403)
        assert contents(member, ticket) == ["Smoke"]

    def test_reach_no_comment_by_way_of_another_ticket(self, member, ticket, dialect):
        comment = comment_on(member, ticket, "Smoke")
        client = member.classic if dialect == "classic" else member
        path = f"/tickets/{open_ticket(member)['id']}/comments/{comment['id']}/"
        refused(client.put(path, json={"content": "Fire"}), 404)
        refused(client.delete(path), 404)

    def test_are_counted(self, member, ticket, dialect):
        client = member.classic if dialect == "classic" else member
        comment = comment_on(client, ticket)
        assert show_ticket(member.classic, ticket)["comment_count"] == 1
        deleted(client.delete(f"/tickets/{ticket['id']}/comments/{comment['id']}/"))
        assert show_ticket(member.classic, ticket)["comment_count"] == 0


class TestTheTicket:
    def test_resolved_is_reopened_by_its_customers_comment(self, agent, member):
        ticket = stored_as("resolved", member, agent)
        comment_on(member, ticket, "It burns again")
        assert show_ticket(agent, ticket)["status"] == "open"

    def test_resolved_is_not_reopened_by_an_agents_comment(self, agent, member):
        ticket = stored_as("resolved", member, agent)
        comment_on(agent, ticket)
        assert show_ticket(agent, ticket)["status"] == "resolved"

    def test_closed_takes_comments_and_stays_closed(self, agent, member):
        ticket = stored_as("closed", member, agent)
        comment_on(member, ticket)
        comment_on(agent, ticket)
        assert show_ticket(agent, ticket)["status"] == "closed"

    def test_resolved_again_can_be_reopened_again(self, agent, member):
        ticket = stored_as("resolved", member, agent)
        comment_on(member, ticket)
        change_status(agent, ticket, "resolved")
        comment_on(member, ticket)
        assert show_ticket(agent, ticket)["status"] == "open"


class TestContent:
    @pytest.mark.parametrize("content", ["", "  ", None])
    def test_is_needed(self, member, ticket, content):
        refused(member.post(f"/tickets/{ticket['id']}/comments/", json={"content": content}), 400)

    def test_is_kept_as_it_was_written(self, member, ticket):
        text = "Zeile 1\n\n  <b>not bold</b> {{ 7 * 7 }} 🔥 \t."
        assert comment_on(member, ticket, text)["content"] == text

    def test_has_the_caller_as_its_author(self, member, agent, ticket):
        reply = member.post(f"/tickets/{ticket['id']}/comments/", json={"content": "I", "author": agent.user.id})
        assert created(reply)["author"]["id"] == member.user.id
