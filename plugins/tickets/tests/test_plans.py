"""Every documented filter and order of the list of tickets is a range of an index, already in the order of the page."""

from collections import Counter, defaultdict
from datetime import timedelta
from uuid import uuid4

import pytest

from helpdesk_core.api import adjust, insertion
from helpdesk_core.testing import running
from helpdesk_tickets.models import PRIORITIES, STATUSES, Tag, Ticket, TicketCount, TicketTag

ROWS = 100_000


@pytest.fixture(scope="module", params=["with statistics", "without statistics"])
def installation(request, helpdesk_databases, helpdesk_host, tmp_path_factory):
    """One with a hundred thousand tickets, that all tests here read; the planner knows of them, or not yet."""
    with running(helpdesk_databases, helpdesk_host, tmp_path_factory.mktemp("many"), "many") as installation:
        if installation.parts.services.database.kind != "sqlite":
            pytest.skip("plans are those of SQLite")
        fill(installation)
        if request.param == "with statistics":
            installation.parts.services.database.refresh_statistics()
        yield installation


def fill(installation):
    """Open tickets of different kinds and people."""
    start = installation.clock.now()
    agent, member, second = (installation.accounts[name] for name in ("agent", "member", "second_member"))
    people = [agent.id, member.id, second.id]
    with installation.session(agent.organization_id) as session:
        tag = Tag(name="login", name_key="login", created_at=start, updated_at=start)
        session.add(tag)
        session.flush()
        tickets = [facts(number, start, people) for number in range(1, ROWS + 1)]
        insertion(Ticket).run(session, *tickets)
        totals = Counter((ticket["status"], ticket["priority"], 0) for ticket in tickets)
        adjust(session, TicketCount, {}, totals)
        links = [
            {"ticket_id": number, "tag_id": tag.id, "ticket_created_at": tickets[number - 1]["created_at"]}
            for number in range(3, ROWS + 1, 3)
        ]
        insertion(TicketTag).run(session, *links)
        installation.commit(session)


def facts(number, start, people):
    made = start - timedelta(minutes=number)
    return {
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
    """What the planner will do; but for reading all counters once it knows that they are few for each organisation."""
    with installation.parts.services.database.engine.connect() as connection:
        cursor = connection.connection.cursor()
        rows = cursor.execute(f"EXPLAIN QUERY PLAN {sql}", defaultdict(lambda: 1)).fetchall()
        known = cursor.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'").fetchall()
    return [row for row in rows if not known or row[3] != "SCAN tickets_count"]


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
        assert count(member) == sum(1 for number in range(1, ROWS + 1) if number % 3 == 1 or number % 2 == 1)

    def test_never_share_a_row(self, agent, member):
        pages = [*range(1, 21), *range(ROWS // 100 - 19, ROWS // 100 + 1)]
        everything = {row["id"] for page in pages for row in page_of(agent, page)}
        own = {row["id"] for page in range(1, 6) for row in page_of(member, page)}
        assert len(everything) == 100 * len(pages)
        assert len(own) == 500
        assert own & everything


def page_of(client, page):
    reply = client.classic.get("/tickets/", params={"page": page, "page_size": 100, "created_after": "2020-01-01"})
    return reply.json().get("results", [])
