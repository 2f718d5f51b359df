"""What goes over the socket, to whom, and what clients may send."""

from typing import Any

import pytest

from helpdesk_core.testing import Client, Installation
from helpdesk_core.web.realtime.inbox import Inbox
from tests.realtime.conftest import Connect, Socket, ready


def opened(client: Client, subject: str = "Printer", **body: Any) -> dict[str, Any]:
    reply = client.post("/tickets/", json={"subject": subject, **body})
    assert reply.status_code == 201, reply.text
    return dict(reply.json())


class TestWhatIsTold:
    def test_nothing_of_another_organisation(self, connect: Connect, agent: Client, outsider: Client) -> None:
        socket = ready(connect(outsider))
        opened(agent)
        mine = opened(outsider)
        assert socket.next()["data"]["id"] == mine["id"]

    def test_a_ticket_as_the_api_shows_it(self, connect: Connect, agent: Client) -> None:
        socket = ready(connect(agent))
        ticket = opened(agent)
        frame = socket.next()
        assert frame["type"] == "ticket.created"
        assert frame["object"] == "ticket"
        assert frame["data"] == agent.get(f"/tickets/{ticket['id']}/").json()

    def test_in_the_words_of_the_token(self, connect: Connect, agent: Client) -> None:
        socket = ready(connect(agent.classic))
        opened(agent)
        assert socket.next()["data"]["title"] == "Printer"

    def test_what_is_gone_by_its_id(self, connect: Connect, agent: Client) -> None:
        comprehensive, classic = ready(connect(agent)), ready(connect(agent.classic))
        ticket = opened(agent)
        key = comprehensive.next()["key"]
        classic.next()
        agent.delete(f"/tickets/{ticket['id']}/")
        gone = comprehensive.next()
        assert (gone["type"], gone["data"]) == ("ticket.deleted", {"id": ticket["id"]})
        assert classic.next()["data"] == {"id": key}

    def test_customers_hear_of_their_own_alone(
        self, connect: Connect, agent: Client, member: Client, second_member: Client
    ) -> None:
        mine, other = ready(connect(member)), ready(connect(second_member))
        ticket = opened(member)
        assert mine.next()["data"]["id"] == ticket["id"]
        agent.delete(f"/tickets/{ticket['id']}/")
        assert mine.next()["type"] == "ticket.deleted"
        assert other.until_pong() == []

    def test_an_internal_comment_is_an_update_for_customers(
        self, connect: Connect, agent: Client, member: Client
    ) -> None:
        ticket = opened(member)
        socket = ready(connect(member))
        agent.post(f"/tickets/{ticket['id']}/comments/", json={"content": "Hush", "is_internal": True})
        opened(member, "Last")
        frames = []
        while not frames or frames[-1]["type"] != "ticket.created":
            frames.append(socket.next())
        assert "comment.created" not in [frame["type"] for frame in frames]
        assert not [frame for frame in frames if "comment" in frame["about"]]
        assert "Hush" not in str(frames)

    def test_the_same_as_the_feed(self, connect: Connect, agent: Client, member: Client) -> None:
        cursor = agent.get("/changes/?cursor=now").json()["next_cursor"]
        cursors = dict.fromkeys((agent, member), cursor)
        sockets = {client: ready(connect(client)) for client in (agent, member)}

        def compare() -> None:
            """At each step: both show things as they are, which is not as they were."""
            for client, socket in sockets.items():
                feed = client.get("/changes/", params={"cursor": cursors[client]}).json()
                cursors[client] = feed["next_cursor"]
                assert feed["results"]
                first = {item["id"]: (item["type"], item["object"], item["key"]) for item in reversed(feed["results"])}
                heard: dict[str, Any] = {}
                while list(heard)[-1:] != [feed["results"][-1]["id"]]:
                    frame = socket.next()
                    heard[frame["id"]] = (frame["type"], frame["object"], frame["key"])
                assert heard == {key: first[key] for key in sorted(first, key=lambda text: int(text.split("-")[1]))}

        ticket = opened(member)
        compare()
        comments = f"/tickets/{ticket['id']}/comments/"
        for internal in (True, False):
            key = agent.post(comments, json={"content": "Hello", "is_internal": internal}).json()["id"]
            compare()
            agent.patch(f"{comments}{key}/", json={"is_internal": not internal})
            compare()
            agent.delete(f"{comments}{key}/")
            compare()
        agent.delete(f"/tickets/{ticket['id']}/")
        compare()


class TestTopics:
    def test_narrow_what_is_told(self, connect: Connect, agent: Client) -> None:
        socket = ready(connect(agent))
        ticket = opened(agent)
        key = socket.next()["key"]
        assert socket.ask("subscribe", topics=[f"ticket:{key}"])["data"] == {"topics": [f"ticket:{key}"]}
        opened(agent, "Another")
        agent.post(f"/tickets/{ticket['id']}/comments/", json={"content": "Hello"})
        assert socket.next()["about"]["ticket"] == key

    def test_by_type_in_either_spelling(self, connect: Connect, agent: Client) -> None:
        socket = ready(connect(agent))
        assert socket.ask("subscribe", topics=["comment_created"])["data"]["topics"] == ["comment.created"]
        ticket = opened(agent)
        agent.post(f"/tickets/{ticket['id']}/comments/", json={"content": "Hello"})
        assert socket.next()["type"] == "comment.created"

    def test_end_with_unsubscribing(self, connect: Connect, agent: Client) -> None:
        socket = ready(connect(agent))
        socket.ask("subscribe", topics=["ticket", "tag"])
        assert socket.ask("unsubscribe", topics=["ticket"])["data"]["topics"] == ["tag"]
        opened(agent, tags=["paper"])
        assert socket.next()["type"] == "tag.created"

    @pytest.mark.parametrize("topics", [["tickets"], ["ticket:x"], ["nothing.happened"]])
    def test_unknown_ones_are_named(self, connect: Connect, agent: Client, topics: list[str]) -> None:
        frame = ready(connect(agent)).ask("subscribe", topics=topics)
        assert frame["type"] == "error"
        assert frame["data"]["code"] == "UNKNOWN_TOPIC"
        assert "ticket.created" in frame["data"]["message"]

    @pytest.mark.parametrize("topics", [None, [], "ticket", [1], [None], {"a": 1}])
    def test_of_the_wrong_form_are_refused(self, connect: Connect, agent: Client, topics: Any) -> None:
        assert ready(connect(agent)).ask("subscribe", topics=topics)["data"]["code"] == "BAD_FRAME"

    def test_are_not_without_end(self, connect: Connect, agent: Client) -> None:
        frame = ready(connect(agent)).ask("subscribe", topics=[f"ticket:{key}" for key in range(1, 200)])
        assert frame["data"]["code"] == "TOO_MANY_TOPICS"


class TestFramesOfClients:
    @pytest.mark.parametrize("text", ["", "{", "[]", "1", '{"type": 1}', '{"type": "ping", "data": []}', "nul\x00"])
    def test_what_cannot_be_read_is_an_error_and_no_end(self, connect: Connect, agent: Client, text: str) -> None:
        socket = ready(connect(agent))
        socket.session.send_text(text)
        assert socket.next()["data"]["code"] == "BAD_FRAME"
        assert socket.ask("ping")["type"] == "pong"

    def test_bytes_are_an_error(self, connect: Connect, agent: Client) -> None:
        socket = ready(connect(agent))
        socket.session.send_bytes(b"\xff")
        assert socket.next()["data"]["code"] == "BAD_FRAME"

    def test_unknown_types_are_told_the_known_ones(self, connect: Connect, agent: Client) -> None:
        frame = ready(connect(agent)).ask("subscrib")
        assert "Did you mean subscribe?" in frame["data"]["message"]

    def test_an_answer_carries_the_id_of_what_was_asked(self, connect: Connect, agent: Client) -> None:
        socket = ready(connect(agent))
        socket.send("ping", id="a1")
        assert socket.next()["id"] == "a1"

    def test_large_ones_close(self, connect: Connect, agent: Client) -> None:
        socket = ready(connect(agent))
        socket.session.send_text("x" * 70_000)
        assert socket.closed()[0] == 1009

    def test_too_many_close(self, connect: Connect, agent: Client) -> None:
        socket = ready(connect(agent))
        for _ in range(200):
            socket.send("pong")
        assert socket.closed()[0] == 1008


class TestNotifications:
    def test_are_marked_as_read_by_the_plugin_that_keeps_them(
        self, installation: Installation, connect: Connect, agent: Client
    ) -> None:
        marked = []

        def mark(_session: Any, actor: Any, key: int) -> bool:
            marked.append((actor.user_id, key))
            return key == 5

        services = installation.parts.services
        before = services.extra.get(Inbox)
        services.extra[Inbox] = Inbox(mark)  # type: ignore[index]
        socket = ready(connect(agent))
        socket.session.send_json({"type": "mark_read", "data": {"id": 5}})
        assert socket.next() | {"timestamp": ""} == {
            "type": "marked_read", "id": None, "timestamp": "", "data": {"id": 5}
        }  # fmt: skip
        socket.session.send_json({"type": "mark_read", "data": {"id": 6}})
        assert socket.next()["data"]["code"] == "RESOURCE_NOT_FOUND"
        socket.session.send_json({"type": "mark_read", "data": {"id": "6"}})
        assert socket.next()["data"]["code"] == "BAD_FRAME"
        assert marked == [(agent.user.id, 5), (agent.user.id, 6)]
        assert before is None or before is not services.extra[Inbox]


class TestResuming:
    def missed(self, socket: Socket) -> list[dict[str, Any]]:
        return [frame for frame in socket.until_pong() if frame["type"] != "error"]

    def test_tells_what_was_missed_and_then_what_happens(self, connect: Connect, agent: Client) -> None:
        socket = ready(connect(agent))
        opened(agent, "Heard")
        last = socket.next()["id"]
        socket.session.close()
        opened(agent, "Missed")
        again = connect(agent, last_event_id=last)
        assert again.next()["id"] == last
        opened(agent, "Live")
        assert [again.next()["data"]["subject"] for _ in range(2)] == ["Missed", "Live"]

    def test_by_a_frame(self, connect: Connect, agent: Client) -> None:
        socket = connect(agent)
        begin = socket.next()["id"]
        opened(agent, "Heard")
        socket.next()
        socket.send("resume", last_event_id=begin)
        assert socket.next()["type"] == "connection.ready"
        assert socket.next()["data"]["subject"] == "Heard"

    def test_more_than_a_queue_holds(self, connect: Connect, agent: Client) -> None:
        begin = agent.get("/changes/?cursor=now").json()["next_cursor"]
        made = [opened(agent, f"Number {number}")["id"] for number in range(130)]
        socket = ready(connect(agent, last_event_id=begin))
        assert [socket.next()["data"]["id"] for _ in made] == made
        live = opened(agent, "Live")
        assert socket.next()["data"]["id"] == live["id"]

    def test_from_too_long_ago_is_an_error_and_goes_on(
        self, installation: Installation, connect: Connect, agent: Client
    ) -> None:
        begin = agent.get("/changes/?cursor=now").json()["next_cursor"]
        opened(agent)
        installation.run_jobs()
        installation.clock.advance(days=installation.parts.settings.event_days + 1)
        installation.run_schedules()
        socket = ready(connect(agent, last_event_id=begin))
        assert socket.next()["data"]["code"] == "CURSOR_EXPIRED"
        opened(agent, "Live")
        assert socket.next()["data"]["subject"] == "Live"

    def test_after_nonsense_is_an_error_and_goes_on(self, connect: Connect, agent: Client) -> None:
        socket = ready(connect(agent, last_event_id="yesterday"))
        assert socket.next()["data"]["code"] == "BAD_FRAME"
        opened(agent, "Live")
        assert socket.next()["data"]["subject"] == "Live"
