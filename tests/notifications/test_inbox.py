"""The inbox: one's own notifications, and nobody else's."""

import pytest

from helpdesk_core.notifications.queries import notifications
from helpdesk_core.permissions import Actor
from helpdesk_core.queries import Viewer
from helpdesk_core.resources import Resources
from helpdesk_core.schemas import Dialect
from helpdesk_core.web.realtime.inbox import Inbox
from tests.notifications.conftest import inbox


@pytest.fixture
def told(tell, agent):
    """What the agent was told."""
    tell(agent, about="ticket:12", link="/api/v1/tickets/12/")
    return inbox(agent)[0]


def path_of(notification, *more):
    return "/".join([f"/notifications/{notification['id']}", *more, ""])


class TestOthers:
    @pytest.mark.parametrize("who", ["outsider", "owner", "member"])
    def test_find_nothing(self, installation, told, who):
        client = installation.client(who)
        assert inbox(client) == []
        assert client.get("/notifications/unread-count/").json() == {"unread_count": 0}
        assert client.get(path_of(told)).status_code == 404
        for verb in ("mark-read", "mark-unread"):
            assert client.post(path_of(told, verb)).status_code == 404
        assert client.delete(path_of(told)).status_code == 404
        assert client.post("/notifications/mark-all-read/").json() == {"marked": 0}

    def test_change_nothing_by_trying(self, told, owner, agent):
        owner.post("/notifications/mark-all-read/")
        assert inbox(agent) == [told]


def test_shows_what_happened(told):
    assert told == {
        "id": told["id"],
        "kind": "shift_paged",
        "title": "Ada paged you",
        "body": "Ada paged you at {when}.\n\nReason: Fire",
        "object": "ticket",
        "object_id": 12,
        "link": "/api/v1/tickets/12/",
        "is_read": False,
        "read_at": None,
        "created_at": "2026-03-02T10:00:00Z",
    }


def test_is_one_of_the_list(agent, told):
    assert agent.get(path_of(told)).json() == told


def test_reading_is_marked_and_unmarked(agent, told, clock):
    clock.advance(minutes=5)
    read = agent.post(path_of(told, "mark-read")).json()
    assert read == {**told, "is_read": True, "read_at": "2026-03-02T10:05:00Z"}
    clock.advance(minutes=5)
    assert agent.post(path_of(told, "mark-read")).json() == read
    assert agent.post(path_of(told, "mark-unread")).json() == told


def test_everything_is_marked_at_once(agent, member, tell):
    for number in range(3):
        tell(agent, member, key=f"shift {number}")
    assert agent.get("/notifications/unread-count/").json() == {"unread_count": 3}
    agent.post(path_of(inbox(agent)[0], "mark-read"))
    assert agent.post("/notifications/mark-all-read/").json() == {"marked": 2}
    assert agent.get("/notifications/unread-count/").json() == {"unread_count": 0}
    assert member.get("/notifications/unread-count/").json() == {"unread_count": 3}


def test_what_is_removed_is_gone_and_not_told_again(agent, told, tell):
    assert agent.delete(path_of(told)).status_code == 204
    assert agent.get(path_of(told)).status_code == 404
    assert agent.get("/notifications/unread-count/").json() == {"unread_count": 0}
    tell(agent)
    assert inbox(agent) == []


def test_is_filtered_and_sorted(agent, tell, clock):
    tell(agent)
    clock.advance(days=1)
    tell(agent, kind="shift_planned")
    first, second = reversed(inbox(agent))
    agent.post(path_of(first, "mark-read"))
    assert [row["kind"] for row in inbox(agent)] == ["shift_planned", "shift_paged"]
    assert [row["kind"] for row in inbox(agent, ordering="created_at")] == ["shift_paged", "shift_planned"]
    assert [row["id"] for row in inbox(agent, is_read="true")] == [first["id"]]
    assert [row["id"] for row in inbox(agent, is_read="false")] == [second["id"]]
    assert [row["id"] for row in inbox(agent, kind="shift_paged")] == [first["id"]]
    assert len(inbox(agent, kind="shift_paged,shift_planned")) == 2
    assert [row["id"] for row in inbox(agent, created_after="2026-03-03")] == [second["id"]]
    assert [row["id"] for row in inbox(agent, created_before="2026-03-02")] == [first["id"]]
    assert agent.get("/notifications/", params={"is_raed": "true"}).status_code == 400


def test_a_page_runs_as_many_statements_for_one_row_as_for_many(installation, agent, tell):
    for number in range(5):
        tell(agent, key=f"shift {number}")
    counts = []
    for size in (1, 1, 5):
        with installation.statements() as seen:
            assert len(inbox(agent, page_size=size)) == size
        counts.append(len(seen))
    assert counts[1] == counts[2] <= 4


def test_counting_what_is_unread_reads_an_index_alone(installation, agent):
    if installation.parts.services.database.kind != "sqlite":
        pytest.skip("plans are those of SQLite")
    with installation.statements() as seen:
        agent.get("/notifications/unread-count/")
    (counting,) = [sql for sql in seen if "count(*)" in sql]
    values = {"organization_id": 1, "user_id": 1}
    with installation.parts.services.database.engine.connect() as connection:
        cursor = connection.connection.cursor()
        rows = cursor.execute(f"EXPLAIN QUERY PLAN {counting}", values | dict.fromkeys(named(counting, values), 1))
        plan = " ".join(row[3] for row in rows)
    assert "USING COVERING INDEX ix_core_notification_unread" in plan


def named(sql, known):
    """The parameters of a statement that have no value yet."""
    words = sql.replace(")", " ").replace(",", " ").split()
    return [word[1:] for word in words if word.startswith(":") and word[1:] not in known]


def test_what_happens_in_an_inbox_is_published(installation, agent, told):
    agent.post(path_of(told, "mark-read"))
    agent.post(path_of(told, "mark-unread"))
    agent.post("/notifications/mark-all-read/")
    agent.delete(path_of(told))
    mine = {"notification_id": told["id"], "user_id": agent.user.id}
    assert [event for event in installation.events() if event[0].startswith("notification.")] == [
        ("notification.created", mine),
        ("notification.read", mine),
        ("notification.unread", mine),
        ("notification.all_read", {"user_id": agent.user.id}),
        ("notification.deleted", mine),
    ]


class TestFollowing:
    """What the change feed, the socket and webhooks show is read here, see `helpdesk_core.resources`."""

    @pytest.fixture
    def followed(self, installation, told):
        """What somebody who follows everything is shown of the notification."""

        def seen(client):
            resources = installation.parts.services.get(Resources)
            with installation.session(client.organization_id) as session:
                return resources.read(session, viewer(installation, client), "notification", [told["id"]])

        return seen

    def test_shows_ones_own(self, agent, told, followed):
        assert followed(agent) == {told["id"]: told}

    @pytest.mark.parametrize("who", ["owner", "member", "outsider"])
    def test_shows_nobody_else_that_there_is_one(self, installation, followed, who):
        assert followed(installation.client(who)) == {}

    def test_tells_nobody_else_that_one_vanished(self, installation, owner):
        visible = notifications.visible
        assert not visible.oversees(visible.variant(viewer(installation, owner).actor))

    def test_shows_nothing_to_outside_systems(self, installation, agent, told):
        resources = installation.parts.services.get(Resources)
        with installation.session(agent.organization_id) as session:
            assert resources.present(session, "notification", told["id"]) is None


def viewer(installation, client):
    """A client as those who read for it see it."""
    codes = installation.parts.services.roles.for_role(client.user.role, platform=False)
    actor = Actor(client.user.id, client.organization_id, client.user.role, permissions=codes, tier="enterprise")
    return Viewer(actor, Dialect.COMPREHENSIVE, installation.clock.now())


def test_an_open_client_marks_its_own_as_read_and_no_others(installation, agent, owner, told):
    service = installation.parts.services.get(Inbox)
    with installation.session(agent.organization_id) as session:
        actors = [Actor(client.user.id, client.organization_id, "") for client in (owner, agent)]
        found = [service.mark_read(session, actor, told["id"]) for actor in actors]
        installation.commit(session)
    assert found == [False, True]
    assert inbox(agent)[0]["is_read"] is True
