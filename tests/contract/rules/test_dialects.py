"""One resource in two dialects: which one an answer speaks, and what either may be asked for."""

import pytest

from tests.contract.documents import CLASSIC, COMPREHENSIVE, CONTRACT, answer, error
from tests.contract.shapes import assert_shape
from tests.contract.steps import (
    UNKNOWN_UUID,
    assign,
    bearer,
    created,
    key_of,
    log_in,
    open_ticket,
    refused,
    register,
    rows,
    served,
    show_ticket,
    speaks_classic,
)

ACCEPT = CONTRACT["headers"]["dialects"]


@pytest.fixture
def ticket(member):
    return open_ticket(member)


class TestTheCredentialChoosesTheDialect:
    def test_a_token_of_auth_token_speaks_classic(self, member, ticket):
        assert_shape(show_ticket(member.classic, ticket)["created_by"], {"id": 1, "username": "", "email": ""})
        assert speaks_classic(show_ticket(member.classic, ticket))

    def test_a_token_of_users_login_speaks_comprehensive(self, member, ticket):
        assert not speaks_classic(show_ticket(member, ticket))

    @pytest.mark.parametrize(("path", "classic"), [("/auth/token/refresh/", True), ("/users/refresh/", False)])
    @pytest.mark.parametrize("login", ["/auth/token/", "/users/login/"])
    def test_refreshing_gives_the_dialect_of_the_endpoint_called(self, owner, anonymous, login, path, classic):
        register(anonymous, "polyglot", password="quite a long secret")
        credentials = {"username": "polyglot", "password": "quite a long secret"}
        tokens = served(anonymous.post(login, json=credentials))
        fresh = served(anonymous.post(path, json={"refresh": tokens["refresh"]}))
        reply = anonymous.post("/tickets/", json={"title": "Hello"}, headers=bearer(fresh["access"]))
        assert speaks_classic(created(reply)) is classic

    def test_a_token_of_either_document_opens_the_others_operations(self, member):
        served(member.classic.get("/users/profile/"))
        served(member.get("/tickets/my_tickets/"))


class TestTheAcceptHeaderComesFirst:
    def test_it_makes_a_classic_token_speak_comprehensive(self, member, ticket):
        reply = member.classic.get(f"/tickets/{ticket['id']}/", headers={"Accept": ACCEPT[COMPREHENSIVE]})
        assert_shape(served(reply), answer("tickets_create", COMPREHENSIVE) | {"tags": []})

    def test_it_makes_a_comprehensive_token_speak_classic(self, member, ticket):
        reply = member.get(f"/tickets/{ticket['id']}/", headers={"Accept": ACCEPT[CLASSIC]})
        assert speaks_classic(served(reply))

    @pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html", "application/xml"])
    def test_a_general_media_type_leaves_the_choice_to_the_credential(self, member, ticket, accept):
        path, headers = f"/tickets/{ticket['id']}/", {"Accept": accept}
        assert speaks_classic(served(member.classic.get(path, headers=headers)))
        assert not speaks_classic(served(member.get(path, headers=headers)))

    def test_an_unknown_version_of_ours_is_not_acceptable(self, member):
        reply = member.get("/tickets/", headers={"Accept": "application/vnd.helpdesk.v2+json"})
        assert refused(reply, 406)["error"]["code"] == "NOT_ACCEPTABLE"

    @pytest.mark.parametrize("accept", [*ACCEPT.values(), "*/*"])
    def test_the_answer_is_plain_json_all_the_same(self, member, accept):
        reply = member.get("/tickets/", headers={"Accept": accept})
        assert reply.headers["Content-Type"].split(";")[0] == "application/json"
        assert reply.headers["X-API-Version"] == "v1"
        assert "accept" in reply.headers["Vary"].lower()


class TestErrorsFollowTheDialect:
    def test_of_the_credential(self, member):
        path = f"/tickets/{UNKNOWN_UUID}/"
        assert_shape(refused(member.classic.get(path), 404), error(CLASSIC))
        assert_shape(refused(member.get(path), 404), error(COMPREHENSIVE))

    @pytest.mark.parametrize(
        ("path", "dialect"),
        [("/auth/token/", CLASSIC), ("/users/login/", COMPREHENSIVE)],
    )
    def test_of_the_path_where_a_credential_is_refused(self, owner, anonymous, path, dialect):
        reply = anonymous.post(path, json={"username": "nobody", "password": "nothing at all"})
        assert_shape(refused(reply, 401), error(dialect))

    @pytest.mark.parametrize(
        ("path", "dialect"),
        [("/categories/", CLASSIC), ("/organizations/", COMPREHENSIVE), ("/tickets/", COMPREHENSIVE)],
    )
    def test_of_the_document_that_owns_the_path_without_a_credential(self, anonymous, path, dialect):
        assert_shape(refused(anonymous.get(path), 401), error(dialect))

    def test_of_the_accept_header_before_all(self, member):
        reply = member.get(f"/tickets/{UNKNOWN_UUID}/", headers={"Accept": ACCEPT[CLASSIC]})
        assert_shape(refused(reply, 404), error(CLASSIC))


class TestOwnedOperationsKeepTheirBody:
    def test_stats_are_classic_for_everybody(self, member, ticket):
        assert_shape(served(member.get("/tickets/stats/")), answer("tickets_stats", CLASSIC))

    def test_statistics_are_comprehensive_for_everybody(self, member, ticket):
        found = served(member.classic.get("/tickets/statistics/"))
        assert_shape(found, answer("tickets_statistics", COMPREHENSIVE))

    def test_an_undocumented_answer_is_the_resource_in_the_callers_dialect(self, agent, ticket):
        assert not speaks_classic(assign(agent, ticket, agent))
        assert speaks_classic(assign(agent.classic, ticket, agent))


class TestEitherSpellingIsRead:
    @pytest.mark.parametrize("spelling", ["title", "subject"])
    def test_of_the_title(self, member, spelling):
        assert created(member.post("/tickets/", json={spelling: "Smoke"}))["subject"] == "Smoke"
        assert created(member.classic.post("/tickets/", json={spelling: "Smoke"}))["title"] == "Smoke"

    @pytest.mark.parametrize("spelling", ["assigned_to", "assigned_agent", "user_id", "agent_id"])
    def test_of_the_assignee(self, agent, technician, ticket, spelling):
        path, body = f"/tickets/{ticket['id']}/", {spelling: technician.user.id}
        assert served(agent.post(f"{path}assign/", json=body))["assigned_agent"]["id"] == technician.user.id
        served(agent.put(path, json={"assigned_agent": None}))
        assert served(agent.put(path, json=body))["assigned_agent"]["id"] == technician.user.id

    def test_but_not_both_with_different_values(self, member):
        body = {"title": "Smoke", "subject": "Fire"}
        assert refused(member.post("/tickets/", json=body), 400)["error"]["code"] == "VALIDATION_ERROR"

    def test_and_both_with_the_same_value(self, member):
        ticket = created(member.post("/tickets/", json={"title": "Smoke", "subject": "Smoke"}))
        assert ticket["subject"] == "Smoke"


class TestATicketHasTwoIdentifiers:
    def test_each_dialect_shows_its_own(self, member, ticket):
        assert_shape(ticket["id"], "123e4567-e89b-12d3-a456-426614174000")
        assert isinstance(key_of(member, ticket), int)

    def test_paths_take_either_in_both_dialects(self, member, ticket):
        key = key_of(member, ticket)
        assert served(member.get(f"/tickets/{key}/")) == show_ticket(member, ticket)
        by_key = served(member.classic.get(f"/tickets/{key}/"))
        assert by_key == show_ticket(member.classic, ticket)

    def test_paths_of_comments_take_either(self, member, ticket):
        served(member.get(f"/tickets/{key_of(member, ticket)}/comments/"))
        served(member.classic.get(f"/tickets/{ticket['id']}/comments/"))

    @pytest.mark.parametrize("word", ["first", "TKT-001", "0x1", "-1", "1.0", "9" * 30])
    def test_what_is_neither_is_not_found(self, agent, ticket, word):
        refused(agent.get(f"/tickets/{word}/"), 404)


class TestShapesAreClosed:
    def test_fields_of_the_other_dialect_are_asked_for(self, owner, agent, ticket):
        category = created(owner.post("/categories/", json={"name": "Hardware"}))
        served(agent.put(f"/tickets/{ticket['id']}/", json={"category": category["id"]}))
        shown = show_ticket(agent, ticket, include="category,due_date,resolution")
        documented = answer("tickets_create", COMPREHENSIVE) | {"tags": []}
        extra = {"category": {"id": 1, "name": "", "color": "#007bff"}, "due_date": None, "resolution": None}
        assert_shape(shown, documented | extra)
        assert shown["category"]["name"] == category["name"]

    def test_classic_is_asked_for_the_number_of_a_ticket(self, agent, ticket):
        shown = show_ticket(agent.classic, ticket, include="ticket_number")
        assert shown["ticket_number"] == ticket["ticket_number"]
        assert speaks_classic(shown)

    def test_lists_take_the_same_request(self, agent, ticket):
        (row,) = rows(agent, "/tickets/", include="due_date")
        assert row["due_date"] is None

    def test_a_user_is_asked_for_the_names_that_were_written(self, anonymous, owner):
        register(anonymous, first_name="Ada", last_name="Lovelace")
        headers = bearer(log_in(anonymous)["access"])
        plain = served(anonymous.get("/users/profile/", headers=headers))
        assert_shape(plain, answer("users_profile_retrieve", COMPREHENSIVE))
        parameters = {"include": "first_name,last_name,organization"}
        shown = served(anonymous.get("/users/profile/", params=parameters, headers=headers))
        assert (shown["first_name"], shown["last_name"]) == ("Ada", "Lovelace")
        assert shown["full_name"] == "Ada Lovelace"
        assert shown["organization"]["id"] == owner.organization_id
