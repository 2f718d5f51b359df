"""The two statistics: figures that sum up, in the vocabulary of the document that shows them."""

import pytest

from tests.contract.steps import change_status, created, open_ticket, served, stored_as

STATES = ["new", "open", "in_progress", "pending", "resolved", "closed"]


def stats(client, **parameters):
    """CLASSIC's figures."""
    return served(client.get("/tickets/stats/", params=parameters))


def statistics(client, **parameters):
    """COMPREHENSIVE's figures."""
    return served(client.get("/tickets/statistics/", params=parameters))


class TestSums:
    @pytest.fixture
    def tickets(self, member, agent):
        """One ticket in each stored state, and one more that is new and urgent."""
        for state in STATES:
            stored_as(state, member, agent)
        open_ticket(member, priority="urgent")

    def test_classics_four_states_sum_to_the_total(self, agent, tickets):
        figures = stats(agent)
        names = ("open_tickets", "in_progress_tickets", "resolved_tickets", "closed_tickets")
        assert [figures[name] for name in names] == [3, 2, 1, 1]
        assert figures["total_tickets"] == 7

    def test_comprehensives_five_states_sum_to_the_total(self, agent, tickets):
        figures = statistics(agent)
        states = {"new": 2, "open": 2, "pending": 1, "resolved": 1, "closed": 1}
        assert figures["status_distribution"] == states
        assert figures["total_tickets"] == 7
        for name in ("open", "pending", "resolved", "closed"):
            assert figures[f"{name}_tickets"] == states[name]

    def test_priorities_are_counts_with_zeros(self, agent, tickets):
        priorities = {"low": 0, "medium": 6, "high": 0, "urgent": 1}
        assert stats(agent)["tickets_by_priority"] == priorities
        assert statistics(agent)["priority_distribution"] == priorities

    def test_categories_sum_to_the_total_without_zeros(self, owner, agent):
        for name in ("Technical", "Empty"):
            category = created(owner.post("/categories/", json={"name": name}))
            if name == "Technical":
                open_ticket(agent, category=category["id"])
        open_ticket(agent)
        assert stats(agent)["tickets_by_category"] == {"Technical": 1, "Uncategorized": 1}

    def test_everything_is_there_when_there_is_nothing(self, agent):
        figures = stats(agent)
        assert figures["tickets_by_priority"] == dict.fromkeys(["low", "medium", "high", "urgent"], 0)
        assert figures["tickets_by_category"] == {}
        states = ["new", "open", "pending", "resolved", "closed"]
        assert statistics(agent)["status_distribution"] == dict.fromkeys(states, 0)


class TestTimeToResolution:
    @pytest.mark.parametrize(
        ("passed", "hours", "text"),
        [
            ({"seconds": 1800}, 0.5, "30 minutes"),
            ({"seconds": 9000}, 2.5, "2.5 hours"),
            ({"hours": 60}, 60.0, "2.5 days"),
        ],
    )
    def test_is_hours_in_one_document_and_text_in_the_other(self, agent, clock, passed, hours, text):
        ticket = open_ticket(agent)
        clock.advance(**passed)
        change_status(agent, ticket, "resolved")
        assert stats(agent)["avg_resolution_time"] == pytest.approx(hours, abs=0.1)
        assert statistics(agent)["average_resolution_time"] == text

    def test_is_the_average_of_those_resolved(self, agent, clock):
        tickets = [open_ticket(agent) for _ in range(3)]
        for ticket in tickets[:2]:
            clock.advance(hours=2)
            change_status(agent, ticket, "resolved")
        assert statistics(agent)["average_resolution_time"] == "3.0 hours"

    def test_is_zero_of_the_same_type_when_nothing_is_resolved(self, agent):
        open_ticket(agent)
        assert stats(agent)["avg_resolution_time"] == pytest.approx(0.0)
        assert statistics(agent)["average_resolution_time"] == "0 hours"
        assert statistics(agent)["sla_compliance"] == pytest.approx(100.0)


class TestDueDates:
    def test_compliance_is_the_share_resolved_in_time(self, agent):
        soon = open_ticket(agent, due_date="2000-01-01T00:00:00Z")
        later = [open_ticket(agent, due_date="2999-01-01T00:00:00Z") for _ in range(2)]
        for ticket in (soon, *later):
            change_status(agent, ticket, "resolved")
        assert statistics(agent)["sla_compliance"] == pytest.approx(66.7)

    def test_overdue_is_past_due_and_not_done(self, member, agent):
        past = "2000-01-01T00:00:00Z"
        for state in STATES:
            stored_as(state, member, agent, due_date=past)
        open_ticket(agent, due_date="2999-01-01T00:00:00Z")
        open_ticket(agent)
        assert stats(agent)["overdue_tickets"] == 4


class TestScope:
    def test_today_is_the_day_of_the_server(self, agent, clock):
        change_status(agent, open_ticket(agent), "resolved")
        figures = stats(agent)
        assert (figures["tickets_created_today"], figures["tickets_resolved_today"]) == (1, 1)
        clock.advance(days=1)
        figures = stats(agent)
        assert (figures["tickets_created_today"], figures["tickets_resolved_today"]) == (0, 0)

    def test_everybody_counts_what_they_see(self, agent, member, second_member, outsider):
        open_ticket(member)
        for client, total in ((agent, 1), (member, 1), (second_member, 0), (outsider, 0)):
            assert stats(client)["total_tickets"] == statistics(client)["total_tickets"] == total

    def test_a_period_narrows(self, agent):
        made = open_ticket(agent)["created_at"]
        assert stats(agent, created_after=made)["total_tickets"] == 1
        assert stats(agent, created_before="2000-01-01")["total_tickets"] == 0
        assert statistics(agent, created_after="2999-01-01")["total_tickets"] == 0

    def test_reopened_is_no_longer_resolved(self, agent):
        ticket = open_ticket(agent)
        change_status(agent, ticket, "resolved")
        change_status(agent, ticket, "open")
        assert stats(agent)["resolved_tickets"] == 0
        assert statistics(agent)["average_resolution_time"] == "0 hours"
