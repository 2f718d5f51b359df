"""The demonstration: a month of tickets, made by the same verbs as requests."""

import time
from collections import Counter

import pytest
from sqlalchemy import select

from helpdesk_core.testing import START
from helpdesk_tickets import demo
from helpdesk_tickets.models import Ticket, TicketCount
from helpdesk_tickets.service.counting import contributions


@pytest.fixture
def loaded(installation, monkeypatch):
    """The demonstration, played by the cast of the tests."""
    cast = {"customer1": "member", "customer2": "second_member", "customer3": "member"}
    cast |= {"agent1": "agent", "agent2": "agent", "tech1": "technician", "admin": "owner"}
    made = demo._Stage.__init__

    def renamed(self, session, now):
        made(self, session, now)
        self.actors = {role: self.actors[name] for role, name in cast.items()}

    monkeypatch.setattr(demo._Stage, "__init__", renamed)
    organization = installation.client("owner").organization_id
    started = time.process_time()
    with installation.session(organization) as session:
        demo.load(session, START)
        session.commit()
    return time.process_time() - started


def test_takes_little_time(loaded):
    assert loaded < 3  # seconds of a processor; about half a one is usual


def test_fills_the_last_month_and_nothing_after_it(loaded, owner):
    assert owner.get("/tickets/").json()["count"] == 60
    assert owner.get("/tickets/", params={"created_after": "2026-01-31"}).json()["count"] == 60
    assert owner.get("/tickets/", params={"created_after": "2026-03-02T10:00:00Z"}).json()["count"] == 0
    assert owner.get("/tickets/", params={"ordering": "-updated_at"}).json()["results"][0]["updated_at"] <= (
        "2026-03-02T10:00:00Z"
    )


def test_shows_every_state_and_some_overdue(loaded, owner):
    with_status = {
        status: owner.get("/tickets/", params={"status": status, "page_size": 1}).json()["count"]
        for status in ("new", "in_progress", "pending", "resolved", "closed")
    }
    assert min(with_status.values()) >= 2
    assert owner.get("/tickets/overdue/").json()["count"] >= 2


def test_has_conversations_some_of_them_internal(loaded, owner, member):
    comments = [comment for ticket in tickets_of(owner) for comment in ticket["comments"]]
    assert Counter(comment["is_internal"] for comment in comments)[True] >= 5
    assert len(comments) > 60
    seen = [comment for ticket in tickets_of(member) for comment in ticket["comments"]]
    assert seen
    assert not any(comment["is_internal"] for comment in seen)


def tickets_of(client):
    return client.get("/tickets/", params={"page_size": 100}).json()["results"]


def test_is_found_sorted_and_filed(loaded, owner):
    assert owner.get("/tickets/", params={"search": "Fluffy"}).json()["count"] >= 1
    assert owner.get("/categories/").json()["count"] == 6
    assert owner.get("/tags/popular/").json()["count"] == 10
    assert owner.get("/templates/").json()["count"] == 5
    assert owner.get("/filters/").json()["count"] == 3
    assert owner.get("/sla-policies/").json()["count"] == 4


def test_keeps_the_counters_true(loaded, installation, owner):
    with installation.session(owner.organization_id) as session:
        stored = {
            (row.status, row.priority, row.category_id): row.total
            for row in session.scalars(select(TicketCount))
            if row.total
        }
        counted = Counter()
        for ticket in session.scalars(select(Ticket)):
            counted.update(contributions(ticket)[0])
    assert stored == dict(counted)
