"""Comments over HTTP: what they do to their ticket, its counts and its search."""

import pytest


def commented(client, ticket, content="Have you tried water?", **fields):
    reply = client.post(f"/tickets/{ticket['id']}/comments/", json={"content": content, **fields})
    assert reply.status_code == 201, reply.text
    return reply.json()


def shown(client, ticket, **parameters):
    return client.get(f"/tickets/{ticket['id']}/", params=parameters).json()


def moved(client, ticket, status):
    reply = client.post(f"/tickets/{ticket['id']}/change_status/", json={"status": status})
    assert reply.status_code == 200, reply.text


def found(client, words):
    return client.get("/tickets/", params={"search": words}).json()["count"]


class TestOutsiders:
    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
    def test_reach_no_comment(self, outsider, second_member, member, ticket, method):
        comment = commented(member, ticket)
        options = {"json": {"content": "Mine"}} if method in {"put", "patch"} else {}
        for client in (outsider, second_member):
            path = f"/tickets/{ticket['id']}/comments/{comment['id']}/"
            assert getattr(client, method)(path, **options).status_code == 404


class TestReading:
    def test_one_comment_is_what_the_list_shows(self, member, ticket):
        comment = commented(member, ticket)
        path = f"/tickets/{ticket['id']}/comments/"
        assert member.get(f"{path}{comment['id']}/").json() == member.get(path).json()["results"][0] == comment

    def test_internal_ones_are_not_there_for_customers(self, agent, member, ticket):
        comment = commented(agent, ticket, is_internal=True)
        path = f"/tickets/{ticket['id']}/comments/{comment['id']}/"
        assert agent.get(path).status_code == 200
        assert member.get(path).status_code == 404

    def test_lists_search_and_sort(self, agent, ticket):
        for content in ("alpha 100%", "beta 50", "gamma"):
            commented(agent, ticket, content)
        path = f"/tickets/{ticket['id']}/comments/"

        def contents(**parameters):
            return [row["content"] for row in agent.get(path, params=parameters).json()["results"]]

        assert contents(ordering="-created_at") == ["gamma", "beta 50", "alpha 100%"]
        assert contents(search="BETA") == ["beta 50"]
        assert contents(search="%") == ["alpha 100%"]
        assert contents(search="  ") == contents()


class TestTheTicket:
    def test_remembers_the_first_answer_of_staff(self, agent, member, ticket, clock):
        commented(member, ticket)
        commented(agent, ticket, is_internal=True)
        assert shown(agent, ticket, include="first_response_at")["first_response_at"] is None
        clock.advance(minutes=5)
        commented(agent, ticket)
        clock.advance(minutes=5)
        commented(agent, ticket)
        assert shown(agent, ticket, include="first_response_at")["first_response_at"] == "2026-03-02T10:05:00Z"

    def test_stops_waiting_when_its_customer_answers(self, agent, member, ticket):
        moved(agent, ticket, "pending")
        commented(agent, ticket)
        assert shown(agent, ticket)["status"] == "pending"
        commented(member, ticket)
        assert shown(agent, ticket)["status"] == "open"

    def test_is_touched(self, member, ticket, clock):
        clock.advance(minutes=1)
        commented(member, ticket)
        assert shown(member, ticket)["updated_at"] == "2026-03-02T10:01:00Z"


class TestChanges:
    def test_move_a_comment_between_the_counts(self, agent, member, ticket):
        comment = commented(agent, ticket)
        path = f"/tickets/{ticket['id']}/comments/{comment['id']}/"
        assert agent.patch(path, json={"is_internal": True}).json()["is_internal"] is True
        counts = [shown(client.classic, ticket)["comment_count"] for client in (agent, member)]
        assert counts == [1, 0]
        agent.patch(path, json={"is_internal": False})
        assert shown(member.classic, ticket)["comment_count"] == 1

    def test_into_internal_ones_are_for_staff(self, member, ticket):
        comment = commented(member, ticket)
        path = f"/tickets/{ticket['id']}/comments/{comment['id']}/"
        assert member.patch(path, json={"is_internal": True}).status_code == 403
        assert member.patch(path, json={"is_internal": False}).status_code == 200

    def test_are_found_and_what_they_replace_is_not(self, agent, member, ticket):
        comment = commented(agent, ticket, "wombat")
        path = f"/tickets/{ticket['id']}/comments/{comment['id']}/"
        agent.patch(path, json={"content": "numbat"})
        assert (found(agent.classic, "wombat"), found(agent.classic, "numbat")) == (0, 1)
        agent.patch(path, json={"is_internal": True})
        assert (found(agent.classic, "numbat"), found(member.classic, "numbat")) == (1, 0)
        agent.delete(path)
        assert found(agent.classic, "numbat") == 0

    def test_keep_the_time_of_the_edit(self, member, ticket, clock):
        comment = commented(member, ticket)
        clock.advance(minutes=1)
        path = f"/tickets/{ticket['id']}/comments/{comment['id']}/"
        edited = member.classic.patch(path, json={"content": "Fire"}).json()
        assert (edited["created_at"], edited["updated_at"]) == ("2026-03-02T10:00:00Z", "2026-03-02T10:01:00Z")

    def test_take_back_what_was_read(self, member, ticket):
        comment = commented(member, ticket)
        path = f"/tickets/{ticket['id']}/comments/{comment['id']}/"
        for client in (member, member.classic):
            before = client.get(path).json()
            assert client.put(path, json=before).json() == before
