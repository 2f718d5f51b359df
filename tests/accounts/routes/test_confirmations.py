"""Links in mails: each works once, for what it was made for, for as long as it says; nothing else tells who has one."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier

import pytest
from sqlalchemy import select, text

from helpdesk_core.accounts.models import Confirmation, LoginDelay, Organization, User
from helpdesk_core.accounts.passwords import Passwords
from helpdesk_core.accounts.service import confirmations, logins
from helpdesk_core.audit import AuditEntry
from helpdesk_core.events import OutboxEvent
from helpdesk_core.row_security import see_everyone
from tests.accounts.mailbox import ask_for_reset, links_in, mails_to, newest_mail, tampered, token_for
from tests.accounts.meanwhile import Meanwhile
from tests.contract.steps import PASSWORD, bearer, created, log_in, refused, register, served

ADDRESS = "newcomer@example.com"
NEW_PASSWORD = "another long secret"


def happened(installation, kind):
    return [payload for event, payload in installation.events() if event == kind]


def refused_link(reply):
    found = refused(reply, 400)
    assert found["error"]["details"]["field"] == "token"
    return found["error"]["message"], found["error"]["details"]


def reset(anonymous, token, password=NEW_PASSWORD):
    return anonymous.post("/users/password-reset/confirm/", json={"token": token, "new_password": password})


def change_email(anonymous, email, password=PASSWORD, username="newcomer"):
    headers = bearer(log_in(anonymous, username)["access"])
    return anonymous.post("/users/change-email/", json={"email": email, "password": password}, headers=headers)


@pytest.fixture
def profile(installation):
    """Reads the row of a user."""

    def read(user_id):
        with installation.session() as session:
            return session.get_one(User, user_id)

    return read


@pytest.fixture
def close(installation):
    def set_inactive(organization_id):
        with installation.session() as session:
            session.get_one(Organization, organization_id).is_active = False
            session.commit()

    return set_inactive


class TestVerifyingAnAddress:
    def test_is_offered_to_those_who_register(self, installation, account, anonymous, profile):
        token = token_for(installation, ADDRESS, "verify-email")
        assert not profile(account["id"]).is_verified
        told = served(anonymous.post("/users/verify-email/", json={"token": token}))
        assert told == {"message": "E-mail address verified successfully"}
        assert profile(account["id"]).is_verified
        assert happened(installation, "user.email_verified") == [{"user_id": account["id"]}]

    def test_is_not_offered_to_those_whom_an_administrator_adds(self, installation, owner):
        body = {"email": "b@example.com", "username": "b", "password": PASSWORD}
        created(owner.post("/users/", json=body))
        assert mails_to(installation, "b@example.com") == []

    def test_works_once(self, installation, account, anonymous):
        token = token_for(installation, ADDRESS, "verify-email")
        served(anonymous.post("/users/verify-email/", json={"token": token}))
        refused_link(anonymous.post("/users/verify-email/", json={"token": token}))

    def test_works_for_three_days(self, installation, account, anonymous, clock):
        token = token_for(installation, ADDRESS, "verify-email")
        clock.advance(days=3)
        refused_link(anonymous.post("/users/verify-email/", json={"token": token}))
        clock.advance(seconds=-1)
        served(anonymous.post("/users/verify-email/", json={"token": token}))

    def test_is_sent_again_at_most_once_a_minute_and_the_last_link_works(self, installation, account, anonymous, clock):
        first = token_for(installation, ADDRESS, "verify-email")
        headers = bearer(log_in(anonymous)["access"])
        answers = [served(anonymous.post("/users/verify-email/resend/", headers=headers))]
        assert len(mails_to(installation, ADDRESS)) == 1
        clock.advance(minutes=1)
        answers.append(served(anonymous.post("/users/verify-email/resend/", headers=headers)))
        assert answers[0] == answers[1]
        second = token_for(installation, ADDRESS, "verify-email")
        refused_link(anonymous.post("/users/verify-email/", json={"token": first}))
        served(anonymous.post("/users/verify-email/", json={"token": second}))
        clock.advance(minutes=1)
        assert served(anonymous.post("/users/verify-email/resend/", headers=headers)) == answers[0]
        assert len(mails_to(installation, ADDRESS)) == 2

    def test_is_void_when_the_address_is_another_by_then(self, installation, account, anonymous, change):
        token = token_for(installation, ADDRESS, "verify-email")
        change(account["id"], email="other@example.com", email_key="other@example.com")
        refused_link(anonymous.post("/users/verify-email/", json={"token": token}))

    def test_refuses_every_bad_token_alike(self, installation, account, anonymous):
        token = token_for(installation, ADDRESS, "verify-email")
        answers = {
            str(refused_link(anonymous.post("/users/verify-email/", json={"token": each}))) for each in tampered(token)
        }
        assert len(answers) == 1
        served(anonymous.post("/users/verify-email/", json={"token": token}))


class TestAForgottenPassword:
    def test_is_replaced_by_a_link(self, installation, account, anonymous):
        token = ask_for_reset(installation, anonymous, ADDRESS)
        assert served(reset(anonymous, token)) == {"message": "Password reset successfully"}
        refused(anonymous.post("/users/login/", json={"username": "newcomer", "password": PASSWORD}), 401)
        assert log_in(anonymous, password=NEW_PASSWORD)["user"]["is_verified"] is True
        assert happened(installation, "user.password_reset") == [{"user_id": account["id"]}]
        assert newest_mail(installation, ADDRESS).subject == "A new password was set"

    def test_ends_every_login_and_every_delay(self, installation, account, anonymous, clock):
        logins = [log_in(anonymous) for _ in range(2)]
        with installation.session() as session:
            session.add(
                LoginDelay(
                    subject="x", user_id=account["id"], failures=9, last_failure_at=clock.now(), until=clock.now()
                )
            )
            session.commit()
        served(reset(anonymous, ask_for_reset(installation, anonymous, ADDRESS)))
        for login in logins:
            refused(anonymous.get("/users/profile/", headers=bearer(login["access"])), 401)
            refused(anonymous.post("/users/refresh/", json={"refresh": login["refresh"]}), 401)
        with installation.session() as session:
            assert session.scalars(select(LoginDelay)).all() == []

    def test_looks_the_same_for_addresses_that_nobody_has(self, installation, account, anonymous, change, close):
        closed = register(anonymous, "closed")
        change(closed["id"], is_active=False)
        register(anonymous, "elsewhere", organization_slug="globex")
        installation.run_jobs()
        installation.mails.clear()
        close(installation.client("outsider").organization_id)
        seen = {}
        for name in ("warm up", "newcomer", "closed", "elsewhere", "nobody"):
            address = f"{name.replace(' ', '')}@example.com"
            with installation.statements() as statements:
                reply = anonymous.post("/users/password-reset/", json={"email": address})
            seen[name] = (reply.status_code, reply.content, set(reply.headers), tuple(statements))
        del seen["warm up"]
        assert len(set(map(str, seen.values()))) == 1, seen
        assert seen["nobody"][0] == 200
        installation.run_jobs()
        assert [mail.to for mail in installation.mails] == [ADDRESS]

    def test_of_nobody_is_noted_where_registrations_go(self, installation, owner, anonymous):
        served(anonymous.post("/users/password-reset/", json={"email": "nobody@example.com"}))
        (event,) = happened(installation, "user.password_reset_requested")
        assert event["user_id"] is None
        assert "nobody" not in str(installation.events())

    def test_is_mailed_to_the_address_of_the_account_and_not_to_one_like_it(self, installation, owner, anonymous):
        served(anonymous.post("/users/password-reset/", json={"email": "\uff2fWNER@acme.com"}))
        installation.run_jobs()
        assert [mail.to for mail in installation.mails] == ["owner@acme.com"]

    def test_sends_one_mail_a_minute(self, installation, account, anonymous, clock):
        before = len(mails_to(installation, ADDRESS))
        for _ in range(3):
            served(anonymous.post("/users/password-reset/", json={"email": ADDRESS}))
        assert len(mails_to(installation, ADDRESS)) == before + 1

    def test_link_works_for_an_hour(self, installation, account, anonymous, clock):
        token = ask_for_reset(installation, anonymous, ADDRESS)
        clock.advance(hours=1)
        refused_link(reset(anonymous, token))
        clock.advance(seconds=-1)
        served(reset(anonymous, token))
        refused_link(reset(anonymous, token))

    def test_link_dies_of_a_newer_one(self, installation, account, anonymous, clock):
        first = ask_for_reset(installation, anonymous, ADDRESS)
        clock.advance(minutes=1)
        second = ask_for_reset(installation, anonymous, ADDRESS)
        refused_link(reset(anonymous, first))
        served(reset(anonymous, second))

    def test_link_dies_of_another_password(self, installation, account, anonymous):
        token = ask_for_reset(installation, anonymous, ADDRESS)
        body = {"old_password": PASSWORD, "new_password": "a third long secret"}
        headers = bearer(log_in(anonymous)["access"])
        served(anonymous.post("/users/change-password/", json=body, headers=headers))
        refused_link(reset(anonymous, token))

    def test_link_dies_of_another_address(self, installation, owner, account, anonymous):
        token = ask_for_reset(installation, anonymous, ADDRESS)
        served(owner.put(f"/users/{account['id']}/", json={"email": "moved@example.com"}))
        refused_link(reset(anonymous, token))

    def test_link_dies_of_deactivation_even_when_it_is_undone(self, installation, owner, account, anonymous):
        token = ask_for_reset(installation, anonymous, ADDRESS)
        assert owner.delete(f"/users/{account['id']}/").status_code == 204
        refused_link(reset(anonymous, token))
        served(owner.post(f"/users/{account['id']}/activate/"))
        refused_link(reset(anonymous, token))

    def test_link_does_not_open_a_closed_organization(self, installation, owner, account, anonymous, close):
        token = ask_for_reset(installation, anonymous, ADDRESS)
        close(owner.organization_id)
        refused_link(reset(anonymous, token))

    def test_takes_no_bad_password_and_leaves_the_link_alone(self, installation, account, anonymous):
        token = ask_for_reset(installation, anonymous, ADDRESS)
        for bad in ("short", "password123", ADDRESS):
            found = refused(reset(anonymous, token, bad), 400)
            assert found["error"]["details"]["field"] == "new_password"
        served(reset(anonymous, token))

    def test_hashes_only_for_a_good_link(self, installation, account, anonymous, monkeypatch):
        token = ask_for_reset(installation, anonymous, ADDRESS)
        monkeypatch.setattr(Passwords, "hash", lambda *_: pytest.fail("hashed"))
        for bad in tampered(token):
            refused_link(reset(anonymous, bad))

    def test_refuses_links_for_something_else(self, installation, account, anonymous):
        verifying = token_for(installation, ADDRESS, "verify-email")
        resetting = ask_for_reset(installation, anonymous, ADDRESS)
        served(change_email(anonymous, "moved@example.com"))
        changing = token_for(installation, "moved@example.com", "confirm-email")
        paths = {"verify-email": verifying, "password-reset/confirm": resetting, "change-email/confirm": changing}
        for path, good in paths.items():
            for token in set(paths.values()) - {good}:
                body = {"token": token} | ({"new_password": NEW_PASSWORD} if "password" in path else {})
                refused_link(anonymous.post(f"/users/{path}/", json=body))
        body = {"token": resetting, "username": "x", "password": NEW_PASSWORD}
        refused_link(anonymous.post("/users/accept-invitation/", json=body))

    def test_of_two_that_use_a_link_at_once_one_succeeds(self, installation, account, anonymous, monkeypatch):
        token = ask_for_reset(installation, anonymous, ADDRESS)
        both, real = Barrier(2), Passwords.hash

        def hash_together(passwords, password):
            both.wait(timeout=30)
            return real(passwords, password)

        monkeypatch.setattr(Passwords, "hash", hash_together)
        with ThreadPoolExecutor(2) as threads:
            replies = list(threads.map(lambda n: reset(anonymous, token, f"another long secret {n}"), range(2)))
        assert sorted(reply.status_code for reply in replies) == [200, 400]
        winner = [reply.status_code for reply in replies].index(200)
        log_in(anonymous, password=f"another long secret {winner}")
        assert len(happened(installation, "user.password_reset")) == 1

    @pytest.mark.parametrize("password", ["wrong", PASSWORD])
    def test_does_not_block_a_login_at_the_same_time(self, installation, account, anonymous, monkeypatch, password):
        refused(anonymous.post("/users/login/", json={"username": "newcomer", "password": "wrong"}), 401)
        token = ask_for_reset(installation, anonymous, ADDRESS)
        body = {"username": "newcomer", "password": password}
        login = Meanwhile(installation, lambda: anonymous.post("/users/login/", json=body), inside=True)
        monkeypatch.setattr(confirmations, "end_logins", login.after(confirmations.end_logins))
        served(reset(anonymous, token))
        refused(login.over(), 401)

    def test_does_not_block_a_login_that_began_before(self, installation, account, anonymous, monkeypatch):
        refused(anonymous.post("/users/login/", json={"username": "newcomer", "password": "wrong"}), 401)
        token = ask_for_reset(installation, anonymous, ADDRESS)
        meanwhile = Meanwhile(installation, lambda: reset(anonymous, token), inside=True)
        monkeypatch.setattr(logins, "locked_user", meanwhile.before(logins.locked_user))
        tokens = log_in(anonymous)
        served(meanwhile.over())
        refused(anonymous.post("/users/refresh/", json={"refresh": tokens["refresh"]}), 401)


class TestMovingToAnotherAddress:
    def test_takes_the_password(self, installation, account, anonymous):
        found = refused(change_email(anonymous, "moved@example.com", "wrong"), 400)
        assert found["error"]["details"]["field"] == "password"
        found = refused(change_email(anonymous, ADDRESS), 400)
        assert found["error"]["details"]["field"] == "email"

    def test_happens_when_the_new_address_answers(self, installation, account, anonymous, profile):
        served(change_email(anonymous, "Moved@example.com"))
        token = token_for(installation, "Moved@example.com", "confirm-email")
        assert profile(account["id"]).email == ADDRESS
        told = served(anonymous.post("/users/change-email/confirm/", json={"token": token}))
        assert told == {"message": "E-mail address changed successfully"}
        user = profile(account["id"])
        assert (user.email, user.email_key, user.is_verified) == ("Moved@example.com", "moved@example.com", True)
        assert newest_mail(installation, ADDRESS).subject == "Your account has another e-mail address"
        assert happened(installation, "user.email_changed") == [{"user_id": account["id"], "previous_email": ADDRESS}]
        refused_link(anonymous.post("/users/change-email/confirm/", json={"token": token}))

    def test_to_one_that_is_taken_looks_the_same_and_tells_its_owner(self, installation, account, anonymous):
        register(anonymous, "holder", organization_slug="globex", language="de")
        installation.run_jobs()
        headers = bearer(log_in(anonymous)["access"])
        seen = []
        for address in ("warmup@example.com", "free@example.com", "HOLDER@example.com"):
            body = {"email": address, "password": PASSWORD}
            with installation.statements() as statements:
                reply = anonymous.post("/users/change-email/", json=body, headers=headers)
            seen.append((reply.status_code, reply.content, tuple(statements)))
        assert seen[1] == seen[2]
        mail = newest_mail(installation, "holder@example.com")
        assert mail.subject == "Jemand möchte Ihre E-Mail-Adresse verwenden"
        assert links_in([mail]) == []
        assert mails_to(installation, "HOLDER@example.com") == []

    def test_is_refused_when_somebody_else_was_faster(self, installation, account, anonymous):
        served(change_email(anonymous, "wanted@example.com"))
        token = token_for(installation, "wanted@example.com", "confirm-email")
        register(anonymous, "wanted")
        found = refused(anonymous.post("/users/change-email/confirm/", json={"token": token}), 409)
        assert found["error"]["details"]["field"] == "email"

    def test_is_void_after_a_new_password_and_after_a_day(self, installation, account, anonymous, clock):
        served(change_email(anonymous, "moved@example.com"))
        token = token_for(installation, "moved@example.com", "confirm-email")
        clock.advance(days=1)
        refused_link(anonymous.post("/users/change-email/confirm/", json={"token": token}))
        clock.advance(hours=-1)
        served(reset(anonymous, ask_for_reset(installation, anonymous, ADDRESS)))
        refused_link(anonymous.post("/users/change-email/confirm/", json={"token": token}))

    def test_to_a_second_choice_ends_the_first(self, installation, account, anonymous):
        served(change_email(anonymous, "typo@example.com"))
        first = token_for(installation, "typo@example.com", "confirm-email")
        served(change_email(anonymous, "right@example.com"))
        second = token_for(installation, "right@example.com", "confirm-email")
        refused_link(anonymous.post("/users/change-email/confirm/", json={"token": first}))
        served(anonymous.post("/users/change-email/confirm/", json={"token": second}))


class TestSecrets:
    def test_are_in_mails_alone(self, installation, owner, account, anonymous):
        path = f"/organizations/{owner.organization_id}/invitations/"
        created(owner.post(path, json={"email": "invited@example.com", "role": "agent"}))
        served(change_email(anonymous, "moved@example.com"))
        ask_for_reset(installation, anonymous, ADDRESS)
        tokens = links_in(installation.mails)
        assert len(tokens) == 4
        seals = [token.partition(".")[2] for token in tokens]
        stored = "".join(everything_stored(installation))
        assert ADDRESS in stored
        assert not [seal for seal in seals if seal in stored]
        served(reset(anonymous, tokens[-1]))
        assert not [seal for seal in seals if seal in "".join(everything_stored(installation))]

    def test_are_not_needed_to_tell_what_was_done(self, installation, account, anonymous):
        served(reset(anonymous, ask_for_reset(installation, anonymous, ADDRESS)))
        with installation.session() as session:
            entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        acts = [(entry.act, entry.target_id, entry.actor_id, bool(entry.address)) for entry in entries]
        assert ("user.password_reset_requested", account["id"], None, True) in acts
        assert ("user.password_reset", account["id"], account["id"], True) in acts
        assert ("user.email_verified", account["id"], account["id"], True) in acts


def everything_stored(installation):
    """Every row of every table, as text."""
    with installation.parts.services.database.engine.connect() as connection:
        see_everyone(connection)
        for table in installation.parts.services.database.engine.dialect.get_table_names(connection):
            for row in connection.execute(text(f'SELECT * FROM "{table}"')):
                yield str(tuple(row))


@contextmanager
def rolled_back(monkeypatch):
    """Lets every commit of a request fail."""
    with monkeypatch.context() as patch:
        patch.setattr("helpdesk_core.web.unit_of_work.commit", lambda _: (_ for _ in ()).throw(ValueError))
        yield


def test_nothing_is_sent_of_what_was_rolled_back(installation, account, anonymous, monkeypatch):
    installation.run_jobs()
    installation.mails.clear()
    with rolled_back(monkeypatch):
        reply = anonymous.post("/users/password-reset/", json={"email": ADDRESS})
    assert reply.status_code == 500
    installation.run_jobs()
    assert installation.mails == []
    with installation.session() as session:
        resets = select(Confirmation.id).where(Confirmation.purpose == "reset_password")
        assert session.scalars(resets).all() == []
        assert session.scalars(select(OutboxEvent).where(OutboxEvent.type.like("%reset%"))).all() == []
