"""Due dates that come near or have passed are announced, each once."""

from collections import defaultdict
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from helpdesk_core.api import api_time, insertion
from helpdesk_tickets.models import Ticket
from helpdesk_tickets.service import deadlines

MINUTES = timedelta(minutes=1)


@pytest.fixture
def announced(installation):
    """The tickets that were announced since this was last asked, by the type of event."""
    seen = 0

    def since():
        nonlocal seen
        installation.run_schedules()
        events = [event for event in installation.events() if event[0] in {"ticket.overdue", "ticket.due_soon"}]
        fresh, seen = events[seen:], len(events)
        found = defaultdict(list)
        for kind, payload in fresh:
            found[kind.removeprefix("ticket.")].append(payload["ticket_id"])
        return dict(found)

    return since


def due(client, clock, minutes, **fields):
    """A ticket of the agent's that is due in so many minutes; returns its key."""
    body = {"subject": "Due", "due_date": api_time(clock.now() + minutes * MINUTES), **fields}
    reply = client.classic.post("/tickets/", json=body)
    assert reply.status_code == 201, reply.text
    return reply.json()["id"]


def told(client):
    return [row["kind"] for row in client.get("/notifications/").json()["results"]]


class TestOverdue:
    def test_is_announced_once(self, owner, clock, announced):
        key = due(owner, clock, 180)
        assert announced() == {}
        clock.advance(minutes=181)
        assert announced()["overdue"] == [key]
        for _ in range(3):
            clock.advance(hours=1)
            assert announced() == {}

    def test_says_when_it_was_due_and_whose_it_is(self, installation, owner, agent, member, announced):
        clock = installation.clock
        when = clock.now() + 180 * MINUTES
        key = due(owner, clock, 180, assigned_agent=agent.user.id, customer=member.user.id)
        clock.advance(minutes=185)
        announced()
        (payload,) = [payload for kind, payload in installation.events() if kind == "ticket.overdue"]
        people = {"assigned_agent_id": agent.user.id, "customer_id": member.user.id}
        assert payload == {"ticket_id": key, "due_date": when, **people}

    def test_is_announced_again_for_another_due_date(self, owner, clock, announced):
        key = due(owner, clock, 180)
        clock.advance(minutes=185)
        announced()
        later = api_time(clock.now() + 180 * MINUTES)
        assert owner.patch(f"/tickets/{key}/", json={"due_date": later}).status_code == 200
        assert announced() == {}
        clock.advance(minutes=185)
        assert announced()["overdue"] == [key]

    def test_is_not_announced_of_what_is_resolved_or_deleted(self, owner, clock, announced):
        resolved, deleted = due(owner, clock, 180), due(owner, clock, 180)
        owner.post(f"/tickets/{resolved}/change-status/", json={"status": "resolved"})
        owner.delete(f"/tickets/{deleted}/")
        clock.advance(hours=4)
        assert announced() == {}

    def test_of_another_organisation_is_announced_there(self, installation, owner, outsider, clock, announced):
        due(outsider, clock, 180)
        clock.advance(hours=4)
        announced()
        assert told(outsider) == ["ticket_overdue"]
        assert told(owner) == []

    def test_tells_the_agent(self, owner, agent, clock, announced):
        due(owner, clock, 180, assigned_agent=agent.user.id)
        clock.advance(hours=4)
        announced()
        assert told(agent)[0] == "ticket_overdue"
        assert told(owner) == []

    def test_that_nobody_works_on_tells_the_administrators(self, member, owner, agent, clock, announced):
        due(owner, clock, 180, customer=member.user.id)
        clock.advance(hours=4)
        announced()
        assert told(owner) == ["ticket_overdue"]
        assert told(agent) == []

    def test_is_not_told_of_what_was_resolved_before_anybody_could_be_told(self, installation, owner, agent, clock):
        key = due(owner, clock, 180, assigned_agent=agent.user.id)
        clock.advance(hours=4)
        with installation.session(owner.organization_id) as session:
            assert deadlines.announce_overdue(session) == 1
            installation.commit(session)
        owner.post(f"/tickets/{key}/change-status/", json={"status": "resolved"})
        installation.run_jobs()
        assert "ticket_overdue" not in told(agent)

    def test_of_what_came_in_late_is_announced_as_well(self, owner, clock, announced):
        key = due(owner, clock, -60)
        clock.advance(minutes=5)
        assert announced() == {"overdue": [key]}


class TestReminders:
    def test_come_an_hour_before_once(self, owner, clock, announced):
        key = due(owner, clock, 120)
        clock.advance(minutes=55)
        assert announced() == {}
        clock.advance(minutes=10)
        assert announced() == {"due_soon": [key]}
        clock.advance(minutes=10)
        assert announced() == {}

    def test_come_when_the_organisation_wants_them(self, owner, clock, announced):
        settings = f"/organizations/{owner.organization_id}/settings/"
        assert owner.patch(settings, json={"tickets": {"due_soon_minutes": 15}}).status_code == 200
        key = due(owner, clock, 60)
        clock.advance(minutes=40)
        assert announced() == {}
        clock.advance(minutes=10)
        assert announced() == {"due_soon": [key]}

    def test_do_not_come_where_they_are_switched_off(self, owner, clock, announced):
        owner.patch(f"/organizations/{owner.organization_id}/settings/", json={"tickets": {"due_soon_minutes": 0}})
        due(owner, clock, 60)
        clock.advance(minutes=55)
        assert announced() == {}

    def test_go_to_the_agent_alone(self, owner, agent, member, clock, announced):
        due(owner, clock, 70, assigned_agent=agent.user.id, customer=member.user.id)
        due(owner, clock, 70)
        clock.advance(minutes=20)
        assert len(announced()["due_soon"]) == 2
        assert told(agent)[0] == "ticket_due_soon"
        assert "ticket_due_soon" not in told(member) + told(owner)

    def test_come_again_for_another_due_date(self, owner, clock, announced):
        key = due(owner, clock, 70)
        clock.advance(minutes=20)
        announced()
        owner.patch(f"/tickets/{key}/", json={"due_date": api_time(clock.now() + 55 * MINUTES)})
        clock.advance(minutes=5)
        assert announced() == {"due_soon": [key]}


@pytest.mark.parametrize("minutes", [-1, 10_081, "x", 1.5])
def test_the_setting_is_checked(owner, minutes):
    body = {"tickets": {"due_soon_minutes": minutes}}
    reply = owner.patch(f"/organizations/{owner.organization_id}/settings/", json=body)
    assert reply.status_code == 400
    assert reply.json()["error"]["details"]["field"] == "tickets.due_soon_minutes"


def many(installation, client, count):
    """Overdue tickets, added at once."""
    moment = installation.clock.now()
    with installation.session(client.organization_id) as session:
        rows = [
            {
                "uuid": str(uuid4()),
                "sequence": 1_000 + number,
                "number": f"TKT-{1_000 + number}",
                "subject": "Late",
                "status": "open",
                "customer_id": client.user.id,
                "created_by_id": client.user.id,
                "due_date": moment - number * MINUTES,
                "created_at": moment,
                "updated_at": moment,
            }
            for number in range(count)
        ]
        insertion(Ticket).run(session, *rows)
        installation.commit(session)


def test_one_run_announces_a_bounded_number(installation, owner, monkeypatch):
    monkeypatch.setattr(deadlines, "BATCH", 3)
    monkeypatch.setattr(deadlines, "MOST_BATCHES", 2)
    many(installation, owner, 10)
    done = []
    for _ in range(3):
        with installation.session(owner.organization_id) as session:
            done.append(deadlines.announce_overdue(session))
            installation.commit(session)
    assert done == [6, 4, 0]


def test_what_is_announced_stays_out_of_the_next_search(installation, owner):
    if installation.parts.services.database.kind != "sqlite":
        pytest.skip("plans are those of SQLite")
    with installation.session(owner.organization_id) as session:
        for which in (deadlines._overdue(session), deadlines._near(session, 60 * MINUTES)):
            wanted = select(Ticket.id).where(Ticket.organization_id == 1, *which)
            wanted = wanted.order_by(Ticket.due_date, Ticket.id).limit(500)
            sql = str(wanted.compile(session.get_bind(), compile_kwargs={"literal_binds": True}))
            rows = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}").all()
            plan = " ".join(row[3] for row in rows)
            assert "ix_tickets_ticket_to_announce" in plan
            assert "TEMP B-TREE" not in plan


def test_most_runs_write_nothing(installation, owner, clock):
    due(owner, clock, 180)
    installation.run_jobs()
    with installation.session(owner.organization_id) as session:
        assert not deadlines.something_is_due(session, 60 * MINUTES)
        assert deadlines.something_is_due(session, 180 * MINUTES)
        session.execute(update(Ticket).values(reminded_at=clock.now()))
        assert not deadlines.something_is_due(session, 180 * MINUTES)
