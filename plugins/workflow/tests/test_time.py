"""Automations by the clock."""

import pytest

from plugins.workflow.tests.workshop import AUTOMATIONS, NOTE, act, on


@pytest.fixture
def tick(workshop, clock, installation):
    """Let time pass, and do what is due then."""

    def passing(**duration):
        clock.advance(**duration)
        installation.run_schedules()

    passing()
    return passing


class TestSchedules:
    def test_run_once_for_each_time(self, workshop, tick):
        automation = workshop.automation(on("schedule", cron="0 12 * * *"), act("create_ticket", subject="Lunch"))
        tick(hours=1)
        assert workshop.runs() == []
        tick(hours=1)
        tick(minutes=1)
        (run,) = workshop.runs()
        assert (run["cause"], run["event"], run["ticket"]) == ("time", "schedule", None)
        tick(days=1)
        assert workshop.show(automation)["execution_count"] == 2

    def test_what_was_missed_is_made_up_for_once(self, workshop, tick):
        workshop.automation(on("schedule", cron="0 * * * *"), act("create_ticket", subject="Hourly"))
        tick(days=3)
        assert len(workshop.runs()) == 1

    def test_with_conditions_they_run_for_each_open_ticket_that_matches(self, workshop, tick, agent):
        automation = workshop.automation(on("schedule", {"priority": "high"}, cron="0 12 * * *"), NOTE)
        high, low, closed = workshop.ticket(priority="high"), workshop.ticket(), workshop.ticket(priority="high")
        agent.post(f"/tickets/{closed['id']}/close/", json={})
        tick(hours=3)
        assert [len(workshop.shown(each)["tags"]) for each in (high, low, closed)] == [1, 0, 0]
        assert len(workshop.runs(automation)) == 1

    def test_they_take_tickets_batch_by_batch(self, workshop, tick, monkeypatch):
        monkeypatch.setattr("helpdesk_workflow.jobs.BATCH", 2)
        workshop.automation(on("schedule", cron="0 12 * * *"), NOTE)
        tickets = [workshop.ticket() for _ in range(5)]
        tick(hours=3)
        assert [len(workshop.shown(each)["tags"]) for each in tickets] == [1] * 5
        assert len(workshop.runs()) == 5

    def test_one_that_was_off_makes_up_for_nothing(self, workshop, tick, owner):
        automation = workshop.automation(
            on("schedule", cron="0 12 * * *"), act("create_ticket", subject="x"), is_active=False
        )
        tick(days=1)
        owner.post(f"{AUTOMATIONS}{automation['id']}/activate/")
        tick(minutes=1)
        assert workshop.runs() == []


class TestNoChange:
    def test_runs_once_until_the_ticket_changes_again(self, workshop, tick, member):
        tells = act("send_notification", template="ticket_escalated", recipients=["admins"])
        automation = workshop.automation(on("no_change", {"status": "new"}, hours=2), tells)
        ticket = workshop.ticket()
        tick(hours=1)
        assert workshop.runs(automation) == []
        tick(hours=1)
        tick(hours=5)
        (run,) = workshop.runs(automation)
        assert (run["event"], run["ticket"]["key"], run["status"]) == ("no_change", ticket["id"], "done")
        member.post(f"/tickets/{ticket['id']}/comments/", json={"content": "Hello?"})
        tick(hours=1)
        assert len(workshop.runs(automation)) == 1
        tick(hours=1)
        assert len(workshop.runs(automation)) == 2

    def test_its_own_change_begins_the_time_anew_and_conditions_end_it(self, workshop, tick):
        workshop.automation(on("no_change", {"status": "new"}, hours=2), act("set_status", status="pending"))
        workshop.automation(on("no_change", {"status": "pending"}, hours=2), act("set_status", status="resolved"))
        ticket = workshop.ticket()
        seen = []
        for _ in range(3):
            tick(hours=2)
            seen.append(workshop.owner.get(f"/tickets/{ticket['id']}/").json()["status"])
        assert seen == ["pending", "resolved", "resolved"]

    def test_old_tickets_are_found_batch_by_batch(self, workshop, tick, monkeypatch):
        monkeypatch.setattr("helpdesk_workflow.jobs.BATCH", 2)
        tickets = [workshop.ticket() for _ in range(5)]
        tick(days=1)
        workshop.automation(on("no_change", hours=2), NOTE)
        for _ in range(3):
            tick(minutes=5)
        assert [len(workshop.shown(each)["tags"]) for each in tickets] == [1] * 5

    def test_it_looks_tickets_up_by_the_index_of_changes(self, workshop, installation, tick):
        workshop.automation(on("no_change", hours=2), NOTE)
        workshop.ticket()
        with installation.statements() as seen:
            tick(hours=2)
        found = [each for each in seen if "tickets_ticket.updated_at <=" in each]
        assert found
        assert all("LIMIT" in each for each in found)
