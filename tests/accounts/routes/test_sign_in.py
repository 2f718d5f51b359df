from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from helpdesk_core.accounts.challenges import Challenges
from helpdesk_core.accounts.models import LoginAttempt, LoginDelay
from helpdesk_core.accounts.passwords import Passwords
from helpdesk_core.accounts.tokens import hash_of
from helpdesk_core.audit import AuditEntry
from helpdesk_core.testing import Client
from helpdesk_core.web.lanes import Lanes
from tests.accounts.phones import credentials, enroll
from tests.contract.steps import PASSWORD, bearer, log_in, refused, served

LOGINS = ["/auth/token/", "/users/login/"]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
STEP = "/users/2fa/login/"


def attempts(installation):
    with installation.session() as session:
        return [(each.name, each.succeeded) for each in session.scalars(select(LoginAttempt).order_by(LoginAttempt.id))]


def happened(installation, kind):
    return [payload for event, payload in installation.events() if event == kind]


def acts(installation, prefix):
    with installation.session() as session:
        found = session.scalars(select(AuditEntry.act).order_by(AuditEntry.created_at, AuditEntry.id))
        return [act for act in found if act.startswith(prefix)]


def details(reply, status=401):
    """The details of a refusal, in whichever dialect."""
    body = refused(reply, status)
    return body["details"] if isinstance(body["error"], str) else body["error"]["details"]


def challenged(anonymous, member, path="/users/login/"):
    """The challenge that a login without a code is answered with."""
    found = details(anonymous.post(path, json=credentials(member)))
    assert found["otp_required"] is True
    return found["challenge_token"]


def fail(anonymous, name="member", times=5, **fields):
    for _ in range(times):
        refused(anonymous.post("/users/login/", json={"username": name, "password": "wrong", **fields}), 401)


@pytest.fixture
def elsewhere(installation):
    """Somebody without an account who calls from another address."""
    return Client(TestClient(installation.app, client=("192.0.2.9", 50000)), installation.clock, None)


class TestLoggingInWithACode:
    @pytest.mark.parametrize("path", LOGINS)
    def test_takes_it_beside_the_password(self, member, anonymous, phone, path):
        served(anonymous.post(path, json=credentials(member, otp=phone.next_code())))
        body = f"username=member&password={PASSWORD.replace(' ', '+')}&otp={phone.next_code()}"
        served(anonymous.post(path, content=body, headers=FORM))
        served(anonymous.post(path, json=credentials(member, otp=phone.backup_codes[0])))

    @pytest.mark.parametrize("path", LOGINS)
    def test_says_that_one_is_missing(self, installation, member, anonymous, phone, path):
        before = attempts(installation)
        reply = anonymous.post(path, json=credentials(member))
        assert set(details(reply)) == {"otp_required", "challenge_token"}
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")
        assert attempts(installation) == before

    def test_does_not_say_so_to_those_who_do_not_know_the_password(self, member, anonymous, phone):
        for otp in ({}, {"otp": phone.next_code()}):
            assert details(anonymous.post("/users/login/", json={**credentials(member, **otp), "password": "x"})) == {}
        served(anonymous.post("/users/login/", json=credentials(member, otp=phone.code())))

    @pytest.mark.parametrize("code", ["000000", "abc", "00000000", "1" * 32, "\u0661\u0662\u0663\u0664\u0665\u0666"])
    def test_refuses_a_wrong_one_and_keeps_that_it_was_tried(self, installation, member, anonymous, phone, code):
        found = details(anonymous.post("/users/login/", json=credentials(member, otp=code)))
        assert found["otp_required"] is True
        assert attempts(installation)[-1] == ("member", False)

    def test_makes_no_difference_to_others(self, member, anonymous):
        served(anonymous.post("/users/login/", json=credentials(member, otp="000000")))

    def test_takes_the_code_of_any_device(self, member, anonymous, clock, phone):
        tablet = enroll(member, clock, "Tablet", password=PASSWORD)
        served(anonymous.post("/users/login/", json=credentials(member, otp=phone.next_code())))
        served(anonymous.post("/users/login/", json=credentials(member, otp=tablet.code())))

    def test_takes_no_code_that_is_older_than_one_that_was_used(self, member, anonymous, clock, phone):
        older, newer = phone.next_code(), phone.next_code()
        served(anonymous.post("/users/login/", json=credentials(member, otp=newer)))
        refused(anonymous.post("/users/login/", json=credentials(member, otp=older)), 401)

    def test_stops_after_five_wrong_ones_wherever_they_are_sent(self, installation, member, anonymous, clock, phone):
        challenge = challenged(anonymous, member)
        refused(anonymous.post("/users/login/", json=credentials(member, otp="000000")), 401)
        refused(anonymous.post("/auth/token/", json=credentials(member, otp="00000000")), 401)
        refused(anonymous.post(STEP, json={"challenge_token": challenge, "code": "000000"}), 401)
        refused(member.post("/users/2fa/disable/", json={"code": "000000"}), 400)
        refused(member.post("/users/2fa/backup-codes/", json={"password": "wrong"}), 400)
        right = phone.next_code()
        for reply in (
            anonymous.post("/users/login/", json=credentials(member, otp=right)),
            anonymous.post(STEP, json={"challenge_token": challenge, "code": right}),
            member.post("/users/2fa/disable/", json={"code": right}),
            member.post("/users/2fa/disable/", json={"password": PASSWORD}),
        ):
            assert details(reply, 429)["limit"] == 5
            assert 0 < int(reply.headers["Retry-After"]) <= 900
        assert acts(installation, "login.delayed") == ["login.delayed"]
        clock.advance(minutes=15)
        served(anonymous.post("/users/login/", json=credentials(member, otp=phone.code())))

    @pytest.mark.parametrize("kind", ["code", "backup code"])
    def test_lets_one_in_of_fifty_who_bring_the_same_at_once(self, member, anonymous, phone, kind, monkeypatch):
        monkeypatch.setattr(Lanes, "are_full", lambda *_: False)  # however long they wait on a slow machine
        code = phone.next_code() if kind == "code" else phone.backup_codes[0]
        body = credentials(member, otp=code)
        with ThreadPoolExecutor(50) as threads:
            found = list(threads.map(lambda _: anonymous.post("/users/login/", json=body).status_code, range(50)))
        assert found.count(200) == 1
        assert set(found) <= {200, 401, 429}

    def test_lets_nobody_guess_more_often_by_guessing_at_once(self, installation, member, anonymous, phone):
        phone.clock.advance(seconds=30)
        body = credentials(member, otp=phone.wrong_code())
        with ThreadPoolExecutor(20) as threads:
            found = list(threads.map(lambda _: anonymous.post("/users/login/", json=body).status_code, range(20)))
        assert (found.count(401), found.count(429)) == (5, 15)


class TestTheSecondStep:
    @pytest.mark.parametrize("path", LOGINS)
    def test_answers_like_the_first(self, installation, member, anonymous, phone, path):
        body = {"challenge_token": challenged(anonymous, member, path), "code": phone.next_code()}
        made = served(anonymous.post(STEP, json=body))
        whole = served(anonymous.post(path, json=credentials(member, otp=phone.next_code())))
        assert set(made) == set(whole)
        classic = refused(anonymous.get("/users/999/", headers=bearer(made["access"])), 404)
        assert isinstance(classic["error"], str) == (path == "/auth/token/")
        served(anonymous.get("/users/profile/", headers=bearer(made["access"])))
        assert attempts(installation)[-2:] == [("member", True)] * 2

    def test_takes_a_backup_code(self, member, anonymous, phone):
        body = {"challenge_token": challenged(anonymous, member), "code": phone.backup_codes[0]}
        served(anonymous.post(STEP, json=body))

    def test_can_be_tried_again(self, member, anonymous, phone):
        challenge = challenged(anonymous, member)
        refused(anonymous.post(STEP, json={"challenge_token": challenge, "code": "000000"}), 401)
        served(anonymous.post(STEP, json={"challenge_token": challenge, "code": phone.next_code()}))

    def test_ends_after_five_minutes(self, member, anonymous, clock, phone):
        challenge = challenged(anonymous, member)
        clock.advance(minutes=4, seconds=59)
        refused(anonymous.post(STEP, json={"challenge_token": challenge, "code": "000000"}), 401)
        clock.advance(seconds=1)
        found = refused(anonymous.post(STEP, json={"challenge_token": challenge, "code": phone.code()}), 401)
        assert "expired" in found["error"]["message"]

    def test_is_good_for_one_login(self, member, anonymous, phone):
        challenge = challenged(anonymous, member)
        served(anonymous.post(STEP, json={"challenge_token": challenge, "code": phone.next_code()}))
        for code in (phone.code(), phone.next_code(), phone.backup_codes[0]):
            refused(anonymous.post(STEP, json={"challenge_token": challenge, "code": code}), 401)

    def test_ends_with_the_password(self, member, anonymous, phone):
        challenge = challenged(anonymous, member)
        served(member.post("/users/change-password/", json={"old_password": PASSWORD, "new_password": "another one 8"}))
        refused(anonymous.post(STEP, json={"challenge_token": challenge, "code": phone.next_code()}), 401)

    def test_ends_with_the_account(self, owner, member, anonymous, phone):
        challenge = challenged(anonymous, member)
        owner.delete(f"/users/{member.user.id}/")
        refused(anonymous.post(STEP, json={"challenge_token": challenge, "code": phone.next_code()}), 401)

    def test_ends_with_the_second_factor(self, member, anonymous, phone):
        challenge = challenged(anonymous, member)
        served(member.post("/users/2fa/disable/", json={"password": PASSWORD}))
        refused(anonymous.post(STEP, json={"challenge_token": challenge, "code": phone.next_code()}), 401)

    def test_takes_no_code_of_another(self, member, second_member, anonymous, clock, phone):
        other = enroll(second_member, clock)
        body = {"challenge_token": challenged(anonymous, member), "code": other.next_code()}
        refused(anonymous.post(STEP, json=body), 401)
        body = {"challenge_token": challenged(anonymous, member), "code": other.backup_codes[0]}
        refused(anonymous.post(STEP, json=body), 401)

    def test_is_no_access_and_access_is_no_challenge(self, member, anonymous, phone):
        challenge = challenged(anonymous, member)
        refused(anonymous.get("/users/profile/", headers=bearer(challenge)), 401)
        refused(anonymous.post("/users/verify/", json={"token": challenge}), 401)
        refused(anonymous.post("/users/refresh/", json={"refresh": challenge}), 401)
        refused(anonymous.post(STEP, json={"challenge_token": member.token, "code": phone.next_code()}), 401)

    @pytest.mark.parametrize("token", ["x", "a.b.c", "\u20ac", "x" * 4096])
    def test_survives_any_token(self, anonymous, token):
        refused(anonymous.post(STEP, json={"challenge_token": token, "code": "000000"}), 401)

    def test_is_not_for_forgers(self, installation, member, anonymous, phone):
        header, claims, _ = challenged(anonymous, member).split(".")
        forged = f"{header}.{claims}.{hash_of('x')[:43]}"
        refused(anonymous.post(STEP, json={"challenge_token": forged, "code": phone.next_code()}), 401)
        assert isinstance(installation.parts.services.get(Challenges), Challenges)

    def test_lets_one_in_of_fifty_at_once(self, member, anonymous, phone):
        bodies = [{"challenge_token": challenged(anonymous, member), "code": phone.backup_codes[i]} for i in range(5)]
        with ThreadPoolExecutor(10) as threads:
            found = list(threads.map(lambda body: anonymous.post(STEP, json=body).status_code, bodies * 2))
        assert found.count(200) == 1


class TestWaiting:
    @pytest.mark.parametrize("path", LOGINS)
    def test_begins_after_five_failures(self, anonymous, member, clock, path):
        fail(anonymous)
        reply = anonymous.post(path, json=credentials(member))
        assert details(reply, 429) == {"limit": 5, "remaining": 0, "reset_time": "2026-03-02T10:00:01Z"}
        assert reply.headers["Retry-After"] == "1"
        clock.advance(seconds=1)
        served(anonymous.post(path, json=credentials(member)))

    def test_doubles_with_each_failure_more(self, anonymous, member, clock):
        fail(anonymous)
        for seconds in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900):
            early = anonymous.post("/users/login/", json=credentials(member))
            refused(early, 429)
            assert early.headers["Retry-After"] == str(seconds)
            clock.advance(seconds=seconds)
            fail(anonymous, times=1)

    def test_hashes_nothing(self, anonymous, member, monkeypatch):
        fail(anonymous)
        monkeypatch.setattr(Passwords, "verify", None)
        refused(anonymous.post("/users/login/", json=credentials(member)), 429)
        refused(anonymous.post("/users/login/", json={**credentials(member), "password": "wrong"}), 429)

    def test_is_the_same_for_names_that_nobody_has(self, anonymous, member, clock):
        told = {}
        for name in ("member", "nobody"):
            told[name] = []
            for _ in range(8):
                reply = anonymous.post("/users/login/", json={"username": name, "password": "wrong"})
                body = reply.json()["error"]
                body.pop("request_id", None)
                told[name].append((reply.status_code, reply.headers.get("Retry-After"), body))
        assert told["member"] == told["nobody"]
        assert [status for status, *_ in told["nobody"]] == [401] * 5 + [429] * 3

    def test_counts_names_apart_or_it_would_tell_which_belong_together(self, anonymous, member):
        for name, address in (("member", member.user.email.upper()), ("nobody", "nobody@acme.com")):
            fail(anonymous, name, 3)
            fail(anonymous, address, 4)
            fail(anonymous, name, 2)
            wrong = {"username": name, "password": "wrong"}
            refused(anonymous.post("/users/login/", json=wrong), 429)
            refused(anonymous.post("/users/login/", json={**wrong, "username": address}), 401)

    def test_is_over_once_the_password_was_right(self, installation, anonymous, member):
        fail(anonymous, times=4)
        log_in(anonymous, "member")
        fail(anonymous, times=4)
        log_in(anonymous, "member")
        with installation.session() as session:
            assert session.scalars(select(LoginDelay)).all() == []

    def test_is_for_one_account_from_one_address(self, installation, anonymous, member, second_member, elsewhere):
        fail(anonymous)
        log_in(anonymous, "second_member")
        refused(anonymous.post("/users/login/", json=credentials(member)), 429)
        log_in(elsewhere, "member")
        refused(anonymous.post("/users/login/", json=credentials(member)), 429)

    def test_is_short_for_failures_from_everywhere(self, installation, anonymous, member, clock):
        for _ in range(10):
            fail(anonymous)
            with installation.session() as session:
                session.query(LoginDelay).filter(LoginDelay.until.is_not(None), LoginDelay.failures == 5).delete()
                installation.commit(session)
        reply = anonymous.post("/users/login/", json=credentials(member))
        assert details(reply, 429)["limit"] == 50
        clock.advance(seconds=1)
        served(anonymous.post("/users/login/", json=credentials(member)))

    def test_is_announced_once(self, installation, anonymous, member, clock):
        fail(anonymous)
        clock.advance(seconds=1)
        fail(anonymous, times=1)
        fail(anonymous, "nobody")
        expected = [{"user_id": member.user.id, "address": "testclient", "seconds": 1}]
        assert happened(installation, "user.login_delayed") == expected
        assert acts(installation, "login.delayed") == ["login.delayed"]

    def test_outlives_a_restart_and_is_forgotten_after_a_day(self, installation, anonymous, member, clock):
        fail(anonymous)
        clock.advance(hours=23)
        fail(anonymous, times=1)
        clock.advance(hours=25)
        fail(anonymous)
        with installation.session() as session:
            assert 5 in session.scalars(select(LoginDelay.failures)).all()

    def test_leaves_nothing_behind(self, installation, anonymous, member, clock):
        fail(anonymous)
        clock.advance(hours=23)
        for chore in installation.parts.services.upkeep:
            chore()
        with installation.session() as session:
            assert len(session.scalars(select(LoginDelay)).all()) == 2
        clock.advance(hours=1)
        for chore in installation.parts.services.upkeep:
            chore()
        with installation.session() as session:
            assert session.scalars(select(LoginDelay)).all() == []

    def test_lets_nobody_guess_more_often_by_guessing_at_once(self, anonymous, member):
        body = {"username": "member", "password": "wrong"}
        with ThreadPoolExecutor(20) as threads:
            found = list(threads.map(lambda _: anonymous.post("/users/login/", json=body).status_code, range(20)))
        assert (found.count(401), found.count(429)) == (5, 15)


class TestUnlocking:
    def test_ends_the_wait(self, installation, owner, anonymous, member):
        fail(anonymous)
        refused(anonymous.post("/users/login/", json=credentials(member)), 429)
        shown = served(owner.post(f"/users/{member.user.id}/unlock/"))
        assert shown["id"] == member.user.id
        log_in(anonymous, "member")
        assert acts(installation, "login.unlocked") == ["login.unlocked"]

    def test_is_for_administrators_of_the_organization(self, owner, outsider, agent, member):
        path = f"/users/{member.user.id}/unlock/"
        refused(outsider.post(path), 404)
        refused(agent.post(path), 403)
        refused(member.post(path), 403)
        refused(owner.post("/users/999999/unlock/"), 404)

    def test_leaves_other_accounts_alone(self, owner, anonymous, member, second_member):
        fail(anonymous)
        served(owner.post(f"/users/{second_member.user.id}/unlock/"))
        refused(anonymous.post("/users/login/", json=credentials(member)), 429)
