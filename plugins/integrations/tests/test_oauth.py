"""OAuth 2: tokens are fetched, kept, renewed and never shown; consent is given once, here."""

import base64
import hashlib
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from helpdesk_integrations.models import Consent, Credential
from plugins.integrations.tests.conftest import APIS

CALLBACK = "/integration-platform/oauth/callback/"


def token(name, **more):
    return (
        200,
        {"Content-Type": "application/json"},
        json.dumps({"access_token": name, "token_type": "Bearer", **more}).encode(),
    )


@pytest.fixture
def machine(owner, receiver):
    """An integration that speaks for itself."""
    return integration(owner, receiver, grant="client_credentials", scope="read")


@pytest.fixture
def person(owner, receiver):
    """An integration that speaks for whoever gives consent."""
    return integration(owner, receiver, grant="authorization_code", authorize_url=f"{receiver.base}/authorize")


def integration(owner, receiver, **credentials):
    body = {"name": "There", "base_url": f"{receiver.base}/v1", "authentication_methods": ["oauth2"]}
    made = owner.post(APIS, json=body).json()
    shown = {"kind": "oauth2", "client_id": "us", "client_secret": "our-secret", "token_url": f"{receiver.base}/token"}
    reply = owner.put(f"{APIS}{made['id']}/credentials/", json={**shown, **credentials})
    assert reply.status_code == 200, reply.text
    return {**made, "ready": reply.json()["is_ready"]}


def call(owner, api):
    return owner.post(f"{APIS}{api['id']}/requests/", json={"path": "/things/"})


def code_of(reply):
    return reply.status_code, reply.json()["error"]["code"]


class TestClientCredentials:
    def test_a_token_is_fetched_once_and_shown_to_the_other_side(self, owner, machine, receiver):
        receiver.answers["/token"] = token("first-token", expires_in=3600)
        assert machine["ready"] is True
        assert [call(owner, machine).status_code for _ in range(3)] == [200] * 3
        (asked,) = receiver.of("/token")
        assert parse_qs(asked.body.decode()) == {"grant_type": ["client_credentials"], "scope": ["read"]}
        assert asked.headers["authorization"] == "Basic " + base64.b64encode(b"us:our-secret").decode()
        shown = {each.headers["authorization"] for each in receiver.of("/v1/things/")}
        assert shown == {"Bearer first-token"}

    def test_it_is_renewed_before_it_ends(self, owner, machine, receiver, clock):
        receiver.answers["/token"] = token("first-token", expires_in=3600)
        call(owner, machine)
        receiver.answers["/token"] = token("second-token", expires_in=3600)
        clock.advance(seconds=3545)
        call(owner, machine)
        assert [each.headers["authorization"] for each in receiver.of("/v1/things/")] == [
            "Bearer first-token",
            "Bearer second-token",
        ]

    def test_one_that_is_refused_is_renewed(self, owner, machine, receiver):
        receiver.answers["/token"] = token("first-token")
        receiver.answers["/v1/things/"] = (401, {}, b"")
        assert call(owner, machine).json()["status"] == 401
        receiver.answers["/token"] = token("second-token")
        call(owner, machine)
        assert receiver.received[-1].headers["authorization"] == "Bearer second-token"

    def test_tokens_are_stored_encrypted_and_never_shown(self, owner, machine, receiver, installation):
        receiver.answers["/token"] = token("first-token")
        receiver.answers["/v1/things/"] = (200, {}, b"your token is first-token")
        told = call(owner, machine)
        assert told.json()["body"] == "your token is ***"
        with installation.session() as session:
            assert "first-token" not in session.scalars(select(Credential.token)).one()
        assert "first-token" not in owner.get(f"{APIS}{machine['id']}/requests/").text

    @pytest.mark.parametrize(
        "answer",
        [
            (500, {}, b""),
            (
                400,
                {"Content-Type": "application/json"},
                b'{"error": "invalid_client", "error_description": "our-secret"}',
            ),
            (200, {}, b"<html>"),
            (200, {"Content-Type": "application/json"}, b'{"token_type": "Bearer"}'),
            (200, {"Content-Type": "application/json"}, b"[]"),
        ],
    )
    def test_a_server_without_tokens_is_told(self, owner, machine, receiver, answer):
        receiver.answers["/token"] = answer
        refused = call(owner, machine)
        assert code_of(refused) == (422, "NO_ANSWER")
        assert "our-secret" not in refused.text
        assert not receiver.of("/v1/things/")
        assert owner.get(f"{APIS}{machine['id']}/").json()["failed_requests"] == 1
        receiver.answers["/token"] = token("at-last")
        assert call(owner, machine).status_code == 200

    def test_a_token_server_of_our_own_network_is_refused(self, owner, receiver):
        made = owner.post(
            APIS, json={"name": "x", "base_url": receiver.base, "authentication_methods": ["oauth2"]}
        ).json()
        body = {"kind": "oauth2", "grant": "client_credentials", "client_id": "us", "client_secret": "s"}
        body["token_url"] = "https://10.0.0.1/token"
        reply = owner.put(f"{APIS}{made['id']}/credentials/", json=body)
        assert reply.json()["error"]["details"]["field"] == "token_url"


class TestConsent:
    def begin(self, owner, api):
        reply = owner.post(f"{APIS}{api['id']}/oauth/authorize/")
        assert reply.status_code == 200, reply.text
        return {name: values[0] for name, values in parse_qs(urlsplit(reply.json()["authorization_url"]).query).items()}

    def test_consent_brings_a_token(self, *, owner, person, receiver, anonymous, installation):
        assert person["ready"] is False
        assert call(owner, person).status_code == 422
        asked = self.begin(owner, person)
        assert asked["client_id"] == "us"
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert asked["redirect_uri"].endswith("/api/v1" + CALLBACK)
        receiver.answers["/token"] = token("persons-token", expires_in=60, refresh_token="refresh-1")
        reply = anonymous.get(CALLBACK, params={"state": asked["state"], "code": "a-code"})
        assert reply.status_code == 200, reply.text
        sent = {name: values[0] for name, values in parse_qs(receiver.of("/token")[0].body.decode()).items()}
        assert (sent["grant_type"], sent["code"], sent["redirect_uri"]) == (
            "authorization_code",
            "a-code",
            asked["redirect_uri"],
        )
        digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]
        receiver.answers["/token"] = token("renewed-token", expires_in=3600)
        assert call(owner, person).status_code == 200
        assert receiver.received[-1].headers["authorization"] == "Bearer renewed-token"
        renewal = parse_qs(receiver.of("/token")[1].body.decode())
        assert (renewal["grant_type"], renewal["refresh_token"]) == (["refresh_token"], ["refresh-1"])
        told = [payload for kind, payload in installation.events() if kind == "api_integration.credentials_changed"]
        assert len(told) == 2

    def test_a_state_works_once(self, owner, person, receiver, anonymous):
        state = self.begin(owner, person)["state"]
        receiver.answers["/token"] = token("persons-token")
        query = {"state": state, "code": "a-code"}
        assert [anonymous.get(CALLBACK, params=query).status_code for _ in range(2)] == [200, 400]
        assert len(receiver.of("/token")) == 1

    def test_a_state_works_for_ten_minutes(self, *, owner, person, anonymous, clock, receiver):
        state = self.begin(owner, person)["state"]
        clock.advance(minutes=10, seconds=1)
        assert anonymous.get(CALLBACK, params={"state": state, "code": "a-code"}).status_code == 400
        assert not receiver.received

    def test_a_state_works_for_its_organization(self, *, owner, outsider, person, anonymous, receiver):
        organization, _, rest = self.begin(owner, person)["state"].partition(".")
        assert int(organization) == owner.organization_id
        for other in (str(outsider.organization_id), "999999", "x", "", "9" * 30, "²"):
            query = {"state": f"{other}.{rest}", "code": "a-code"}
            assert anonymous.get(CALLBACK, params=query).status_code == 400
        assert not receiver.received

    def test_a_refusal_is_told_and_ends_the_consent(self, *, owner, person, anonymous, installation, receiver):
        state = self.begin(owner, person)["state"]
        reply = anonymous.get(CALLBACK, params={"state": state, "error": "access_denied"})
        assert (reply.status_code, reply.json()["error"]["details"]) == (400, {"reason": "access_denied"})
        with installation.session() as session:
            assert not session.scalars(select(Consent)).all()
        assert not receiver.received

    def test_without_credentials_there_is_nothing_to_consent_to(self, owner, machine):
        reply = owner.post(f"{APIS}{machine['id']}/oauth/authorize/")
        assert code_of(reply) == (409, "NO_CREDENTIALS")

    def test_a_token_that_ends_without_a_way_to_renew_it_needs_consent_again(
        self, *, owner, person, receiver, anonymous, clock
    ):
        state = self.begin(owner, person)["state"]
        receiver.answers["/token"] = token("persons-token", expires_in=600)
        anonymous.get(CALLBACK, params={"state": state, "code": "a-code"})
        assert call(owner, person).status_code == 200
        clock.advance(hours=1)
        refused = call(owner, person)
        assert "consent" in refused.json()["error"]["message"]
