"""Where the password is asked for again, guessing it takes time; and who lost their second factor is helped."""

import pytest

from helpdesk_core.events import publish
from helpdesk_core.limits.events import QuotaReached
from tests.accounts.phones import credentials
from tests.contract.steps import PASSWORD, deleted, log_in, refused, served

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
