"""Makes automations and tickets for tests, and looks at what became of them."""

from helpdesk_core.testing import Client

AUTOMATIONS = "/advanced-workflow/automations/"


class Workshop:
    """Makes automations and tickets, and looks at what became of them."""

    def __init__(self, installation, run_jobs):
        self.installation = installation
        self.owner: Client = installation.client("owner")
        self.run = run_jobs

    def automation(self, trigger, *actions, client=None, **fields):
        body = {"name": "An automation", "trigger": trigger, "actions": list(actions), **fields}
        reply = (client or self.owner).post(AUTOMATIONS, json=body)
        assert reply.status_code == 201, reply.text
        return reply.json()

    def refused(self, trigger, *actions, status=400, **fields):
        """The fields that a refusal names, with its messages."""
        body = {"name": "An automation", "trigger": trigger, "actions": list(actions) or [NOTE], **fields}
        reply = self.owner.post(AUTOMATIONS, json=body)
        assert reply.status_code == status, reply.text
        details = reply.json()["error"]["details"]
        return {each["field"]: each["message"] for each in details.get("errors", [details])}

    def ticket(self, client=None, **fields):
        """A new ticket, with everything that follows from it done; as CLASSIC shows it, for its key."""
        reply = (client or self.installation.client("member")).classic.post(
            "/tickets/", json={"title": "Printer on fire", **fields}
        )
        assert reply.status_code == 201, reply.text
        self.run()
        return self.shown(reply.json())

    def shown(self, ticket):
        return self.owner.classic.get(f"/tickets/{ticket['id']}/").json()

    def runs(self, automation=None, **parameters):
        path = f"{AUTOMATIONS}{automation['id']}/executions/" if automation else "/advanced-workflow/executions/"
        reply = self.owner.get(path, params=parameters)
        assert reply.status_code == 200, reply.text
        return reply.json()["results"]

    def show(self, automation, **parameters):
        return self.owner.get(f"{AUTOMATIONS}{automation['id']}/", params=parameters).json()


NOTE = {"type": "add_tags", "parameters": {"tags": ["seen"]}}
CREATED = {"type": "ticket_created", "conditions": {}}


def act(name, **parameters):
    return {"type": name, "parameters": parameters}


def on(name, conditions=None, **more):
    return {"type": name, "conditions": conditions or {}, **more}
