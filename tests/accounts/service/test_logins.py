"""A login that begins while the password changes, every login ends, or a second factor becomes necessary."""

import pytest

from helpdesk_core.accounts.service import logins
from tests.accounts.meanwhile import Meanwhile
from tests.accounts.phones import credentials
from tests.contract.steps import PASSWORD, bearer, refused, served

ENDING = {
    "/users/change-password/": {"old_password": PASSWORD, "new_password": "another long password 1"},
    "/users/logout-all/": {},
}


@pytest.fixture
def ending(installation, member, monkeypatch, path):
    """Every other login of the member ends while they log in."""
    member.get("/users/profile/")
    meanwhile = Meanwhile(installation, lambda: member.post(path, json=ENDING[path]), inside=True)
    monkeypatch.setattr(logins, "must_enroll", meanwhile.before(logins.must_enroll))
    return meanwhile


@pytest.mark.parametrize("path", ENDING)
def test_a_login_that_was_faster_than_the_end_of_all_ends_too(anonymous, member, ending):
    tokens = served(anonymous.post("/users/login/", json=credentials(member)))
    served(ending.over())
    refused(anonymous.post("/users/refresh/", json={"refresh": tokens["refresh"]}), 401)
    refused(anonymous.get("/users/profile/", headers=bearer(tokens["access"])), 401)


@pytest.mark.parametrize("path", ENDING)
def test_so_does_a_session(anonymous, member, ending):
    served(anonymous.post("/users/session/", json=credentials(member)))
    served(ending.over())
    refused(anonymous.get("/users/profile/"), 401)


def test_a_login_sets_up_the_second_factor_that_becomes_necessary(installation, owner, member, anonymous, monkeypatch):
    owner.get("/users/profile/")
    path, settings = f"/organizations/{owner.organization_id}/", {"settings": {"two_factor_roles": ["customer"]}}
    meanwhile = Meanwhile(installation, lambda: owner.patch(path, json=settings), inside=True)
    monkeypatch.setattr(logins, "must_enroll", meanwhile.after(logins.must_enroll))
    tokens = served(anonymous.post("/users/login/", json=credentials(member)))
    served(meanwhile.over())
    reply = anonymous.get("/users/sessions/", headers=bearer(tokens["access"]))
    assert refused(reply, 403)["error"]["code"] == "TWO_FACTOR_REQUIRED"
