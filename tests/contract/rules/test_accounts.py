"""Tokens, registration, profiles and the list of users."""

import pytest

from tests.contract.documents import CLASSIC, COMPREHENSIVE, answer, form
from tests.contract.shapes import assert_shape
from tests.contract.steps import (
    PASSWORD,
    bearer,
    created,
    log_in,
    open_ticket,
    refused,
    register,
    rows,
    served,
)

LOGINS = ["/auth/token/", "/users/login/"]
REFRESHES = ["/auth/token/refresh/", "/users/refresh/"]
VERIFIES = ["/auth/token/verify/", "/users/verify/"]
WRONG_PHONES = ["12345", "+0123456789", "phone", "+123456789012345678"]


@pytest.fixture
def account(owner, anonymous):
    """The account `newcomer`, which nobody is logged in to."""
    return register(anonymous)


class TestLoggingIn:
    @pytest.mark.parametrize("path", LOGINS)
    @pytest.mark.parametrize(
        "name",
        [
            {"username": "newcomer"},
            {"email": "newcomer@example.com"},
            {"username": "newcomer@example.com"},
            {"username": "NewComer"},
            {"email": "NEWCOMER@Example.Com"},
        ],
        ids=str,
    )
    def test_takes_a_name_or_an_address_in_any_case(self, account, anonymous, path, name):
        tokens = served(anonymous.post(path, json={**name, "password": PASSWORD}))
        profile = served(anonymous.get("/users/profile/", headers=bearer(tokens["access"])))
        assert profile["id"] == account["id"]

    def test_answers_in_the_form_of_its_document(self, account, anonymous):
        credentials = {"username": "newcomer", "password": PASSWORD}
        assert_shape(served(anonymous.post(LOGINS[0], json=credentials)), form("tokens", CLASSIC))
        tokens = served(anonymous.post(LOGINS[1], json=credentials))
        assert_shape(tokens, form("tokens", COMPREHENSIVE))
        assert tokens["token_type"] == "Bearer"
        assert tokens["user"]["username"] == "newcomer"

    @pytest.mark.parametrize("path", LOGINS)
    def test_does_not_tell_a_wrong_name_from_a_wrong_password(self, account, anonymous, path):
        wrong = [("newcomer", "not the password"), ("nobody", PASSWORD)]
        replies = [anonymous.post(path, json={"username": n, "password": p}) for n, p in wrong]
        first, second = (refused(reply, 401) for reply in replies)
        if path == LOGINS[0]:
            assert first == second
            assert first["error"] == "Invalid credentials"
        else:
            for name in ("code", "message", "details"):
                assert first["error"][name] == second["error"][name]
            assert first["error"]["code"] == "AUTHENTICATION_REQUIRED"
            assert first["error"]["message"] == "Invalid credentials"

    @pytest.mark.parametrize("path", LOGINS)
    def test_needs_both_parts(self, account, anonymous, path):
        refused(anonymous.post(path, json={"username": "newcomer"}), 400)
        refused(anonymous.post(path, json={"password": PASSWORD}), 400)

    @pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer ", "Basic bmV3Y29tZXI6eA==", "nonsense"])
    def test_is_the_only_way_in(self, anonymous, header):
        refused(anonymous.get("/tickets/", headers={"Authorization": header}), 401)


class TestRefreshing:
    @pytest.mark.parametrize("path", REFRESHES)
    @pytest.mark.parametrize("field", ["refresh", "refresh_token"])
    def test_gives_a_new_pair_for_either_name(self, account, anonymous, path, field):
        tokens = log_in(anonymous)
        fresh = served(anonymous.post(path, json={field: tokens["refresh"]}))
        assert_shape(fresh, form("tokens", CLASSIC if path == REFRESHES[0] else COMPREHENSIVE))
        assert fresh["refresh"] != tokens["refresh"]
        served(anonymous.get("/users/profile/", headers=bearer(fresh["access"])))

    @pytest.mark.parametrize("path", REFRESHES)
    def test_works_once_with_each_token(self, account, anonymous, path):
        used = {"refresh": log_in(anonymous)["refresh"]}
        served(anonymous.post(path, json=used))
        refused(anonymous.post(path, json=used), 401)

    @pytest.mark.parametrize("path", REFRESHES)
    def test_does_not_work_with_an_access_token_or_nonsense(self, account, anonymous, path):
        for token in (log_in(anonymous)["access"], "nonsense"):
            refused(anonymous.post(path, json={"refresh": token}), 401)

    def test_opens_nothing_by_itself(self, account, anonymous):
        refused(anonymous.get("/tickets/", headers=bearer(log_in(anonymous)["refresh"])), 401)


class TestVerifying:
    @pytest.mark.parametrize("path", VERIFIES)
    @pytest.mark.parametrize("field", ["token", "access", "access_token"])
    def test_knows_a_valid_token_under_three_names(self, account, anonymous, path, field):
        verified = served(anonymous.post(path, json={field: log_in(anonymous)["access"]}))
        assert_shape(verified, form("verified_token", CLASSIC if path == VERIFIES[0] else COMPREHENSIVE))

    @pytest.mark.parametrize("path", VERIFIES)
    def test_refuses_an_invalid_token(self, anonymous, path):
        refused(anonymous.post(path, json={"token": "nonsense"}), 401)

    def test_refuses_a_token_that_has_run_out(self, account, anonymous, clock):
        tokens = log_in(anonymous)
        clock.advance(seconds=tokens["expires_in"] + 1)
        refused(anonymous.post("/users/verify/", json={"token": tokens["access"]}), 401)
        refused(anonymous.get("/users/profile/", headers=bearer(tokens["access"])), 401)


class TestRegistering:
    @pytest.mark.parametrize("taken", [{"username": "NEWCOMER"}, {"email": "Newcomer@Example.com"}], ids=str)
    def test_refuses_what_is_taken_in_any_case(self, account, anonymous, taken):
        body = {"email": "other@example.com", "username": "other", "password": PASSWORD, **taken}
        found = refused(anonymous.post("/users/register/", json=body), 409)
        assert found["error"]["code"] == "RESOURCE_ALREADY_EXISTS"
        assert found["error"]["details"]["field"] in taken

    def test_that_is_wrong_and_taken_is_wrong_first(self, account, anonymous):
        body = {"email": "other@example.com", "username": "newcomer", "password": "short"}
        found = refused(anonymous.post("/users/register/", json=body), 400)
        assert found["error"]["details"]["field"] == "password"

    @pytest.mark.parametrize(
        "password",
        ["short12", "x" * 1025, "newcomer", "NewComer", "newcomer@example.com", "password", "12345678"],
    )
    def test_refuses_weak_passwords(self, owner, anonymous, password):
        body = {"email": "newcomer@example.com", "username": "newcomer", "password": password}
        found = refused(anonymous.post("/users/register/", json=body), 400)
        assert found["error"]["details"]["field"] == "password"
        assert password not in str(found["error"]["details"]["message"])

    @pytest.mark.parametrize("password", ["x" * 8 + "Y", "é" * 1024, "  spaces at both ends  "])
    def test_accepts_any_other_password(self, owner, anonymous, password):
        register(anonymous, password=password)
        log_in(anonymous, password=password)

    def test_joins_the_organization_of_the_slug_as_a_customer(self, owner, outsider, anonymous):
        user = register(anonymous, organization_slug="globex")
        assert (user["role"], user["is_customer"], user["is_verified"]) == ("customer", True, False)
        assert user["id"] in [row["id"] for row in rows(outsider, "/users/")]
        assert user["id"] not in [row["id"] for row in rows(owner, "/users/")]

    def test_joins_the_default_organization_without_a_slug(self, owner, anonymous):
        user = register(anonymous)
        assert user["id"] in [row["id"] for row in rows(owner, "/users/")]

    def test_does_not_know_every_slug(self, owner, anonymous):
        body = {"email": "a@example.com", "username": "ada", "password": PASSWORD, "organization_slug": "umbrella"}
        found = refused(anonymous.post("/users/register/", json=body), 400)
        assert found["error"]["details"]["field"] == "organization_slug"

    def test_gives_nobody_a_role(self, owner, anonymous):
        body = {"email": "a@example.com", "username": "ada", "password": PASSWORD, "role": "admin"}
        reply = anonymous.post("/users/register/", json=body)
        assert reply.status_code == 400 or created(reply)["user"]["role"] == "customer"

    def test_shows_a_newcomer_no_ticket_of_anybody(self, member, account, anonymous):
        open_ticket(member)
        headers = bearer(log_in(anonymous)["access"])
        assert served(anonymous.get("/tickets/", headers=headers))["count"] == 0

    @pytest.mark.parametrize("phone", WRONG_PHONES)
    def test_refuses_what_is_no_phone_number(self, owner, anonymous, phone):
        body = {"email": "a@example.com", "username": "ada", "password": PASSWORD, "phone": phone}
        refused(anonymous.post("/users/register/", json=body), 400)


class TestProfiles:
    def test_are_changed_in_part_by_put_and_patch_alike(self, member):
        served(member.put("/users/profile/", json={"timezone": "Europe/Zurich"}))
        changed = served(member.patch("/users/profile/", json={"language": "de"}))
        assert (changed["timezone"], changed["language"]) == ("Europe/Zurich", "de")
        assert_shape(changed, answer("users_profile_update", COMPREHENSIVE))

    @pytest.mark.parametrize(
        ("field", "value"),
        [("timezone", "Mars/Olympus"), ("language", "english"), *(("phone", phone) for phone in WRONG_PHONES)],
    )
    def test_have_only_real_zones_languages_and_numbers(self, member, field, value):
        found = refused(member.put("/users/profile/", json={field: value}), 400)
        assert found["error"]["details"]["field"] == field

    def test_do_not_let_anybody_rise(self, member):
        before = served(member.get("/users/profile/"))
        fields = {"role": "admin", "is_agent": True, "is_verified": not before["is_verified"], "full_name": "King"}
        after = served(member.put("/users/profile/", json=fields))
        assert {name: after[name] for name in fields} == {name: before[name] for name in fields}

    def test_have_flags_that_follow_the_role(self, owner, agent, technician, member):
        agents, others = [(owner, "is_agent"), (agent, "is_agent")], [(technician, "is_technician")]
        for person, flag in [*agents, *others, (member, "is_customer")]:
            profile = served(person.get("/users/profile/"))
            flags = {name for name in ("is_agent", "is_customer", "is_technician") if profile[name]}
            assert flags == {flag}


class TestChangingThePassword:
    def test_ends_every_other_login(self, account, anonymous):
        other, current = log_in(anonymous), log_in(anonymous)
        body = {"old_password": PASSWORD, "new_password": "another long secret"}
        served(anonymous.post("/users/change-password/", json=body, headers=bearer(current["access"])))
        refused(anonymous.post("/users/refresh/", json={"refresh": other["refresh"]}), 401)
        served(anonymous.post("/users/refresh/", json={"refresh": current["refresh"]}))

    def test_needs_the_old_one_and_a_strong_new_one(self, account, anonymous):
        headers = bearer(log_in(anonymous)["access"])
        for old, new in (("wrong", "another long secret"), (PASSWORD, "short"), (PASSWORD, "newcomer")):
            body = {"old_password": old, "new_password": new}
            refused(anonymous.post("/users/change-password/", json=body, headers=headers), 400)
        log_in(anonymous)


class TestTheListOfUsers:
    def test_shows_staff_their_organization(self, owner, agent, member, outsider):
        for client in (owner, agent):
            ids = {row["id"] for row in rows(client, "/users/")}
            assert {owner.user.id, agent.user.id, member.user.id} <= ids
            assert outsider.user.id not in ids

    def test_shows_customers_themselves(self, member, second_member, agent):
        assert [row["id"] for row in rows(member, "/users/")] == [member.user.id]

    def test_is_filtered_by_role_activity_and_search(self, owner, agent, member):
        assert {row["role"] for row in rows(owner, "/users/", role="agent")} == {"agent"}
        assert rows(owner, "/users/", is_active="false") == []
        assert [row["id"] for row in rows(owner, "/users/", search=member.user.email)] == [member.user.id]
        refused(owner.get("/users/", params={"role": "king"}), 400)
