from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from helpdesk_core.accounts.models import LoginAttempt, Organization, RefreshToken, User
from helpdesk_core.accounts.passwords import Passwords
from tests.accounts.meanwhile import Meanwhile
from tests.contract.steps import PASSWORD, bearer, log_in, refused, register, rows, served

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LOGINS = ["/auth/token/", "/users/login/"]


def attempts(installation):
    with installation.session() as session:
        return [(each.name, each.succeeded) for each in session.scalars(select(LoginAttempt).order_by(LoginAttempt.id))]


def happened(installation, kind):
    return [payload for event, payload in installation.events() if event == kind]


class TestLoggingIn:
    @pytest.mark.parametrize("path", LOGINS)
    def test_takes_a_form(self, account, anonymous, path):
        served(anonymous.post(path, data={"username": "newcomer", "password": PASSWORD}, headers=FORM))
        served(anonymous.post(path, content=f"email=newcomer%40example.com&password={PASSWORD}", headers=FORM))

    @pytest.mark.parametrize("path", LOGINS)
    def test_does_not_tell_why_it_was_refused(self, account, anonymous, change, path):
        wrong = [("newcomer", "wrong"), ("nobody", PASSWORD), ("nobody@example.com", PASSWORD), ("\u202e", "x")]
        replies = [anonymous.post(path, json={"username": name, "password": word}) for name, word in wrong]
        change(account["id"], is_active=False)
        replies.append(anonymous.post(path, json={"username": "newcomer", "password": PASSWORD}))
        bodies = []
        for reply in replies:
            body = refused(reply, 401)
            if isinstance(body["error"], dict):
                body["error"].pop("request_id")
            bodies.append(body)
            assert reply.headers["WWW-Authenticate"].startswith("Bearer")
        assert all(body == bodies[0] for body in bodies)

    def test_does_the_same_work_for_those_who_do_not_exist(self, installation, account, anonymous, monkeypatch):
        verified = []
        real = Passwords.verify
        monkeypatch.setattr(Passwords, "verify", lambda *given: verified.append(1) or real(*given))
        for name in ("newcomer", "nobody"):
            refused(anonymous.post("/users/login/", json={"username": name, "password": "wrong"}), 401)
        assert len(verified) == 2
        assert attempts(installation) == [("newcomer", False), ("nobody", False)]

    def test_is_refused_to_members_of_a_closed_organization(self, installation, owner, account, anonymous):
        with installation.session() as session:
            session.get_one(Organization, owner.organization_id).is_active = False
            session.commit()
        refused(anonymous.post("/users/login/", json={"username": "newcomer", "password": PASSWORD}), 401)

    def test_is_recorded_whatever_comes_of_it(self, installation, account, anonymous):
        log_in(anonymous)
        refused(anonymous.post("/auth/token/", json={"username": "newcomer", "password": "wrong"}), 401)
        refused(anonymous.post("/auth/token/", json={"username": "nobody", "password": "wrong"}), 401)
        assert attempts(installation) == [("newcomer", True), ("newcomer", False), ("nobody", False)]
        (event,) = happened(installation, "user.logged_in")
        assert event["user_id"] == account["id"]

    def test_counts_nothing_that_is_no_attempt(self, installation, account, anonymous):
        refused(anonymous.post("/users/login/", json={"username": "newcomer"}), 400)
        refused(anonymous.post("/users/login/", json={"username": "newcomer", "password": "x" * 1025}), 400)
        refused(anonymous.post("/users/login/", content="<xml/>", headers={"Content-Type": "text/xml"}), 415)
        assert attempts(installation) == []

    def test_refuses_two_names(self, account, anonymous):
        body = {"username": "newcomer", "email": "other@example.com", "password": PASSWORD}
        refused(anonymous.post("/users/login/", json=body), 400)

    @pytest.mark.parametrize("name", ["\u0000", "x" * 255, "", 5, None, ["newcomer"]], ids=repr)
    def test_survives_any_name(self, anonymous, name):
        refused(anonymous.post("/users/login/", json={"username": name, "password": PASSWORD}), 400)

    def test_is_not_cached(self, account, anonymous):
        reply = anonymous.post("/users/login/", json={"username": "newcomer", "password": PASSWORD})
        assert "no-store" in reply.headers["Cache-Control"] or "no-cache" in reply.headers["Cache-Control"]


class TestRefreshing:
    def test_a_second_use_ends_the_whole_login(self, installation, account, anonymous):
        first = log_in(anonymous)
        second = served(anonymous.post("/users/refresh/", json={"refresh": first["refresh"]}))
        refused(anonymous.post("/users/refresh/", json={"refresh": first["refresh"]}), 401)
        refused(anonymous.post("/users/refresh/", json={"refresh": second["refresh"]}), 401)
        for tokens in (first, second):
            refused(anonymous.get("/users/profile/", headers=bearer(tokens["access"])), 401)
        (event,) = happened(installation, "user.refresh_token_reused")
        assert event["user_id"] == account["id"]

    def test_a_second_use_leaves_other_logins_alone(self, account, anonymous):
        stolen, other = log_in(anonymous), log_in(anonymous)
        for _ in range(2):
            anonymous.post("/users/refresh/", json={"refresh": stolen["refresh"]})
        served(anonymous.post("/users/refresh/", json={"refresh": other["refresh"]}))

    def test_a_token_runs_out(self, account, anonymous, clock):
        tokens = log_in(anonymous)
        clock.advance(days=14)
        refused(anonymous.post("/users/refresh/", json={"refresh": tokens["refresh"]}), 401)

    def test_a_closed_account_gets_nothing(self, account, anonymous, owner):
        tokens = log_in(anonymous)
        owner.delete(f"/users/{account['id']}/")
        refused(anonymous.post("/users/refresh/", json={"refresh": tokens["refresh"]}), 401)

    def test_the_endpoint_decides_the_dialect(self, account, anonymous):
        tokens = log_in(anonymous)
        classic = served(anonymous.post("/auth/token/refresh/", json={"refresh": tokens["refresh"]}))
        found = refused(anonymous.get("/users/999/", headers=bearer(classic["access"])), 404)
        assert isinstance(found["error"], str)

    def test_no_token_is_stored_in_the_clear(self, installation, account, anonymous):
        tokens = log_in(anonymous)
        with installation.session() as session:
            stored = session.scalars(select(RefreshToken.token_hash)).all()
        assert tokens["refresh"] not in stored
        assert all(len(each) == 64 for each in stored)


class TestVerifying:
    @pytest.mark.parametrize("path", ["/auth/token/verify/", "/users/verify/"])
    def test_knows_what_was_revoked(self, account, anonymous, path):
        tokens = log_in(anonymous)
        served(anonymous.post(path, json={"token": tokens["access"]}))
        served(anonymous.post("/users/logout/", headers=bearer(tokens["access"])))
        refused(anonymous.post(path, json={"token": tokens["access"]}), 401)
        refused(anonymous.post(path, json={"token": tokens["refresh"]}), 401)


class TestLoggingOut:
    def test_ends_the_login_of_the_request(self, account, anonymous):
        tokens, other = log_in(anonymous), log_in(anonymous)
        served(anonymous.post("/users/logout/", headers=bearer(tokens["access"])))
        refused(anonymous.get("/users/profile/", headers=bearer(tokens["access"])), 401)
        refused(anonymous.post("/users/refresh/", json={"refresh": tokens["refresh"]}), 401)
        served(anonymous.get("/users/profile/", headers=bearer(other["access"])))

    def test_ends_the_login_of_the_token_in_the_body(self, account, anonymous):
        tokens, other = log_in(anonymous), log_in(anonymous)
        body = {"refresh_token": other["refresh"]}
        served(anonymous.post("/users/logout/", json=body, headers=bearer(tokens["access"])))
        refused(anonymous.get("/users/profile/", headers=bearer(other["access"])), 401)
        served(anonymous.get("/users/profile/", headers=bearer(tokens["access"])))

    def test_ends_no_login_of_anybody_else(self, account, anonymous, member):
        tokens = log_in(anonymous)
        served(member.post("/users/logout/", json={"refresh": tokens["refresh"]}))
        served(anonymous.get("/users/profile/", headers=bearer(tokens["access"])))

    @pytest.mark.parametrize("unknown", ["refresh", "refresh_token"])
    def test_ends_the_login_of_the_request_when_the_token_is_unknown(self, account, anonymous, unknown):
        tokens, other = log_in(anonymous), log_in(anonymous)
        served(anonymous.post("/users/logout/", json={unknown: "nonsense"}, headers=bearer(tokens["access"])))
        refused(anonymous.get("/users/profile/", headers=bearer(tokens["access"])), 401)
        served(anonymous.get("/users/profile/", headers=bearer(other["access"])))

    def test_needs_a_credential(self, anonymous):
        refused(anonymous.post("/users/logout/"), 401)
        refused(anonymous.post("/users/logout-all/"), 401)

    def test_everywhere_ends_every_login(self, account, anonymous, member):
        tokens, other = log_in(anonymous), log_in(anonymous)
        served(anonymous.post("/users/logout-all/", headers=bearer(tokens["access"])))
        for each in (tokens, other):
            refused(anonymous.get("/users/profile/", headers=bearer(each["access"])), 401)
            refused(anonymous.post("/users/refresh/", json={"refresh": each["refresh"]}), 401)
        served(member.get("/users/profile/"))
        log_in(anonymous)

    def test_in_classic_is_to_blacklist_the_refresh_token(self, account, anonymous):
        tokens = log_in(anonymous)
        assert served(anonymous.post("/auth/token/blacklist/", json={"refresh": tokens["refresh"]})) == {}
        refused(anonymous.get("/users/profile/", headers=bearer(tokens["access"])), 401)
        assert served(anonymous.post("/auth/token/blacklist/", json={"refresh": "nonsense"})) == {}


class TestAttempts:
    def test_are_seen_by_administrators_and_by_whom_they_concern(self, owner, account, anonymous, member, outsider):
        refused(anonymous.post("/users/login/", json={"email": "newcomer@example.com", "password": "wrong"}), 401)
        headers = {**bearer(log_in(anonymous)["access"])}
        mine = served(anonymous.get("/users/login-attempts/", headers=headers))["results"]
        assert [each["succeeded"] for each in mine] == [True, False]
        assert {each["user_id"] for each in mine} == {account["id"]}
        assert mine[1]["name"] == "newcomer@example.com"
        seen = rows(owner, "/users/login-attempts/", succeeded="false")
        assert [each["user_id"] for each in seen] == [account["id"]]
        assert rows(owner, "/users/login-attempts/", search="newcomer@") == seen
        assert rows(owner, "/users/login-attempts/", search="nobody") == []
        assert rows(outsider, "/users/login-attempts/", succeeded="false") == []
        assert {each["user_id"] for each in rows(member, "/users/login-attempts/")} == {member.user.id}

    def test_have_an_address_and_a_program(self, owner, anonymous):
        register(anonymous)
        headers = {"User-Agent": "x" * 300}
        served(anonymous.post("/users/login/", json={"username": "newcomer", "password": PASSWORD}, headers=headers))
        newest = rows(owner, "/users/login-attempts/", ordering="-created_at")
        (attempt,) = [each for each in newest if each["name"] == "newcomer"]
        assert attempt["user_agent"] == "x" * 255
        assert attempt["address"]


def test_a_password_hashed_at_another_cost_is_hashed_anew_at_the_next_login(installation, member):
    cheaper = PasswordHasher(time_cost=1, memory_cost=16, parallelism=1).hash(member.user.password)
    with installation.session() as session:
        session.get_one(User, member.user.id).password_hash = cheaper
        installation.commit(session)
    credentials = {"username": member.user.username, "password": member.user.password}
    for _ in range(2):
        assert member.post("/users/login/", json=credentials, headers={"Authorization": ""}).status_code == 200
    with installation.session() as session:
        assert session.get_one(User, member.user.id).password_hash != cheaper


def test_nobody_is_refused_because_another_login_was_faster_to_hash_anew(installation, anonymous, member, monkeypatch):
    cheaper = PasswordHasher(time_cost=1, memory_cost=16, parallelism=1).hash(PASSWORD)
    with installation.session() as session:
        session.get_one(User, member.user.id).password_hash = cheaper
        installation.commit(session)
    both, real = Barrier(2), Passwords.hash

    def hash_together(passwords, password):
        both.wait(timeout=30)
        return real(passwords, password)

    monkeypatch.setattr(Passwords, "hash", hash_together)
    body = {"username": "member", "password": PASSWORD}
    with ThreadPoolExecutor(2) as threads:
        replies = list(threads.map(lambda _: anonymous.post("/users/login/", json=body), range(2)))
    assert [reply.status_code for reply in replies] == [200, 200]
    assert attempts(installation) == [("member", True)] * 2
    log_in(anonymous, "member")


@pytest.mark.parametrize("outdated", [False, True])
def test_a_login_that_comes_too_late_is_recorded_as_failed(installation, anonymous, member, monkeypatch, outdated):
    member.get("/users/profile/")
    before = attempts(installation)
    body = {"old_password": PASSWORD, "new_password": "another long password 1"}
    change = Meanwhile(installation, lambda: member.post("/users/change-password/", json=body))
    monkeypatch.setattr(Passwords, "is_outdated", change.before(lambda *_: outdated))
    refused(anonymous.post("/users/login/", json={"username": "member", "password": PASSWORD}), 401)
    served(change.over())
    assert attempts(installation) == [*before, ("member", False)]
    log_in(anonymous, "member", "another long password 1")
