"""Every documented filter and order of the list of tickets is a range of an index, already in the order of the page."""

from collections import Counter, defaultdict
from datetime import timedelta
from uuid import uuid4

import pytest

from helpdesk_core.api import adjust, insertion
from helpdesk_tickets.models import PRIORITIES, STATUSES, Tag, Ticket, TicketCount, TicketTag

ROWS = 4_000

pytestmark = pytest.mark.usefixtures("many")


@pytest.fixture
def many(installation, owner, agent, member, second_member):
    """Some thousands of tickets of different kinds and people."""
    if installation.parts.services.database.kind != "sqlite":
        pytest.skip("plans are those of SQLite")
    start = installation.clock.now()
    people = [each.user.id for each in (agent, member, second_member)]
    with installation.session(owner.organization_id) as session:
        tag = Tag(name="login", name_key="login", created_at=start, updated_at=start)
        session.add(tag)
        session.flush()
        tickets, links = [], []
        for number in range(1, ROWS + 1):
            made = start - timedelta(minutes=number)
            tickets.append(
                {
                    "uuid": str(uuid4()),
                    "sequence": number,
                    "number": f"TKT-{number:03}",
                    "subject": f"Ticket {number * 7919 % ROWS}",
                    "status": STATUSES[number % 6],
                    "priority": PRIORITIES[number % 4],
                    "customer_id": people[number % 3],
                    "created_by_id": people[number % 2],
                    "assigned_agent_id": people[0] if number % 5 else None,
                    "due_date": start + timedelta(hours=number % 100) if number % 7 else None,
                    "created_at": made,
                    "updated_at": made,
                }
            )
            if number % 3 == 0:
                links.append({"ticket_id": number, "tag_id": tag.id, "ticket_created_at": made})
        insertion(Ticket).run(session, *tickets)
        totals = Counter((ticket["status"], ticket["priority"], 0) for ticket in tickets)
        adjust(session, TicketCount, {}, totals)
        insertion(TicketTag).run(session, *links)
        session.commit()


def plan_of_page(installation, client, path, **parameters):
    """The plan of the statement that finds the page."""
    statements = seen_statements(installation, client, path, **parameters)
    (page,) = [sql for sql in statements if sql.startswith("SELECT") and " OFFSET :offset" in sql]
    return plan(installation, page)


def plans(installation, client, path, beginning, **parameters):
    """What the plans say of statements over tickets that begin like this."""
    statements = seen_statements(installation, client, path, page_size=None, **parameters)
    wanted = [sql for sql in statements if sql.startswith(beginning) and "FROM tickets_ticket" in sql]
    return [[row[3] for row in plan(installation, sql)] for sql in wanted]


def seen_statements(installation, client, path, **parameters):
    given = {name: value for name, value in {"page_size": 20, **parameters}.items() if value is not None}
    with installation.statements() as seen:
        reply = client.get(path, params=given)
    assert reply.status_code == 200, reply.text
    return list(seen)


def plan(installation, sql):
    with installation.parts.services.database.engine.connect() as connection:
        cursor = connection.connection.cursor()
        return cursor.execute(f"EXPLAIN QUERY PLAN {sql}", defaultdict(lambda: 1)).fetchall()


def scanned_or_sorted(rows):
    """What touches every ticket, or sorts more than the few rows that several ordered scans bring together."""
    names = {row[0]: row[3] for row in rows}
    parents = {row[0]: row[1] for row in rows}

    def above(key):
        while key:
            yield names.get(key, "")
            key = parents.get(key, 0)

    merging = any("UNION" in name or "COMPOUND" in name for name in names.values())
    found = []
    for key, parent, _, detail in rows:
        if detail.startswith("SCAN tickets_"):
            found.append(detail)
        sorts_merged = merging and parent in {0} | {k for k, n in names.items() if "UNION" in n or "COMPOUND" in n}
        if "TEMP B-TREE" in detail and not sorts_merged:
            found.append(" < ".join(above(key)))
    return found


FILTERS = [
    {"status": "open"},
    {"status": "pending"},
    {"status": "new,resolved"},
    {"priority": "urgent"},
    {"priority": "low,high"},
    {"category": "1"},
    {"assigned_agent": "{agent}"},
    {"created_by": "{member}"},
    {"customer": "{member}"},
    {"customer": "{member},{agent}"},
    {"tags": "1"},
    {"tags": "1,2"},
    {"created_after": "2026-03-01"},
    {"created_before": "2026-03-01"},
    {"created_after": "2026-02-28", "created_before": "2026-03-01", "status": "open"},
]
ORDERS = ["created_at", "updated_at", "priority", "due_date", "ticket_number", "subject", "status"]


def named(parameters, agent, member):
    people = {"agent": agent.user.id, "member": member.user.id}
    return {name: value.format(**people) for name, value in parameters.items()}


class TestForThoseWhoSeeAll:
    @pytest.mark.parametrize("parameters", FILTERS, ids=str)
    def test_filters_are_ranges_in_the_order_of_the_page(self, installation, agent, member, parameters):
        rows = plan_of_page(installation, agent, "/tickets/", **named(parameters, agent, member))
        assert not scanned_or_sorted(rows)

    @pytest.mark.parametrize("direction", ["", "-"])
    @pytest.mark.parametrize("order", ORDERS)
    def test_orders_are_read_from_an_index(self, installation, agent, order, direction):
        assert not scanned_or_sorted(plan_of_page(installation, agent, "/tickets/", ordering=direction + order))

    @pytest.mark.parametrize("role", ["", "assigned", "created"])
    def test_my_tickets(self, installation, agent, role):
        parameters = {"role": role} if role else {}
        assert not scanned_or_sorted(plan_of_page(installation, agent, "/tickets/my_tickets/", **parameters))

    def test_overdue_tickets(self, installation, agent):
        rows = plan_of_page(installation, agent, "/tickets/overdue/")
        assert not scanned_or_sorted(rows)
        assert any("ix_tickets_ticket_overdue" in row[3] for row in rows)

    def test_deleted_tickets(self, installation, owner):
        assert not scanned_or_sorted(plan_of_page(installation, owner, "/tickets/deleted/"))


class TestForThoseWhoSeeTheirOwn:
    def test_lists_are_merged_from_ranges(self, installation, member):
        assert not scanned_or_sorted(plan_of_page(installation, member, "/tickets/"))

    @pytest.mark.parametrize("parameters", [{"status": "open"}, {"priority": "high"}, {"tags": "1"}], ids=str)
    def test_filters_narrow_them(self, installation, member, parameters):
        assert not scanned_or_sorted(plan_of_page(installation, member, "/tickets/", **parameters))


class TestPages:
    def test_of_every_size_and_depth_run_the_same_statements(self, installation, agent, member):
        for client in (agent, agent.classic, member):
            counts = set()
            for parameters in ({"page_size": 1}, {"page_size": 50}, {"page_size": 20, "page": 30}):
                client.get("/tickets/", params=parameters)
                with installation.statements() as seen:
                    assert client.get("/tickets/", params=parameters).status_code == 200
                counts.add(len(seen))
            assert len(counts) == 1
            assert counts.pop() <= 8

    def test_hold_what_filters_promise(self, agent, member):
        for parameters in ({"status": "new,open"}, {"tags": "1"}, {"customer": str(member.user.id)}, {}):
            seen = []
            for page in (1, 2, 3):
                reply = agent.classic.get("/tickets/", params={**parameters, "page": page, "page_size": 100})
                seen += [row["created_at"] for row in reply.json()["results"]]
            assert len(seen) == 300
            assert seen == sorted(seen, reverse=True)

    def test_count_everything(self, agent, member):
        def count(client, **parameters):
            return client.get("/tickets/", params={"page_size": 1, **parameters}).json()["count"]

        assert count(agent, created_after="2020-01-01") == ROWS
        assert count(agent, tags="1") == ROWS // 3
        everything = {row["id"] for page in range(1, 41) for row in page_of(agent, page)}
        own = {row["id"] for page in range(1, count(member) // 100 + 2) for row in page_of(member, page)}
        assert len(everything) == ROWS
        assert own < everything
        assert len(own) == count(member)


def page_of(client, page):
    reply = client.classic.get("/tickets/", params={"page": page, "page_size": 100, "created_after": "2020-01-01"})
    return reply.json().get("results", [])


class TestCounts:
    @pytest.mark.parametrize(
        "parameters",
        [
            {"assigned_agent": "{agent}"},
            {"customer": "{member}"},
            {"created_by": "{member}"},
            {"created_after": "2026-02-01"},
        ],
        ids=str,
    )
    def test_are_read_from_an_index_alone(self, installation, agent, member, parameters):
        (count,) = plans(installation, agent, "/tickets/", "SELECT count", **named(parameters, agent, member))
        assert ["COVERING" in line for line in count] == [True]

    def test_of_what_is_maintained_look_at_no_ticket(self, installation, agent):
        for parameters in ({}, {"status": "open"}, {"priority": "high", "category": "1"}):
            assert plans(installation, agent, "/tickets/", "SELECT count", **parameters) == []


class TestStatistics:
    def test_of_a_period_are_read_from_an_index_alone(self, installation, agent):
        (figures,) = plans(installation, agent, "/tickets/stats/", "SELECT tickets_ticket.", created_after="2026-02-01")
        assert "USING COVERING INDEX ix_tickets_ticket_newest" in figures[0]

    def test_of_everything_look_at_today_only(self, installation, agent):
        assert plans(installation, agent, "/tickets/stats/", "SELECT tickets_ticket.") == []
