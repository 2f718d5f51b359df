"""Where the password is asked for again, guessing it takes time; and who lost their second factor is helped."""

import pytest

from helpdesk_core.accounts.backup_codes import BackupCodes
from helpdesk_core.accounts.models import User
from helpdesk_core.accounts.passwords import Passwords
from helpdesk_core.accounts.service import codes
from helpdesk_core.events import publish
from helpdesk_core.limits.events import QuotaReached
from tests.accounts.meanwhile import Meanwhile
from tests.accounts.phones import credentials, enroll
from tests.contract.steps import PASSWORD, bearer, deleted, log_in, refused, rows, served

ANOTHER = "another long password 1"
GUESSES = [
    ("/users/change-password/", {"old_password": "wrong one", "new_password": ANOTHER}, "old_password"),
    ("/users/change-email/", {"email": "new@acme.com", "password": "wrong one"}, "password"),
]


@pytest.mark.parametrize(("path", "body", "field"), GUESSES, ids=lambda value: str(value)[:24])
def test_five_wrong_passwords_are_enough(member, clock, path, body, field):
    for _ in range(5):
        assert refused(member.post(path, json=body), 400)["error"]["details"]["field"] == field
    right = {**body, field: PASSWORD}
    told = refused(member.post(path, json=right), 429)["error"]
    assert told["code"] == "RATE_LIMIT_EXCEEDED"
    clock.advance(minutes=15)
    served(member.post(path, json=right))


def test_wrong_passwords_count_together_wherever_they_are_sent(member):
    for path, body, _ in GUESSES * 2:
        refused(member.post(path, json=body), 400)
    refused(member.post(GUESSES[0][0], json=GUESSES[0][1]), 400)
    refused(member.post("/users/2fa/disable/", json={"password": PASSWORD}), 409)
    refused(member.post(GUESSES[1][0], json=GUESSES[1][1]), 429)


class TestWhatChangesAfterTheLook:
    """Looking at a proof and insisting on it are two transactions; what happens between them counts."""

    @pytest.fixture
    def reset(self, installation, member, anonymous):
        """Sets the member's password by a link that was mailed before."""
        served(anonymous.post("/users/password-reset/", json={"email": member.user.email}))
        installation.run_jobs()
        token = installation.mails[-1].text.split("#")[1].split()[0]
        body = {"token": token, "new_password": ANOTHER}
        return Meanwhile(installation, lambda: anonymous.post("/users/password-reset/confirm/", json=body))

    def test_a_password_set_by_link_stays(self, member, anonymous, reset, monkeypatch):
        member.get("/users/profile/")
        monkeypatch.setattr(Passwords, "verify", reset.after(Passwords.verify))
        body = {"old_password": PASSWORD, "new_password": "the password of a thief"}
        refused(member.post("/users/change-password/", json=body), 401)
        served(reset.over())
        log_in(anonymous, "member", ANOTHER)

    def test_a_password_that_was_changed_proves_nothing(self, installation, member, anonymous, monkeypatch):
        member.get("/users/profile/")
        stored = installation.parts.services.get(Passwords).hash(ANOTHER)

        def change():
            with installation.session() as session:
                session.get_one(User, member.user.id).password_hash = stored
                session.commit()

        changed = Meanwhile(installation, change)
        monkeypatch.setattr(Passwords, "verify", changed.after(Passwords.verify))
        body = {"old_password": PASSWORD, "new_password": "the password of a thief"}
        found = refused(member.post("/users/change-password/", json=body), 400)
        assert found["error"]["details"]["field"] == "old_password"
        log_in(anonymous, "member", ANOTHER)

    def test_a_code_serves_no_login_that_has_ended(self, installation, member, phone, monkeypatch):
        held = served(member.post("/users/login/", json=credentials(member, otp=phone.next_code())))
        everywhere = Meanwhile(installation, lambda: member.post("/users/logout-all/"))
        monkeypatch.setattr(codes, "evidence_of", everywhere.after(codes.evidence_of))
        body = {"code": phone.next_code()}
        refused(member.post("/users/2fa/disable/", json=body, headers=bearer(held["access"])), 401)
        served(everywhere.over())

    def test_a_second_factor_that_came_on_needs_its_proof(self, installation, member, clock, monkeypatch):
        member.get("/users/profile/")
        turned_on = Meanwhile(installation, lambda: enroll(member, clock))
        monkeypatch.setattr(BackupCodes, "kept", turned_on.before(BackupCodes.kept))
        refused(member.post("/users/2fa/setup/", json={"device_name": "Of a thief"}), 409)
        assert turned_on.over().backup_codes
        assert [each["name"] for each in rows(member, "/users/2fa/devices/")] == ["My Phone"]

    def test_a_first_device_is_not_for_a_login_that_has_ended(self, installation, member, monkeypatch):
        member.get("/users/profile/")
        everywhere = Meanwhile(installation, lambda: member.post("/users/logout-all/"))
        monkeypatch.setattr(BackupCodes, "kept", everywhere.before(BackupCodes.kept))
        refused(member.post("/users/2fa/setup/", json={"device_name": "Of a thief"}), 401)
        served(everywhere.over())


def test_an_administrator_removes_a_lost_second_factor(outsider, agent, owner, member, anonymous, phone):  # noqa: PLR0917
    path = f"/users/{member.user.id}/2fa/"
    refused(outsider.delete(path), 404)
    refused(agent.delete(path), 403)
    refused(anonymous.post("/users/login/", json=credentials(member)), 401)
    deleted(owner.delete(path))
    log_in(anonymous, "member")
    refused(owner.delete(path), 409)


def test_where_the_role_needs_one_they_set_up_another(owner, member, phone, installation):
    settings = {"settings": {"two_factor_roles": ["customer"]}}
    served(owner.patch(f"/organizations/{owner.organization_id}/", json=settings))
    served(member.get("/users/"))
    deleted(owner.delete(f"/users/{member.user.id}/2fa/"))
    assert refused(member.get("/users/"), 403)["error"]["code"] == "TWO_FACTOR_REQUIRED"


@pytest.mark.parametrize("act", ["second factor", "API key"])
def test_people_are_told_by_mail(installation, member, clock, request, act):
    if act == "second factor":
        request.getfixturevalue("phone")
    else:
        assert member.post("/users/api-keys/", json={"name": "Robot"}).status_code == 201
    installation.run_jobs()
    (mail,) = installation.mails
    assert mail.to == member.user.email


def test_administrators_are_told_that_the_quota_runs_out(installation, owner):
    with installation.session(owner.organization_id) as session:
        reached = QuotaReached(organization_id=owner.organization_id, percent=80, month="2026-03", limit=1000)
        publish(session, reached)
        installation.commit(session)
    installation.run_jobs()
    (mail,) = installation.mails
    assert mail.to == owner.user.email
    assert "80" in mail.subject + mail.text
