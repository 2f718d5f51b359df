"""What is counted: after any sequence of acts the counters are what counting every row would give."""

import os
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from helpdesk_tickets.models import Comment, Tag, Ticket, TicketCount, TicketTag, TicketTally
from helpdesk_tickets.service.counting import contributions

ACTS = int(os.environ.get("HELPDESK_TEST_ACTS", "120"))
STATUSES = ["new", "open", "in_progress", "pending", "resolved", "closed"]
PRIORITIES = ["low", "medium", "high", "urgent"]


def counted(session):
    """The counters, by their keys."""
    groups = {(row.status, row.priority, row.category_id): row.total for row in session.scalars(select(TicketCount))}
    tallies = {(row.kind, row.key): row.total for row in session.scalars(select(TicketTally))}
    return {key: total for key, total in {**groups, **tallies}.items() if total}


def by_counting(session):
    """The same, by looking at every ticket."""
    found = Counter()
    for ticket in session.scalars(select(Ticket)):
        for counts in contributions(ticket):
            found.update(counts)
    return {key: total for key, total in found.items() if total}


def uses(session):
    live = select(TicketTag.tag_id, func.count()).join(Ticket, Ticket.id == TicketTag.ticket_id)
    return dict(session.execute(live.where(Ticket.deleted_at.is_(None)).group_by(TicketTag.tag_id)).all())


def check(installation, organization):
    with installation.session(organization) as session:
        assert counted(session) == by_counting(session)
        recorded = {tag.id: tag.usage_count for tag in session.scalars(select(Tag))}
        assert {key: number for key, number in recorded.items() if number} == uses(session)
        for ticket in session.scalars(select(Ticket)):
            internal = session.scalars(select(Comment.is_internal).where(Comment.ticket_id == ticket.id)).all()
            assert (ticket.comment_count, ticket.public_comment_count) == (len(internal), internal.count(False))


class Desk:
    """Somebody who does anything a desk can do, by chance."""

    def __init__(self, owner, agent, member, clock, seed):
        self.owner, self.agent, self.member, self.clock = owner, agent, member, clock
        self.chance = random.Random(seed)
        self.tickets = []
        names = ("Hardware", "Software")
        self.categories = [owner.post("/categories/", json={"name": name}).json()["id"] for name in names]

    def act(self):
        self.clock.advance(hours=self.chance.randrange(30), seconds=self.chance.randrange(60))
        acts = [self.open, self.change, self.change, self.move, self.move, self.comment, self.delete, self.restore]
        self.chance.choice(acts if self.tickets else [self.open])()

    def open(self):
        body = {"subject": "Down", **self.some("priority", "tags", "category", "due_date")}
        self.tickets.append(self.chance.choice([self.agent, self.member]).post("/tickets/", json=body).json()["id"])

    def change(self):
        body = self.some("priority", "tags", "category", "due_date", "status", "assigned_agent", "subject")
        self.agent.patch(self.path(), json=body)

    def move(self):
        body = {"status": self.chance.choice(STATUSES), "resolution": "Done"}
        self.agent.post(f"{self.path()}change_status/", json=body)

    def comment(self):
        client = self.chance.choice([self.agent, self.member])
        body = {"content": "Hello", "is_internal": client is self.agent and self.chance.random() < 0.5}
        comment = client.post(f"{self.path()}comments/", json=body)
        if comment.status_code == 201 and self.chance.random() < 0.5:
            self.owner.delete(f"{self.path()}comments/{comment.json()['id']}/")

    def delete(self):
        self.agent.delete(self.path())

    def restore(self):
        self.owner.post(f"{self.path()}restore/")

    def path(self):
        return f"/tickets/{self.chance.choice(self.tickets)}/"

    def some(self, *names):
        due = self.clock.now().date().replace(day=self.chance.randrange(1, 28)).isoformat()
        values = {
            "priority": self.chance.choice(PRIORITIES),
            "tags": self.chance.sample(["a", "b", "c", "d"], self.chance.randrange(4)),
            "category": self.chance.choice([*self.categories, None]),
            "due_date": self.chance.choice([due, None]),
            "status": self.chance.choice(STATUSES),
            "assigned_agent": self.chance.choice([self.agent.user.id, None]),
            "subject": self.chance.choice(["Down", "Up"]),
        }
        return {name: values[name] for name in names if self.chance.random() < 0.6}


@pytest.fixture(params=range(3))
def desk(request, owner, agent, member, clock):
    owner.post("/sla-policies/", json={"name": "High", "priority": "high", "resolution_minutes": 600})
    return Desk(owner, agent, member, clock, request.param)


def test_counters_are_what_counting_every_row_would_give(installation, owner, agent, desk):
    for number in range(1, ACTS + 1):
        desk.act()
        if number % max(20, ACTS // 50) == 0:
            check(installation, owner.organization_id)
    for kind in ("stats", "statistics"):
        everything = agent.get(f"/tickets/{kind}/").json()
        assert everything == agent.get(f"/tickets/{kind}/", params={"created_after": "2000-01-01"}).json()


def test_numbers_have_no_gaps_however_many_write_at_once(member, agent):
    assert member.token
    assert agent.token

    def open_ticket(number):
        client = (member, agent)[number % 2]
        fields = {"assigned_agent": 999_999} if number % 5 == 0 else {}
        return client.post("/tickets/", json={"subject": "Down", "tags": [f"t{number % 3}"], **fields}).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = Counter(pool.map(open_ticket, range(50)))
    rows = agent.get("/tickets/", params={"page_size": 100}).json()["results"]
    assert statuses[201] == 40
    assert sorted(row["ticket_number"] for row in rows) == [f"TKT-{number:03}" for number in range(1, 41)]
