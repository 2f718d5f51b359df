"""Automations are among the changes that those who may see them can follow."""

from plugins.workflow.tests.workshop import CREATED, NOTE


def changes(client):
    found = client.get("/changes/?types=automation")
    assert found.status_code == 200, found.text
    return [(each["type"], each["key"], each["data"]) for each in found.json()["results"]]


def test_outsiders_and_customers_hear_of_none(workshop, outsider, member):
    workshop.automation(CREATED, NOTE)
    assert changes(outsider) == []
    assert "automation" not in member.get("/changes/").text


def test_an_administrator_sees_it_as_it_is_and_then_its_end(workshop, owner):
    made = workshop.automation(CREATED, NOTE)
    path = f"/advanced-workflow/automations/{made['id']}/"
    assert changes(owner) == [("automation.created", made["id"], owner.get(path).json())]
    assert owner.delete(path).status_code == 204
    assert changes(owner)[-1] == ("automation.deleted", made["id"], None)
