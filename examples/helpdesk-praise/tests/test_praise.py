"""An automation praises whoever has solved a ticket."""

import pytest

from helpdesk_core.testing import PluginConformance

AUTOMATIONS = "/advanced-workflow/automations/"
WHEN_SOLVED = {"type": "ticket_status_changed", "conditions": {"status": "resolved"}}


@pytest.fixture
def praise(owner):
    """Have tickets that are solved praised in these words."""

    def automate(**parameters):
        actions = [{"type": "praise", "parameters": parameters}]
        return owner.post(AUTOMATIONS, json={"name": "Praise", "trigger": WHEN_SOLVED, "actions": actions})

    return automate


@pytest.fixture
def solve(run_jobs):
    """Take a ticket and solve it, each with everything that follows."""

    def act(client, ticket):
        for verb, body in (("assign", {"user_id": client.user.id}), ("change_status", {"status": "resolved"})):
            assert client.post(f"/tickets/{ticket['id']}/{verb}/", json=body).status_code == 200
            run_jobs()

    return act


def praised(client):
    told = client.get("/notifications/").json()["results"]
    return [each["title"] for each in told if each["kind"] == "praise_given"]


def test_whoever_solves_a_ticket_is_praised_once(praise, solve, agent, member):
    assert praise(words="Splendid!").status_code == 201
    solve(agent, member.post("/tickets/", json={"subject": "Printer on fire"}).json())
    assert praised(agent) == ["Well done: Printer on fire"]
    assert praised(member) == []


def test_a_parameter_that_it_does_not_have_is_refused_by_name(praise):
    reply = praise(colour="red")
    assert reply.status_code == 400
    assert "actions.0.parameters.colour" in reply.text


def test_where_the_plugin_is_off_there_is_no_such_action(praise, installation):
    installation.disable("praise")
    assert praise().status_code == 400


class TestConformance(PluginConformance):
    plugin = "praise"
