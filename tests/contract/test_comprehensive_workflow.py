"""COMPREHENSIVE, word for word: its curl workflow and its request examples, in the order of the document."""

import json
import shlex
from itertools import pairwise
from urllib.parse import urlsplit

import pytest

from tests.contract.documents import COMPREHENSIVE, answer, form, page_of, variant
from tests.contract.shapes import assert_shape
from tests.contract.steps import bearer, created, deleted, log_in, refused, register, served

REGISTER = """\
curl -X POST https://api.helpdesk.com/api/v1/users/register/ \\
  -H "Content-Type: application/json" \\
  -d '{
    "email": "user@example.com",
    "username": "johndoe",
    "password": "securepassword123",
    "first_name": "John",
    "last_name": "Doe",
    "phone": "+1234567890"
  }'
"""

LOG_IN = """\
curl -X POST https://api.helpdesk.com/api/v1/users/login/ \\
  -H "Content-Type: application/json" \\
  -d '{
    "email": "user@example.com",
    "password": "securepassword123"
  }'
"""

CREATE_TICKET = """\
curl -X POST https://api.helpdesk.com/api/v1/tickets/ \\
  -H "Authorization: Bearer <access_token>" \\
  -H "Content-Type: application/json" \\
  -d '{
    "subject": "Login Issue",
    "description": "Cannot login to the system",
    "priority": "high",
    "tags": ["login", "authentication"]
  }'
"""

GET_TICKETS = """\
curl -X GET "https://api.helpdesk.com/api/v1/tickets/?status=open&priority=high" \\
  -H "Authorization: Bearer <access_token>"
"""

ADD_COMMENT = """\
curl -X POST https://api.helpdesk.com/api/v1/tickets/123e4567-e89b-12d3-a456-426614174000/comments/ \\
  -H "Authorization: Bearer <access_token>" \\
  -H "Content-Type: application/json" \\
  -d '{
    "content": "Working on this issue. Will update soon.",
    "is_internal": false
  }'
"""


def curl(anonymous, command, access_token="", ticket_id=""):
    """Sends what the documented command sends, with the two placeholders filled in."""
    command = command.replace("<access_token>", access_token)
    command = command.replace("123e4567-e89b-12d3-a456-426614174000", ticket_id)
    words = shlex.split(command.replace("\\\n", " "))[1:]
    url = next(word for word in words if word.startswith("https://"))
    options = [(name, value) for name, value in pairwise(words) if name.startswith("-")]
    headers = dict(value.split(": ", 1) for name, value in options if name == "-H")
    body = next((value for name, value in options if name == "-d"), None)
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return anonymous.raw(dict(options)["-X"], target, headers=headers, content=body)


@pytest.fixture
def user(anonymous):
    return created(curl(anonymous, REGISTER))["user"]


@pytest.fixture
def access_token(anonymous, user):
    return served(curl(anonymous, LOG_IN))["access_token"]


@pytest.fixture
def ticket(anonymous, access_token):
    return created(curl(anonymous, CREATE_TICKET, access_token))


class TestTheWorkflow:
    def test_step_1_registers_a_user(self, owner, anonymous):
        registered = created(curl(anonymous, REGISTER))
        documented = answer("users_register", COMPREHENSIVE)
        assert_shape(registered, documented)
        free = {"id", "created_at", "updated_at"}
        for name in documented["user"].keys() - free:
            assert registered["user"][name] == documented["user"][name], name
        assert registered["message"] == "User created successfully"

    def test_step_2_logs_in_before_the_address_is_verified(self, owner, anonymous, user):
        tokens = served(curl(anonymous, LOG_IN))
        assert_shape(tokens, form("tokens", COMPREHENSIVE))
        assert tokens["user"]["id"] == user["id"]
        assert tokens["access"] == tokens["access_token"]
        assert tokens["refresh"] == tokens["refresh_token"]

    def test_step_3_creates_a_ticket(self, owner, anonymous, user, access_token):
        ticket = created(curl(anonymous, CREATE_TICKET, access_token))
        assert_shape(ticket, answer("tickets_create", COMPREHENSIVE))
        assert (ticket["ticket_number"], ticket["status"], ticket["priority"]) == ("TKT-001", "new", "high")
        assert ticket["subject"] == "Login Issue"
        assert ticket["description"] == "Cannot login to the system"
        assert sorted(ticket["tags"]) == ["authentication", "login"]
        assert ticket["customer"] == {name: user[name] for name in ("id", "email", "full_name")}
        assert ticket["organization"]["name"] == "Acme Corporation"
        assert ticket["assigned_agent"] is None

    def test_step_4_lists_open_tickets_and_the_new_one_is_not_open_yet(self, agent, anonymous, access_token):
        ticket = created(curl(anonymous, CREATE_TICKET, access_token))
        assert served(curl(anonymous, GET_TICKETS, access_token))["results"] == []
        served(agent.put(f"/tickets/{ticket['id']}/", json={"status": "open"}))
        page = served(curl(anonymous, GET_TICKETS, access_token))
        assert_shape(page, answer("tickets_list", COMPREHENSIVE))
        assert [each["id"] for each in page["results"]] == [ticket["id"]]

    def test_step_5_comments_on_the_ticket(self, owner, anonymous, user, access_token, ticket):
        comment = created(curl(anonymous, ADD_COMMENT, access_token, ticket["id"]))
        assert_shape(comment, answer("ticket_comments_create", COMPREHENSIVE))
        assert comment["content"] == "Working on this issue. Will update soon."
        assert comment["author"] == {name: user[name] for name in ("id", "email", "full_name")}
        shown = served(anonymous.get(f"/tickets/{ticket['id']}/", headers=bearer(access_token)))
        assert shown["comments"] == [comment]


class TestTheExamples:
    def test_a_profile_is_read_and_changed(self, member):
        shown = served(member.get("/users/profile/"))
        assert_shape(shown, answer("users_profile_retrieve", COMPREHENSIVE))
        changed = served(member.put("/users/profile/", json=variant("users_profile_update", COMPREHENSIVE).request))
        assert (changed["full_name"], changed["phone"]) == ("John Doe", "+1234567890")
        assert (changed["timezone"], changed["language"]) == ("America/New_York", "en")
        assert changed["email"] == member.user.email

    def test_a_password_is_changed(self, owner, anonymous):
        register(anonymous, password="oldpassword123")
        access = log_in(anonymous, password="oldpassword123")["access"]
        example = variant("users_change_password", COMPREHENSIVE)
        headers = {**bearer(access), "Content-Type": "application/json"}
        reply = anonymous.post("/users/change-password/", content=example.request_text, headers=headers)
        assert served(reply) == {"message": "Password changed successfully"}
        log_in(anonymous, password="newpassword123")
        old = {"username": "newcomer", "password": "oldpassword123"}
        refused(anonymous.post("/users/login/", json=old), 401)

    def test_the_organization_is_listed_read_and_changed(self, owner):
        page = served(owner.get("/organizations/"))
        assert_shape(page, answer("organizations_list", COMPREHENSIVE))
        (organization,) = page["results"]
        assert (organization["name"], organization["slug"]) == ("Acme Corporation", "acme-corp")
        path = f"/organizations/{organization['id']}/"
        example = variant("organizations_update", COMPREHENSIVE).request
        changed = served(owner.put(path, json=example))
        assert {name: changed[name] for name in example} == example
        assert served(owner.get(path)) == changed

    def test_a_ticket_is_created_as_in_its_section(self, member):
        example = variant("tickets_create", COMPREHENSIVE)
        headers = {"Content-Type": "application/json"}
        ticket = created(member.post("/tickets/", content=example.request_text, headers=headers))
        documented = answer("tickets_create", COMPREHENSIVE)
        assert_shape(ticket, documented)
        fixed = documented.keys() - {"id", "ticket_number", "customer", "organization", "tags"}
        for name in fixed - {"created_at", "updated_at"}:
            assert ticket[name] == documented[name], name

    def test_a_ticket_is_changed_as_in_its_section(self, agent, member):
        ticket = created(member.post("/tickets/", json={"subject": "Login Issue"}))
        path = f"/tickets/{ticket['id']}/"
        example = {**variant("tickets_update", COMPREHENSIVE).request, "assigned_agent": agent.user.id}
        changed = served(agent.put(path, json=example))
        assert changed["assigned_agent"]["id"] == agent.user.id
        assert sorted(changed["tags"]) == sorted(example["tags"])
        for name in ("subject", "description", "status", "priority"):
            assert changed[name] == example[name], name
        assert served(agent.get(path)) == changed
        deleted(agent.delete(path))
        refused(agent.get(path), 404)

    def test_a_comment_is_listed_as_it_was_created(self, agent):
        ticket = created(agent.post("/tickets/", json={"subject": "Login Issue"}))
        path = f"/tickets/{ticket['id']}/comments/"
        comment = created(agent.post(path, json=variant("ticket_comments_create", COMPREHENSIVE).request))
        page = served(agent.get(path))
        assert_shape(page, page_of(answer("ticket_comments_create", COMPREHENSIVE)))
        assert page["results"] == [comment]

    def test_statistics_count_the_tickets(self, agent, member):
        created(member.post("/tickets/", json={"subject": "Login Issue"}))
        statistics = served(agent.get("/tickets/statistics/"))
        assert_shape(statistics, answer("tickets_statistics", COMPREHENSIVE))
        assert statistics["total_tickets"] == statistics["status_distribution"]["new"] == 1


def test_the_body_of_a_command_is_the_json_of_the_document():
    """The runner of commands itself: it must not change what the document sends."""
    sent = {}

    class Recorder:
        def raw(self, method, target, **options):
            sent.update(method=method, target=target, **options)

    curl(Recorder(), GET_TICKETS, "token")
    assert (sent["method"], sent["target"]) == ("GET", "/api/v1/tickets/?status=open&priority=high")
    assert (sent["headers"], sent["content"]) == ({"Authorization": "Bearer token"}, None)
    curl(Recorder(), REGISTER)
    assert json.loads(sent["content"])["phone"] == "+1234567890"
