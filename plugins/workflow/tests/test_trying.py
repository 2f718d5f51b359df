"""Trying automations out: a dry run tells exactly what then happens, a back-test what has happened."""

import random

import pytest
from sqlalchemy import inspect, text

from plugins.workflow.tests.workshop import AUTOMATIONS, CREATED, NOTE, act, on

PRIORITIES = ["low", "medium", "high", "urgent"]


def tried(workshop, automation, status=200, **body):
    reply = workshop.owner.post(f"{AUTOMATIONS}{automation['id']}/test/", json=body)
    assert reply.status_code == status, reply.text
    return reply.json()


def without_keys(actions):
    return [{name: value for name, value in each.items() if name != "made"} for each in actions]


class TestDryRun:
    def test_says_why_conditions_hold_or_not(self, workshop):
        automation = workshop.automation(
            on("ticket_created", {"any": [{"priority": "low"}, {"subject": "printer"}]}), NOTE, is_active=False
        )
        ticket = workshop.ticket()
        told = tried(workshop, automation, ticket_id=ticket["id"])
        assert (told["matched"], told["status"], told["actions"]) == (False, "unmatched", [])
        parts = told["conditions"]["any"]
        assert [(each["field"], each["actual"], each["matched"]) for each in parts] == [
            ("priority", "medium", False),
            ("subject", "Printer on fire", False),
        ]
        told = tried(workshop, automation, ticket_id=ticket["id"], ignore_conditions=True)
        assert (told["matched"], told["status"]) == (False, "done")
        assert told["actions"][0]["changes"] == {"tags": [[], ["seen"]]}

    def test_takes_the_payload_that_it_is_given(self, workshop):
        automation = workshop.automation(on("ticket_status_changed", {"before": "pending"}), NOTE)
        ticket = workshop.ticket()
        assert not tried(workshop, automation, ticket_id=ticket["id"])["matched"]
        assert tried(workshop, automation, ticket_id=ticket["id"], event={"before": "pending"})["matched"]
        tried(workshop, automation, 400, ticket_id=ticket["id"], event={"colour": "red"})

    def test_on_an_event_of_the_past(self, workshop, agent, clock):
        automation = workshop.automation(on("ticket_created", {"priority": "low"}), NOTE, is_active=False)
        ticket = workshop.ticket(priority="low")
        (event,) = workshop.owner.post(
            f"{AUTOMATIONS}{automation['id']}/backtest/", json={"since": "2026-01-01T00:00:00Z"}
        ).json()["matches"]
        clock.advance(hours=1)
        agent.patch(f"/tickets/{ticket['id']}/", json={"priority": "urgent"})
        assert tried(workshop, automation, event_id=event["event_id"])["matched"]
        assert not tried(workshop, automation, ticket_id=ticket["id"])["matched"]
        tried(workshop, automation, 400, event_id=999_999)

    def test_needs_a_ticket_that_is_there(self, workshop):
        automation = workshop.automation(CREATED, NOTE)
        tried(workshop, automation, 422)
        tried(workshop, automation, 400, ticket_id=999_999)

    def test_tells_failures(self, workshop):
        automation = workshop.automation(CREATED, act("set_status", status="closed"), act("set_status", status="new"))
        ticket = workshop.ticket()
        told = tried(workshop, automation, ticket_id=ticket["id"])
        assert told["status"] == "failed"

    def test_changes_and_sends_nothing(self, workshop, installation, member):
        automation = workshop.automation(
            CREATED,
            act("assign_agent", strategy="round_robin"),
            act("add_tags", tags=["new tag"]),
            act("add_comment", content="x"),
            act("create_ticket", subject="y"),
            act("escalate"),
            act("send_notification", template="ticket_assigned", recipients=["customer", "a@example.net"]),
            act("wait", hours=1),
            is_active=False,
        )
        ticket = workshop.ticket()
        workshop.run()
        before = contents(installation)
        told = tried(workshop, automation, ticket_id=ticket["id"])
        assert told["status"] == "waiting"
        assert len(told["actions"]) == 7
        workshop.run()
        assert contents(installation) == before


def contents(installation):
    """Every row of every table, but those that requests leave by themselves."""
    left_by_requests = {"core_login", "core_usage", "core_limit_use"}
    with installation.session() as session:
        tables = {*inspect(session.connection()).get_table_names()} - left_by_requests
        return {name: sorted(map(repr, session.execute(text(f"SELECT * FROM {name}")))) for name in tables}


def generated(seed, agents):
    """A trigger with conditions, some actions, and a ticket, made from a seed."""
    chance = random.Random(seed)
    conditions = chance.choice(
        [
            {},
            {"priority": chance.choice(PRIORITIES)},
            {
                "any": [
                    {"priority": chance.choice(PRIORITIES)},
                    {"field": "subject", "operator": "contains", "value": "fire"},
                ]
            },
            {"not": {"tags": "vip"}},
            {"field": "priority", "operator": "at_least", "value": chance.choice(PRIORITIES)},
        ]
    )
    choices = [
        act("set_priority", priority=chance.choice(PRIORITIES)),
        act("set_status", status=chance.choice(["open", "pending", "resolved", "closed", "new"])),
        act("add_tags", tags=chance.sample(["vip", "a", "b"], 2)),
        act("remove_tags", tags=["vip"]),
        act("add_comment", content="{priority} {agent_name}", is_internal=chance.random() < 0.5),
        act("assign_agent", agent_id=chance.choice([*agents, None])),
        act("assign_agent", strategy=chance.choice(["least_loaded", "round_robin"]), among=agents),
        act("set_due_date", hours=chance.randint(1, 99)),
        act("escalate"),
        act("send_notification", template="ticket_assigned", recipients=["agent", "customer", "admins"]),
        act("set_status", status="pending", resolution="x"),
        act("stop"),
        act("wait", minutes=7),
    ]
    ticket = {"priority": chance.choice(PRIORITIES), "tags": chance.sample(["vip", "c"], chance.randint(0, 2))}
    return on("ticket_created", conditions), chance.sample(choices, chance.randint(1, 6)), ticket


@pytest.mark.parametrize("part", range(4))
def test_a_dry_run_tells_exactly_what_then_happens(workshop, owner, agent, technician, part):
    """Fifteen generated automations at a time, each tried on a ticket and then run on it."""
    agents = [agent.user.id, technician.user.id]
    told_of = set()
    for seed in range(part * 15, part * 15 + 15):
        trigger, actions, fields = generated(seed, agents)
        automation = workshop.automation(trigger, *actions, is_active=False)
        ticket = workshop.ticket(**fields)
        told = tried(workshop, automation, ticket_id=ticket["id"])
        if told["matched"]:
            run = owner.post(f"{AUTOMATIONS}{automation['id']}/execute/", json={"ticket_id": ticket["id"]}).json()
        else:
            owner.post(f"{AUTOMATIONS}{automation['id']}/activate/")
            ticket = workshop.ticket(**fields)
            owner.delete(f"{AUTOMATIONS}{automation['id']}/")
            run = workshop.runs(ticket=ticket["id"])[0]
        for name in ("matched", "status", "reason"):
            assert told[name] == run[name], (seed, name)
        assert without_keys(told["actions"]) == without_keys(run["actions"]), seed
        told_of.add(told["status"])
    assert len(told_of) >= 2


class TestByHand:
    def test_runs_whatever_the_conditions_say_and_is_counted(self, workshop, owner):
        automation = workshop.automation(on("ticket_created", {"priority": "low"}), NOTE, is_active=False)
        ticket = workshop.ticket()
        run = owner.post(f"{AUTOMATIONS}{automation['id']}/execute/", json={"ticket_id": ticket["id"]}).json()
        assert (run["cause"], run["matched"], run["status"]) == ("hand", False, "done")
        assert run["executed_by"] == owner.user.id
        assert len(workshop.shown(ticket)["tags"]) == 1
        assert workshop.show(automation)["execution_count"] == 1
        assert len(workshop.runs(automation, cause="hand")) == 1

    def test_without_a_ticket_where_none_is_needed(self, workshop, owner):
        automation = workshop.automation(on("schedule", cron="0 0 1 1 *"), act("create_ticket", subject="Stocktaking"))
        run = owner.post(f"{AUTOMATIONS}{automation['id']}/execute/", json={}).json()
        assert (run["status"], run["ticket"]) == ("done", None)


class TestBacktest:
    def backtest(self, workshop, automation, status=200, **body):
        reply = workshop.owner.post(
            f"{AUTOMATIONS}{automation['id']}/backtest/", json={"since": "2026-01-01T00:00:00Z", **body}
        )
        assert reply.status_code == status, reply.text
        return reply.json()

    @pytest.mark.parametrize(
        "trigger",
        [
            on("ticket_created", {"priority": "high"}),
            on("ticket_updated", {"field": "priority", "operator": "changed_to", "value": ["high", "urgent"]}),
            on("ticket_updated", {"tags": "vip", "subject": "Ticket 2"}),
            on("ticket_status_changed", {"after": "pending", "priority": ["low", "high", "urgent"]}),
            on("comment_created", {"author_role": "customer", "not": {"tags": "vip"}}),
        ],
        ids=str,
    )
    def test_tells_what_really_happened(self, workshop, agent, member, clock, trigger):
        automation = workshop.automation(
            trigger, act("send_notification", template="ticket_assigned", recipients=["agent"])
        )
        chance = random.Random(str(trigger))
        for number in range(6):
            ticket = workshop.ticket(title=f"Ticket {number % 3}", priority=chance.choice(PRIORITIES))
            for _ in range(3):
                clock.advance(minutes=1)
                self.something(chance, ticket, agent, member)
                workshop.run()
        really = [run["event_id"] for run in workshop.runs(automation, matched="true", page_size=100)]
        told = self.backtest(workshop, automation)
        assert really
        assert [each["event_id"] for each in told["matches"]] == really
        assert told["matched"] == len(really)
        assert told["events"] >= told["matched"]
        assert not told["truncated"]

    def something(self, chance, ticket, agent, member):
        path = f"/tickets/{ticket['id']}/"
        what = chance.randrange(4)
        if what == 0:
            agent.patch(path, json={"priority": chance.choice(PRIORITIES)})
        elif what == 1:
            agent.patch(path, json={"tags": chance.choice([["vip"], [], ["vip", "x"]])})
        elif what == 2:
            agent.post(f"{path}change_status/", json={"status": chance.choice(["open", "pending"])})
        else:
            member.post(f"{path}comments/", json={"content": "And now?"})

    def test_is_bounded(self, workshop, clock):
        automation = workshop.automation(CREATED, NOTE, is_active=False)
        for _ in range(3):
            workshop.ticket()
        told = self.backtest(workshop, automation, limit=2)
        assert (told["events"], told["matched"], told["truncated"]) == (2, 2, True)
        later = "2027-01-01T00:00:00Z"
        assert self.backtest(workshop, automation, since=later, until="2027-01-02T00:00:00Z")["events"] == 0
        self.backtest(workshop, automation, 400, since=later)
        self.backtest(workshop, automation, 400, limit=1001)

    def test_is_for_events_only(self, workshop):
        self.backtest(workshop, workshop.automation(on("no_change", hours=2), NOTE), 422)
