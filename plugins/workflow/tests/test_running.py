"""What happens when something does: order, rights, failures, limits, and everything once."""

from datetime import timedelta

import pytest
from sqlalchemy import event as sql_event
from sqlalchemy import func, select, text, update

from helpdesk_core.api import User, past_events
from helpdesk_core.testing import START
from helpdesk_tickets.api import Comment
from helpdesk_workflow.calling import handle_event
from helpdesk_workflow.engine import Machine
from helpdesk_workflow.models import Automation, Edition, Run
from plugins.workflow.tests.workshop import AUTOMATIONS, CREATED, NOTE, act, on


def planted(workshop, *automations):
    """Put automations into the database behind the checks; returns their keys."""
    installation, owner = workshop.installation, workshop.owner.user
    keys = []
    with installation.session(owner.organization_id) as session:
        moment = installation.clock.now()
        for event_type, conditions, actions in automations:
            row = Automation(
                name=f"Planted {event_type}",
                trigger={"type": event_type, "conditions": conditions},
                actions=actions,
                event_type=event_type,
                author_id=owner.id,
                created_at=moment,
                updated_at=moment,
            )
            session.add(row)
            session.flush()
            keys.append(row.id)
        session.add(Edition(last=1000))
        installation.commit(session)
    return keys


def again(workshop, event_type):
    """Hand the newest event of a type to the handler once more, as after a crash."""
    installation = workshop.installation
    with installation.session(workshop.owner.organization_id) as session:
        handle(installation, session, event_type)
        installation.commit(session)


def handle(installation, session, event_type):
    """Do in a session what the handler does with the newest event of a type."""
    handle_event(
        Machine(session, installation.clock.now(), installation.parts.services.get), newest(session, event_type)
    )


def newest(session, event_type):
    return past_events(session, event_type, START, START + timedelta(days=365), limit=1)[0]


class TestOrder:
    def test_the_oldest_runs_first_and_the_next_sees_what_it_did(self, workshop):
        workshop.automation(CREATED, act("set_priority", priority="high"))
        workshop.automation(on("ticket_created", {"priority": "high"}), act("add_tags", tags=["hot"]))
        workshop.automation(on("ticket_created", {"priority": "medium"}), act("add_tags", tags=["cold"]))
        assert [tag["name"] for tag in workshop.ticket()["tags"]] == ["hot"]

    def test_stop_ends_the_run_and_leaves_later_automations_out(self, workshop):
        first = workshop.automation(CREATED, act("stop"), act("add_tags", tags=["never"]))
        second = workshop.automation(CREATED, NOTE)
        assert workshop.ticket()["tags"] == []
        (run,) = workshop.runs(first)
        assert [each["type"] for each in run["actions"]] == ["stop"]
        assert workshop.runs(second) == []

    def test_what_automations_do_sets_others_off(self, workshop):
        workshop.automation(CREATED, act("set_priority", priority="high"))
        urgent = {"field": "priority", "operator": "changed_to", "value": "high"}
        second = workshop.automation(on("ticket_updated", urgent), NOTE)
        assert len(workshop.ticket()["tags"]) == 1
        run = workshop.runs(second, matched="true")[0]
        assert run["hops"] == 1
        assert run["conditions"]["actual"] == ["medium", "high"]


class TestRights:
    def test_it_acts_for_its_author_and_the_event_is_nobodys(self, workshop, owner, installation):
        workshop.automation(CREATED, act("add_comment", content="Hello {customer_name}"))
        ticket = workshop.ticket()
        (comment,) = owner.get(f"/tickets/{ticket['id']}/comments/").json()["results"]
        assert (comment["author"]["id"], comment["content"]) == (owner.user.id, "Hello Member Example")
        with installation.session(owner.organization_id) as session:
            assert newest(session, "comment.created").actor_id is None

    @pytest.mark.parametrize("change", [{"is_active": False}, {"role": "agent"}], ids=str)
    def test_an_author_who_is_gone_or_may_not_any_more_stops_it(self, workshop, installation, change):
        automation = workshop.automation(CREATED, NOTE)
        self.become(installation, change)
        member = installation.client("member")
        member.post("/tickets/", json={"subject": "x"})
        workshop.run()
        self.become(installation, {"is_active": True, "role": "admin"})
        (run,) = workshop.runs(automation)
        assert (run["matched"], run["status"]) == (True, "skipped")
        assert run["actions"] == []
        shown = workshop.show(automation, include="problem")
        assert "deactivated" in shown["problem"]
        assert shown["execution_count"] == 0
        # They are back: it runs again, and all is well.
        assert len(workshop.ticket()["tags"]) == 1
        assert workshop.show(automation, include="problem")["problem"] == ""

    def become(self, installation, change):
        with installation.session() as session:
            session.execute(update(User).where(User.id == installation.accounts["owner"].id).values(**change))
            installation.commit(session)

    def test_whoever_changes_it_takes_it_over(self, workshop, owner, installation, member):
        automation = workshop.automation(CREATED, NOTE)
        with installation.session() as session:
            session.execute(update(User).where(User.id == member.user.id).values(role="admin"))
            installation.commit(session)
        member.patch(f"{AUTOMATIONS}{automation['id']}/", json={"actions": [act("add_tags", tags=["theirs"])]})
        assert workshop.show(automation, include="author")["author"]["id"] == member.user.id


class TestFailures:
    def failing(self, workshop, *more):
        """Closed tickets can only be opened."""
        return workshop.automation(
            CREATED, NOTE, act("set_status", status="closed"), *more, act("set_status", status="pending")
        )

    def test_a_failing_action_undoes_the_whole_run_and_says_so(self, workshop):
        automation = self.failing(workshop)
        other = workshop.automation(CREATED, act("set_priority", priority="low"))
        ticket = workshop.ticket()
        assert (ticket["tags"], ticket["status"], ticket["priority"]) == ([], "open", "low")
        (run,) = workshop.runs(automation)
        assert run["status"] == "failed"
        assert [each["status"] for each in run["actions"]] == ["done", "done", "failed"]
        assert run["reason"].startswith("set_status:")
        assert workshop.show(automation, include="failure_count")["failure_count"] == 1
        assert workshop.runs(other)[0]["status"] == "done"

    def test_nothing_of_it_is_told_to_others(self, workshop, installation):
        self.failing(workshop, act("send_notification", template="ticket_assigned", recipients=["customer"]))
        workshop.ticket()
        assert "ticket.status_changed" not in [kind for kind, _ in installation.events()]
        assert installation.client("member").get("/notifications/").json()["count"] == 0

    def test_again_and_again_switches_it_off_and_tells_the_administrators(self, workshop, owner):
        path = f"/organizations/{owner.organization_id}/"
        settings = owner.get(path).json()["settings"]
        settings["workflow"] = {"failures_until_disabled": 2}
        assert owner.put(path, json={"settings": settings}).status_code == 200
        automation = self.failing(workshop)
        for _ in range(3):
            workshop.ticket()
        shown = workshop.show(automation, include="problem")
        assert (shown["is_active"], shown["execution_count"]) == (False, 2)
        assert "Switched off after 2 failures" in shown["problem"]
        told = [row for row in owner.get("/notifications/").json()["results"] if row["kind"] == "automation_disabled"]
        assert len(told) == 1
        again = owner.post(f"{AUTOMATIONS}{automation['id']}/activate/").json()
        assert again["is_active"]
        assert workshop.show(automation, include="problem")["problem"] == ""

    def test_an_automation_whose_words_are_gone_is_flagged(self, workshop):
        (key,) = planted(workshop, ("ticket.created", {}, [act("an_action_of_old")]))
        workshop.ticket()
        assert "no such action" in workshop.show({"id": key}, include="problem")["problem"]


class TestOnce:
    def test_a_second_delivery_does_nothing(self, workshop):
        automation = workshop.automation(CREATED, NOTE, act("add_comment", content="Hi"))
        workshop.automation(on("ticket_created", {"priority": "low"}), NOTE)
        workshop.ticket()
        again(workshop, "ticket.created")
        workshop.run()
        with workshop.installation.session() as session:
            assert session.scalar(select(func.count()).select_from(Comment)) == 1
        assert len(workshop.runs()) == 2
        assert workshop.show(automation)["execution_count"] == 1

    def test_a_worker_that_dies_leaves_nothing_behind_and_the_next_one_does_it_all(
        self, workshop, installation, member
    ):
        """The commit never comes: what is done, the log and the count are one transaction."""
        automation = workshop.automation(CREATED, act("add_comment", content="Hi"))
        member.post("/tickets/", json={"subject": "x"})
        with installation.session(workshop.owner.organization_id) as session:
            handle(installation, session, "ticket.created")
            session.rollback()  # killed
        assert workshop.runs(automation) == []
        assert workshop.show(automation)["execution_count"] == 0
        workshop.run()
        assert len(workshop.runs(automation)) == 1
        with installation.session() as session:
            assert session.scalar(select(func.count()).select_from(Comment)) == 1

    def test_an_organisation_without_automations_gets_no_delivery(self, workshop, installation, outsider):
        workshop.automation(CREATED, NOTE)
        outsider.post("/tickets/", json={"subject": "x"})
        installation.parts.runner.pass_on()
        with installation.session() as session:
            jobs = text("SELECT count(*) FROM core_job WHERE name = 'helpdesk_workflow.run_automations'")
            assert session.scalar(jobs) == 0


class TestLimits:
    def test_two_that_were_never_checked_stop_at_the_third_level(self, workshop):
        """Ping and pong: the first run, and three that automations set off."""
        ping, pong = planted(
            workshop,
            ("ticket.status_changed", {"after": "pending"}, [act("set_status", status="open")]),
            ("ticket.status_changed", {"after": "open"}, [act("set_status", status="pending")]),
        )
        ticket = workshop.ticket()
        agent = workshop.installation.client("agent")
        agent.post(f"/tickets/{ticket['id']}/change_status/", json={"status": "pending"})
        workshop.run()
        runs = [(run["automation"]["id"], run["status"], run["hops"]) for run in workshop.runs(matched="true")]
        assert runs[::-1] == [
            (ping, "done", 0),
            (pong, "done", 1),
            (ping, "done", 2),
            (pong, "done", 3),
            (ping, "stopped", 4),
        ]
        assert "3 times in a row" in workshop.runs(status="stopped")[0]["reason"]

    def test_one_event_leads_to_a_hundred_actions_at_most(self, workshop):
        twenty = [act("add_comment", content="x", is_internal=True)] * 20
        for _ in range(6):
            workshop.automation(CREATED, *twenty)
        workshop.ticket()
        assert [run["status"] for run in workshop.runs()] == ["stopped", *["done"] * 5]
        assert "at most 100 actions" in workshop.runs(status="stopped")[0]["reason"]


class TestWaiting:
    def test_the_rest_is_done_later_and_the_log_has_it_all(self, workshop, clock):
        automation = workshop.automation(
            CREATED, act("set_priority", priority="high"), act("wait", hours=2), act("add_tags", tags=["late"])
        )
        ticket = workshop.ticket()
        assert (ticket["priority"], ticket["tags"]) == ("high", [])
        (run,) = workshop.runs(automation)
        assert run["status"] == "waiting"
        assert run["actions"][-1]["result"] == {"until": "2026-03-02T12:00:00Z"}
        clock.advance(hours=1)
        workshop.run()
        assert workshop.shown(ticket)["tags"] == []
        clock.advance(hours=1)
        workshop.run()
        workshop.run()
        assert len(workshop.shown(ticket)["tags"]) == 1
        (run,) = workshop.runs(automation)
        assert run["status"] == "done"
        assert [each["type"] for each in run["actions"]] == ["set_priority", "wait", "add_tags"]
        assert workshop.show(automation)["execution_count"] == 1

    def test_switched_off_meanwhile_it_is_not_done(self, workshop, owner, clock):
        automation = workshop.automation(CREATED, act("wait", minutes=5), NOTE)
        ticket = workshop.ticket()
        owner.post(f"{AUTOMATIONS}{automation['id']}/deactivate/")
        clock.advance(minutes=6)
        workshop.run()
        assert workshop.shown(ticket)["tags"] == []
        assert workshop.runs(automation)[0]["status"] == "skipped"

    def test_changed_meanwhile_it_goes_on_as_it_began(self, workshop, owner, clock):
        automation = workshop.automation(CREATED, act("wait", minutes=5), NOTE)
        ticket = workshop.ticket()
        owner.patch(f"{AUTOMATIONS}{automation['id']}/", json={"actions": [act("add_tags", tags=["other"])]})
        clock.advance(minutes=6)
        workshop.run()
        assert [tag["name"] for tag in workshop.shown(ticket)["tags"]] == ["seen"]


class TestDeletedTickets:
    def test_are_left_alone(self, workshop, owner):
        tells = act("send_notification", template="ticket_escalated", recipients=["creator"])
        changing = workshop.automation(on("ticket_deleted"), NOTE)
        telling = workshop.automation(on("ticket_deleted"), tells)
        ticket = workshop.ticket()
        assert owner.delete(f"/tickets/{ticket['id']}/").status_code == 204
        workshop.run()
        (run,) = workshop.runs(changing)
        assert (run["status"], run["reason"]) == ("skipped", "The ticket is deleted.")
        assert workshop.runs(telling)[0]["status"] == "done"


class TestComments:
    def test_conditions_see_who_says_what(self, workshop, member, agent):
        workshop.automation(
            on("comment_created", {"author_role": "customer", "is_internal": False, "content": "thanks"}),
            act("set_status", status="resolved"),
        )
        ticket = workshop.ticket()
        for client, content in ((agent, "thanks"), (member, "Thanks "), (member, "no thanks")):
            client.post(f"/tickets/{ticket['id']}/comments/", json={"content": content})
            workshop.run()
            resolved = workshop.shown(ticket)["status"] == "resolved"
            assert resolved is (content == "Thanks ")
        assert len(workshop.runs(matched="true")) == 1


class TestCost:
    def test_a_thousand_automations_cost_an_event_few_statements(self, workshop, installation):
        conditions = [{"subject": f"subject {number}"} for number in range(1000)]
        planted(workshop, *(("ticket.created", each, [NOTE]) for each in conditions))
        workshop.ticket()
        seen = []
        engine = installation.parts.services.database.engine
        sql_event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
        workshop.ticket()
        assert len([each for each in seen if "workflow_" in each]) < 10
        with installation.session() as session:
            assert session.scalar(select(func.count()).select_from(Run)) == 200  # a hundred misses are kept for each

    def test_what_is_old_is_forgotten(self, workshop, clock, installation):
        workshop.automation(on("ticket_created", {"priority": "low"}), NOTE)
        workshop.automation(CREATED, NOTE)
        workshop.ticket()
        clock.advance(days=8)
        installation.run_schedules()
        assert [run["status"] for run in workshop.runs()] == ["done"]
        clock.advance(days=360)
        installation.run_schedules()
        assert workshop.runs() == []


def test_the_log_of_a_ticket_tells_why_something_happened(workshop, owner):
    first = workshop.automation(CREATED, act("set_priority", priority="high"))
    one, _ = workshop.ticket(), workshop.ticket()
    uuid = owner.get(f"/tickets/{one['id']}/").json()["id"]
    for name in (str(one["id"]), uuid):
        (run,) = workshop.runs(ticket=name)
        assert run["automation"] == {"id": first["id"], "name": "An automation"}
        assert run["actions"][0]["changes"] == {"priority": ["medium", "high"]}
        assert (run["ticket"]["id"], run["ticket"]["key"]) == (uuid, one["id"])
    assert workshop.runs(ticket="00000000-0000-4000-8000-000000000000") == []
    assert len(workshop.runs(created_after=(workshop.installation.clock.now() - timedelta(1)).isoformat())) == 2
