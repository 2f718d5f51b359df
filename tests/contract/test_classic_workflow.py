"""CLASSIC, word for word: its two code samples and its request examples, in the order of the document."""

import pytest

from tests.contract.documents import CLASSIC, answer, form, page_of, variant
from tests.contract.shapes import assert_shape
from tests.contract.steps import bearer, created, deleted, log_in, register, served

PYTHON_SAMPLE = """\
import requests

# Authenticate
response = requests.post('https://api.example.com/api/v1/auth/token/', {
    'username': 'your_username',
    'password': 'your_password'
})
token = response.json()['access']

# Make authenticated request
headers = {'Authorization': f'Bearer {token}'}
tickets = requests.get('https://api.example.com/api/v1/tickets/', headers=headers)
print(tickets.json())
"""


class Requests:
    """As much of the `requests` library as the sample uses, talking to the server under test."""

    def __init__(self, anonymous):
        self._send = anonymous.raw

    def post(self, url, data):
        """As the library does, encode a dictionary given as second argument as a form."""
        return self._send("POST", url.removeprefix("https://api.example.com"), data=data)

    def get(self, url, headers):
        return self._send("GET", url.removeprefix("https://api.example.com"), headers=headers)


@pytest.fixture
def account(anonymous):
    """The account of the samples, with a ticket."""
    register(anonymous, "your_username", password="your_password")
    access = log_in(anonymous, "your_username", "your_password")["access"]
    created(anonymous.post("/tickets/", json={"title": "Login issue"}, headers=bearer(access)))


class TestSamples:
    def test_the_python_sample_prints_the_tickets(self, anonymous, account):
        printed = []
        sample = PYTHON_SAMPLE.replace("import requests\n", "")
        exec(sample, {"requests": Requests(anonymous), "print": printed.append})
        (tickets,) = printed
        assert [ticket["title"] for ticket in tickets["results"]] == ["Login issue"]

    def test_the_javascript_sample_logs_the_tickets(self, anonymous, account):
        text = '{"username":"your_username","password":"your_password"}'
        headers = {"Content-Type": "application/json"}
        reply = anonymous.raw("POST", "/api/v1/auth/token/", content=text, headers=headers)
        access = served(reply)["access"]
        tickets = served(anonymous.raw("GET", "/api/v1/tickets/", headers=bearer(access)))
        assert [ticket["title"] for ticket in tickets["results"]] == ["Login issue"]

    def test_the_form_is_what_the_python_library_writes(self, anonymous, account):
        form_type = {"Content-Type": "application/x-www-form-urlencoded"}
        body = "username=your_username&password=your_password"
        served(anonymous.post("/auth/token/", content=body, headers=form_type))


class TestAWorkingDay:
    """An administrator and an agent go through the document from its first example to its last."""

    def test_tickets(self, owner, agent, technician):
        category, tags = prepare(owner.classic)
        ticket = self.create_ticket(agent, category, tags)
        path = f"/tickets/{ticket['id']}/"

        assert served(agent.classic.get(path))["assigned_to"]["username"] == agent.user.username

        assigned = served(agent.classic.post(f"{path}assign/", json={"user_id": technician.user.id}))
        assert assigned["assigned_to"]["id"] == technician.user.id

        example = variant("tickets_change_status", CLASSIC)
        resolved = served(agent.classic.post(f"{path}change_status/", json=example.request))
        assert (resolved["status"], resolved["status_display"]) == ("resolved", "Resolved")
        assert resolved["resolution"] == "Issue resolved by updating configuration"

        assert served(agent.classic.get("/tickets/stats/"))["resolved_tickets"] == 1
        assert served(agent.classic.get("/tickets/my_tickets/"))["count"] == 1
        deleted(agent.classic.delete(path))
        assert served(agent.classic.get("/tickets/"))["count"] == 0

    def create_ticket(self, agent, category, tags):
        example = variant("tickets_create", CLASSIC).request
        references = {"category": category["id"], "assigned_to": agent.user.id}
        tag_ids = [tag["id"] for tag in tags]
        reply = agent.classic.post("/tickets/", json={**example, **references, "tags": tag_ids})
        ticket = created(reply)
        assert_shape(ticket, answer("tickets_create", CLASSIC))
        for name in ("title", "description", "priority", "due_date"):
            assert ticket[name] == example[name]
        assert ticket["category"]["id"] == category["id"]
        assert sorted(tag["id"] for tag in ticket["tags"]) == sorted(tag_ids)
        return ticket

    def test_updates(self, agent):
        ticket = created(agent.classic.post("/tickets/", json={"title": "Login issue"}))
        path = f"/tickets/{ticket['id']}/"
        assert served(agent.classic.put(path, json={"title": "Login"}))["title"] == "Login"
        assert served(agent.classic.patch(path, json={"priority": "urgent"}))["priority_display"] == "Urgent"

    def test_comments(self, agent):
        ticket = created(agent.classic.post("/tickets/", json={"title": "Login issue"}))
        path = f"/tickets/{ticket['id']}/comments/"
        example = variant("ticket_comments_create", CLASSIC).request
        comment = created(agent.classic.post(path, json=example))
        assert_shape(comment, form("comment", CLASSIC))
        assert {name: comment[name] for name in example} == example
        assert comment["author"]["id"] == agent.user.id

        changed = served(agent.classic.put(f"{path}{comment['id']}/", json={"content": "Changed"}))
        assert changed["content"] == "Changed"
        changed = served(agent.classic.patch(f"{path}{comment['id']}/", json={"content": "Again"}))
        assert changed["content"] == "Again"
        assert_shape(served(agent.classic.get(path)), page_of(form("comment", CLASSIC)))
        deleted(agent.classic.delete(f"{path}{comment['id']}/"))
        assert served(agent.classic.get(path))["count"] == 0

    @pytest.mark.parametrize(
        ("operation", "listing"),
        [
            ("categories_create", "/categories/"),
            ("tags_create", "/tags/"),
            ("templates_create", "/templates/"),
            ("filters_create", "/filters/"),
        ],
    )
    def test_what_is_created_is_listed(self, owner, operation, listing):
        example = variant(operation, CLASSIC).request
        made = created(owner.classic.post(listing, json=example))
        assert {name: made[name] for name in example} == example
        assert made in served(owner.classic.get(listing))["results"]

    def test_a_template_is_used(self, agent):
        template = created(agent.classic.post("/templates/", json=variant("templates_create", CLASSIC).request))
        example = variant("templates_use_template", CLASSIC).request
        used = served(agent.classic.post(f"/templates/{template['id']}/use_template/", json=example))
        assert used == answer("templates_use_template", CLASSIC)

    def test_popular_tags_and_users_are_listed(self, agent):
        created(agent.classic.post("/tickets/", json={"title": "Login issue", "tags": ["login"]}))
        (tag,) = served(agent.classic.get("/tags/popular/"))["results"]
        assert (tag["name"], tag["usage_count"]) == ("login", 1)
        users = served(agent.classic.get("/users/"))["results"]
        assert agent.user.id in [user["id"] for user in users]


def prepare(owner):
    """The category and the two tags that the ticket example names by id."""
    category = created(owner.post("/categories/", json=variant("categories_create", CLASSIC).request))
    names = ("login", "urgent")
    return category, [created(owner.post("/tags/", json={"name": name})) for name in names]


def test_the_documented_validation_error_is_given_for_the_documented_mistakes(member):
    reply = member.classic.post("/tickets/", json={"description": "No title", "priority": "extreme"})
    assert reply.status_code == 400
    error = reply.json()
    assert error["error"] == "Validation failed"
    assert sorted(error["details"]) == ["priority", "title"]
    assert error["details"]["title"] == ["This field is required."]
    assert error["details"]["priority"] == ["Invalid choice."]
