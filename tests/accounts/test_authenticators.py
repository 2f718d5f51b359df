"""What of a credential is looked up with every request, so that nothing outlives its revocation."""

import pytest

from helpdesk_core.accounts.models import Organization
from helpdesk_core.accounts.tokens import Tokens
from helpdesk_core.schemas import Dialect
from tests.contract.steps import PASSWORD, bearer, log_in, refused, served


@pytest.fixture
def tokens(account, anonymous):
    return log_in(anonymous)


def still_works(anonymous, tokens):
    return anonymous.get("/users/profile/", headers=bearer(tokens["access"])).status_code == 200


def test_a_refusal_names_the_scheme(anonymous):
    for headers in ({}, bearer("nonsense"), {"Authorization": "Basic bmV3Y29tZXI6eA=="}, {"Authorization": ""}):
        reply = anonymous.get("/users/profile/", headers=headers)
        refused(reply, 401)
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_scheme_is_written_in_any_case(anonymous, tokens):
    served(anonymous.get("/users/profile/", headers={"Authorization": f"bEaReR  {tokens['access']}"}))


def test_the_dialect_is_that_of_the_endpoint(account, anonymous):
    classic = served(anonymous.post("/auth/token/", json={"username": "newcomer", "password": PASSWORD}))
    found = refused(anonymous.get("/users/999/", headers=bearer(classic["access"])), 404)
    assert isinstance(found["error"], str)


def test_a_closed_account_is_out_at_once(anonymous, owner, account, tokens):
    assert still_works(anonymous, tokens)
    assert owner.delete(f"/users/{account['id']}/").status_code == 204
    assert not still_works(anonymous, tokens)
    owner.post(f"/users/{account['id']}/activate/")
    assert not still_works(anonymous, tokens)


def test_a_closed_organization_is_out_at_once(installation, owner, anonymous, tokens):
    with installation.session() as session:
        session.get_one(Organization, owner.organization_id).is_active = False
        session.commit()
    assert not still_works(anonymous, tokens)


def test_a_raised_token_version_revokes(anonymous, account, tokens, change):
    change(account["id"], token_version=1)
    assert not still_works(anonymous, tokens)


def test_the_token_of_a_login_is_of_nobody_else(installation, anonymous, account, owner, tokens):
    issuer = installation.parts.services.get(Tokens)
    login_id = issuer.read(tokens["access"]).login_id
    for values in ({"user_id": owner.user.id, "login_id": login_id}, {"user_id": account["id"], "login_id": 999}):
        forged = issuer.issue(**values, version=0, dialect=Dialect.CLASSIC)
        refused(anonymous.get("/users/profile/", headers=bearer(forged)), 401)


def test_a_bad_credential_does_not_stand_in_the_way_of_public_endpoints(anonymous, clock, tokens):
    clock.advance(minutes=16)
    headers = bearer(tokens["access"])
    refused(anonymous.get("/users/profile/", headers=headers), 401)
    served(anonymous.post("/users/refresh/", json={"refresh": tokens["refresh"]}, headers=headers))


def test_a_role_applies_from_the_next_request_on(anonymous, owner, account, tokens):
    headers = bearer(tokens["access"])
    refused(anonymous.get("/users/999/", headers=headers), 404)
    assert served(anonymous.get("/users/", headers=headers))["count"] == 1
    served(owner.post(f"/users/{account['id']}/change-role/", json={"role": "agent"}))
    assert served(anonymous.get("/users/", headers=headers))["count"] > 1
