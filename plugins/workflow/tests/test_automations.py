"""Automations over HTTP: who may, the documented example, what is refused at save, versions."""

import pytest

from plugins.workflow.tests.workshop import AUTOMATIONS, CREATED, NOTE, act, on

LOG = "/advanced-workflow/executions/"
DOCUMENTED = {
    "name": "Ticket Auto-Assignment",
    "description": "Automatically assign tickets based on category",
    "trigger": {"type": "ticket_created", "conditions": {"category": "technical_support"}},
    "actions": [
        {"type": "assign_agent", "parameters": {"agent_id": 2}},
        {
            "type": "send_notification",
            "parameters": {"template": "ticket_assigned", "recipients": ["agent", "customer"]},
        },
    ],
    "is_active": True,
}
ANSWER = {
    *("id", "name", "description", "trigger", "actions", "is_active"),
    *("execution_count", "last_executed", "created_at", "updated_at"),
}


class TestOutsiders:
    @pytest.fixture
    def path(self, workshop):
        return f"{AUTOMATIONS}{workshop.automation(CREATED, NOTE)['id']}/"

    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
    def test_find_no_automation(self, outsider, path, method):
        options = {} if method in {"get", "delete"} else {"json": {"name": "Mine"}}
        assert getattr(outsider, method)(path, **options).status_code == 404

    @pytest.mark.parametrize(
        ("method", "below", "body"),
        [
            ("post", "activate/", None),
            ("post", "deactivate/", None),
            ("post", "clone/", {}),
            ("post", "restore/", {"version": 1}),
            ("post", "test/", {}),
            ("post", "execute/", {}),
            ("post", "backtest/", {"since": "2024-01-01"}),
            ("get", "versions/", None),
            ("get", "executions/", None),
        ],
    )
    def test_do_nothing_with_it(self, outsider, path, method, below, body):
        options = {} if body is None else {"json": body}
        assert getattr(outsider, method)(path + below, **options).status_code == 404

    def test_list_nothing_and_see_no_log(self, outsider, workshop, path):
        workshop.ticket()
        assert workshop.runs()
        assert outsider.get(AUTOMATIONS).json()["results"] == []
        assert outsider.get(LOG).json()["results"] == []

    def test_are_not_acted_on(self, outsider, workshop, path, run_jobs):
        ticket = outsider.post("/tickets/", json={"subject": "Mine"}).json()
        run_jobs()
        assert outsider.get(f"/tickets/{ticket['id']}/").json()["tags"] == []
        assert workshop.runs() == []


class TestRoles:
    @pytest.mark.parametrize("who", ["member", "technician", "agent"])
    def test_only_administrators_come_in(self, installation, who):
        client = installation.client(who)
        for path in (AUTOMATIONS, LOG, "/advanced-workflow/triggers/", "/advanced-workflow/actions/"):
            assert client.get(path).status_code == 403
        assert client.post(AUTOMATIONS, json=DOCUMENTED).status_code == 403


class TestTheDocumentedExample:
    def test_is_kept_word_for_word_and_does_what_it_says(self, owner, agent, member, workshop, run_jobs):
        category = owner.post("/categories/", json={"name": "Technical support"}).json()
        body = {**DOCUMENTED, "actions": [dict(each) for each in DOCUMENTED["actions"]]}
        body["actions"][0] = {"type": "assign_agent", "parameters": {"agent_id": agent.user.id}}
        reply = owner.post(AUTOMATIONS, json=body)
        assert reply.status_code == 201
        automation = reply.json()
        assert set(automation) == ANSWER
        assert {name: automation[name] for name in body} == body
        assert (automation["execution_count"], automation["last_executed"]) == (0, None)
        ticket = workshop.ticket(category=category["id"])
        assert ticket["assigned_to"]["id"] == agent.user.id
        told = [row["kind"] for row in agent.get("/notifications/").json()["results"]]
        assert "ticket_assigned" in told
        automation = workshop.show(automation)
        assert (automation["execution_count"], automation["last_executed"]) == (1, "2026-03-02T10:00:00Z")

    def test_leaves_other_categories_alone(self, owner, agent, workshop):
        owner.post("/categories/", json={"name": "Technical support"})
        automation = workshop.automation(
            on("ticket_created", {"category": "technical_support"}), act("assign_agent", agent_id=agent.user.id)
        )
        assert workshop.ticket()["assigned_to"] is None
        assert workshop.show(automation)["execution_count"] == 0
        (run,) = workshop.runs(automation)
        assert (run["matched"], run["status"]) == (False, "unmatched")
        expected = {"field": "category", "operator": "is", "expected": "technical_support", "actual": None}
        assert run["conditions"] == {**expected, "matched": False}

    def test_the_type_is_echoed_as_it_was_spelled(self, workshop):
        for spelled in ("ticket_created", "ticket.created"):
            assert workshop.automation(on(spelled), NOTE)["trigger"] == {"type": spelled, "conditions": {}}


class TestWhatMakesNoSense:
    @pytest.mark.parametrize(
        ("trigger", "field"),
        [
            (on("ticket_exploded"), "trigger.type"),
            (on("ticket_created", {"colour": "red"}), "trigger.conditions.colour"),
            (on("ticket_created", {"priority": "huge"}), "trigger.conditions.priority"),
            (on("ticket_created", {"priority": 3}), "trigger.conditions.priority"),
            (on("ticket_created", {"category": "unknown"}), "trigger.conditions.category"),
            (on("ticket_created", {"category": 999}), "trigger.conditions.category"),
            (on("ticket_created", {"assigned_agent": 999_999}), "trigger.conditions.assigned_agent"),
            (on("ticket_created", {"any": []}), "trigger.conditions.any"),
            (on("ticket_created", {"all": [{"priority": "huge"}]}), "trigger.conditions.all.0.priority"),
            (on("ticket_created", {"not": {"subject": 5}}), "trigger.conditions.not.subject"),
            (
                on("ticket_created", {"field": "subject", "operator": "matches", "value": ".*"}),
                "trigger.conditions",
            ),
            (
                on("ticket_created", {"field": "status", "operator": "changed_to", "value": "open"}),
                "trigger.conditions",
            ),
            (on("ticket_created", cron="* * * * *"), "trigger.cron"),
            (on("schedule"), "trigger.cron"),
            (on("schedule", cron="every day"), "trigger.cron"),
            (on("no_change"), "trigger.hours"),
            (on("no_change", hours=0), "trigger.hours"),
        ],
        ids=str,
    )
    def test_in_a_trigger_is_refused_by_its_place(self, workshop, trigger, field):
        assert field in workshop.refused(trigger)

    @pytest.mark.parametrize(
        ("action", "field"),
        [
            (act("explode"), "actions.0.type"),
            (act("assign_agent"), "actions.0.parameters"),
            (act("assign_agent", agent_id=999_999), "actions.0.parameters.agent_id"),
            (act("assign_agent", strategy="best"), "actions.0.parameters.strategy"),
            (act("set_status", status="gone"), "actions.0.parameters.status"),
            (act("set_status", state="open"), "actions.0.parameters.state"),
            (act("set_category", category="unknown"), "actions.0.parameters.category"),
            (act("add_tags", tags=[]), "actions.0.parameters.tags"),
            (act("add_tags", tags=["12"]), "actions.0.parameters.tags"),
            (act("add_comment", content=" "), "actions.0.parameters.content"),
            (act("send_notification", template="unknown", recipients=["agent"]), "actions.0.parameters.template"),
            (
                act("send_notification", template="ticket_assigned", recipients=["everybody"]),
                "actions.0.parameters.recipients",
            ),
            (
                act("send_notification", template="ticket_assigned", recipients=[999_999]),
                "actions.0.parameters.recipients",
            ),
            (act("wait"), "actions.0.parameters"),
            (act("set_due_date", hours=-1), "actions.0.parameters.hours"),
        ],
        ids=str,
    )
    def test_in_an_action_is_refused_by_its_place(self, workshop, action, field):
        assert field in workshop.refused(CREATED, action)

    def test_a_customer_is_no_agent(self, workshop, member):
        refused = workshop.refused(CREATED, act("assign_agent", agent_id=member.user.id))
        assert "actions.0.parameters.agent_id" in refused

    def test_an_action_about_a_ticket_needs_an_event_about_one(self, workshop):
        assert "actions.0.type" in workshop.refused(on("category_created"), NOTE)

    def test_every_mistake_is_named_at_once(self, workshop):
        found = workshop.refused(on("ticket_created", {"colour": 1}), act("explode"), act("set_status", status="x"))
        assert {*found} == {"trigger.conditions.colour", "actions.0.type", "actions.1.parameters.status"}

    def test_a_misspelt_field_is_answered_with_the_nearest_one(self, workshop):
        (message,) = workshop.refused(on("ticket_created", {"prioritty": "high"})).values()
        assert "Did you mean priority?" in message

    def test_too_much_is_refused(self, workshop):
        deep = {"subject": "x"}
        for _ in range(5):
            deep = {"not": deep}
        assert workshop.refused(on("ticket_created", deep))
        assert workshop.refused(on("ticket_created", {"any": [{"subject": "x"}] * 50}))
        assert workshop.refused(on("ticket_created", {"all": [{"subject": "x" * 999}] * 17}))
        assert "actions" in workshop.refused(CREATED, *[NOTE] * 21)


class TestChanging:
    def test_what_is_left_out_stays(self, owner, workshop):
        automation = workshop.automation(CREATED, NOTE, description="Marks")
        changed = owner.patch(f"{AUTOMATIONS}{automation['id']}/", json={"name": "Other"}).json()
        assert changed == {**automation, "name": "Other"}

    def test_counts_cannot_be_written(self, owner, workshop):
        automation = workshop.automation(CREATED, NOTE)
        body = {**automation, "execution_count": 99, "last_executed": "2024-01-01T00:00:00Z"}
        assert owner.put(f"{AUTOMATIONS}{automation['id']}/", json=body).json() == automation

    def test_one_that_is_off_does_nothing(self, owner, workshop):
        automation = workshop.automation(CREATED, NOTE, is_active=False)
        assert workshop.ticket()["tags"] == []
        assert owner.post(f"{AUTOMATIONS}{automation['id']}/activate/").json()["is_active"] is True
        assert len(workshop.ticket()["tags"]) == 1
        assert owner.post(f"{AUTOMATIONS}{automation['id']}/deactivate/").json()["is_active"] is False
        assert workshop.ticket()["tags"] == []

    def test_a_removed_one_does_nothing_and_its_log_stays(self, owner, workshop):
        automation = workshop.automation(CREATED, NOTE)
        workshop.ticket()
        assert owner.delete(f"{AUTOMATIONS}{automation['id']}/").status_code == 204
        assert owner.get(f"{AUTOMATIONS}{automation['id']}/").status_code == 404
        assert workshop.ticket()["tags"] == []
        assert [run["automation"]["id"] for run in workshop.runs()] == [automation["id"]]

    def test_a_copy_is_off_and_counts_from_nothing(self, owner, workshop):
        automation = workshop.automation(CREATED, NOTE)
        workshop.ticket()
        reply = owner.post(f"{AUTOMATIONS}{automation['id']}/clone/", json={})
        assert reply.status_code == 201
        copy = reply.json()
        assert (copy["name"], copy["is_active"], copy["execution_count"]) == ("Copy of An automation", False, 0)
        assert (copy["trigger"], copy["actions"]) == (automation["trigger"], automation["actions"])

    def test_is_told_to_others(self, owner, workshop, installation):
        automation = workshop.automation(CREATED, NOTE)
        owner.patch(f"{AUTOMATIONS}{automation['id']}/", json={"name": "Other"})
        owner.delete(f"{AUTOMATIONS}{automation['id']}/")
        told = [kind for kind, _ in installation.events() if kind.startswith("automation.")]
        assert told == ["automation.created", "automation.updated", "automation.deleted"]


class TestListing:
    def test_filters_searches_and_sorts(self, owner, workshop):
        workshop.automation(CREATED, NOTE, name="Alpha")
        workshop.automation(on("comment.created"), NOTE, name="Beta", is_active=False)

        def names(**parameters):
            return [row["name"] for row in owner.get(AUTOMATIONS, params=parameters).json()["results"]]

        assert names(ordering="name") == ["Alpha", "Beta"]
        assert names(search="bet") == ["Beta"]
        assert names(is_active="true") == ["Alpha"]
        assert names(trigger="comment_created") == ["Beta"]
        assert names(trigger="unknown") == []
        assert names(has_problem="true") == []
        assert owner.get(AUTOMATIONS, params={"colour": 1}).status_code == 400

    def test_shows_more_on_request(self, owner, workshop):
        automation = workshop.automation(CREATED, NOTE)
        shown = workshop.show(automation, include="author,version,problem,failure_count")
        assert shown["author"]["id"] == owner.user.id
        assert (shown["version"], shown["problem"], shown["failure_count"]) == (1, "", 0)


class TestVersions:
    def versions(self, owner, automation):
        return owner.get(f"{AUTOMATIONS}{automation['id']}/versions/").json()["results"]

    def test_every_change_is_kept(self, owner, workshop):
        automation = workshop.automation(CREATED, NOTE)
        path = f"{AUTOMATIONS}{automation['id']}/"
        owner.patch(path, json={"actions": [act("set_priority", priority="low")]})
        owner.patch(path, json={"name": "An automation"})  # as it is
        owner.post(f"{path}deactivate/")
        rows = self.versions(owner, automation)
        assert [(row["version"], row["is_active"]) for row in rows] == [(3, False), (2, True), (1, True)]
        assert [row["actions"][0]["type"] for row in rows] == ["set_priority", "set_priority", "add_tags"]
        assert {row["changed_by"]["id"] for row in rows} == {owner.user.id}

    def test_what_was_can_be_again(self, owner, workshop):
        automation = workshop.automation(CREATED, NOTE, name="First")
        path = f"{AUTOMATIONS}{automation['id']}/"
        owner.patch(path, json={"name": "Second", "actions": [act("set_priority", priority="low")]})
        restored = owner.post(f"{path}restore/", json={"version": 1}).json()
        assert (restored["name"], restored["actions"]) == ("First", automation["actions"])
        assert self.versions(owner, automation)[0]["version"] == 3
        assert len(workshop.ticket()["tags"]) == 1
        assert owner.post(f"{path}restore/", json={"version": 9}).status_code == 400

    def test_the_log_tells_which_one_ran(self, owner, workshop):
        automation = workshop.automation(CREATED, NOTE)
        workshop.ticket()
        owner.patch(f"{AUTOMATIONS}{automation['id']}/", json={"description": "changed"})
        workshop.ticket()
        assert [run["version"] for run in workshop.runs(automation)] == [2, 1]


class TestCatalogues:
    def test_every_event_of_every_plugin_is_a_trigger(self, owner, installation):
        rows = owner.get("/advanced-workflow/triggers/").json()["results"]
        assert {row["event"] for row in rows} == {*installation.parts.host.event_types, "schedule", "no_change"}
        created = next(row for row in rows if row["type"] == "ticket_created")
        fields = {each["name"]: each for each in created["fields"]}
        assert fields["priority"]["values"] == ["low", "medium", "high", "urgent"]
        assert fields["customer_id"]["type"] == "key"
        assert "contains" in fields["subject"]["operators"]
        assert all(row["description"] for row in rows)

    def test_changes_are_offered_where_there_are_any(self, owner):
        rows = {row["type"]: row for row in owner.get("/advanced-workflow/triggers/").json()["results"]}

        def changing(name):
            return {each["name"] for each in rows[name]["fields"] if "changed_to" in each["operators"]}

        assert changing("ticket_created") == set()
        assert changing("ticket_status_changed") == {"status"}
        assert {"priority", "tags", "category"} <= changing("ticket_updated")

    def test_every_action_has_a_schema(self, owner):
        rows = {row["type"]: row for row in owner.get("/advanced-workflow/actions/").json()["results"]}
        assert {
            *("assign_agent", "set_status", "set_priority", "set_category", "add_tags", "remove_tags"),
            *("add_comment", "send_notification", "create_ticket", "escalate", "set_due_date", "wait", "stop"),
        } <= set(rows)
        assert rows["set_status"]["parameters"]["required"] == ["status"]
