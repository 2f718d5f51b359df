import pytest
from sqlalchemy import select

from helpdesk_core.audit import AuditEntry
from tests.contract.steps import PASSWORD, created, refused, register, served

NEW = {"email": "ada@acme.com", "username": "ada", "password": PASSWORD}


@pytest.fixture
def verify(owner):
    """Asks for the domain of Acme to be verified."""
    path = f"/organizations/{owner.organization_id}/verify-domain/"
    return lambda **options: owner.post(path, params={"include": "domain_verified_at"}, **options)


def set_record(installation, client):
    """Sets the DNS record that is asked for."""
    reply = client.post(f"/organizations/{client.organization_id}/verify-domain/")
    details = refused(reply, 422)["error"]["details"]
    assert details["record_type"] == "TXT"
    installation.resolver.records[details["record_name"]] = ["v=spf1 -all", details["record_value"]]
    return details


class TestProving:
    def test_is_for_administrators_of_the_organization(self, owner, outsider, agent, member, anonymous):
        path = f"/organizations/{owner.organization_id}/verify-domain/"
        for client, status in ((anonymous, 401), (outsider, 404), (member, 403), (agent, 403), (owner, 422)):
            refused(client.post(path), status)

    def test_takes_the_record_that_is_asked_for(self, installation, owner, outsider, verify):
        details = set_record(installation, owner)
        assert details["record_name"] == "_helpdesk.acme.com"
        other = refused(outsider.post(f"/organizations/{outsider.organization_id}/verify-domain/"), 422)
        assert other["error"]["code"] == "DOMAIN_NOT_VERIFIED"
        assert other["error"]["details"]["record_value"] != details["record_value"]
        assert served(verify())["domain_verified_at"] == "2026-03-02T10:00:00Z"
        events = [payload for kind, payload in installation.events() if kind == "organization.updated"]
        assert [event["changed"] for event in events] == [["domain_verified_at"]]
        with installation.session(owner.organization_id) as session:
            assert "organization.domain_verified" in session.scalars(select(AuditEntry.act)).all()

    def test_holds_when_the_record_is_gone(self, installation, owner, verify):
        set_record(installation, owner)
        served(verify())
        installation.resolver.records.clear()
        assert served(verify())["domain_verified_at"]

    def test_refuses_the_record_of_another(self, installation, owner, outsider, verify):
        value = set_record(installation, outsider)["record_value"]
        installation.resolver.records["_helpdesk.acme.com"] = [value, "", "helpdesk-verification="]
        refused(verify(), 422)

    def test_begins_again_with_another_domain(self, installation, owner, verify):
        set_record(installation, owner)
        served(verify())
        path = f"/organizations/{owner.organization_id}/"
        changed = served(owner.patch(path, json={"domain": "acme.org"}, params={"include": "domain_verified_at"}))
        assert changed["domain_verified_at"] is None
        refused(verify(), 422)
        served(owner.patch(path, json={"domain": "acme.com"}))
        served(verify())

    def test_needs_a_domain(self, owner, verify):
        served(owner.patch(f"/organizations/{owner.organization_id}/", json={"domain": None}))
        assert refused(verify(), 422)["error"]["code"] == "NO_DOMAIN"

    def test_is_not_written_by_hand(self, owner, verify):
        path = f"/organizations/{owner.organization_id}/"
        sent = {"domain_verified_at": "2026-01-01T00:00:00Z"}
        shown = served(owner.patch(path, json=sent, params={"include": "domain_verified_at"}))
        assert shown["domain_verified_at"] is None

    def test_tells_when_nobody_answers(self, installation, verify):
        installation.resolver.works = False
        found = refused(verify(), 503)
        assert "name servers" in found["error"]["message"]

    def test_holds_nobody_up_while_it_asks(self, installation, owner, verify, monkeypatch):
        value = set_record(installation, owner)

        def ask_while_somebody_writes(name):
            served(owner.patch(f"/organizations/{owner.organization_id}/", json={"name": "Written meanwhile"}))
            return [value["record_value"]]

        monkeypatch.setattr(installation.resolver, "texts", ask_while_somebody_writes)
        assert served(verify())["name"] == "Written meanwhile"

    def test_of_a_domain_that_changes_meanwhile_is_refused(self, installation, owner, verify, monkeypatch):
        value = set_record(installation, owner)

        def ask_while_somebody_changes_it(name):
            served(owner.patch(f"/organizations/{owner.organization_id}/", json={"domain": "acme.org"}))
            return [value["record_value"]]

        monkeypatch.setattr(installation.resolver, "texts", ask_while_somebody_changes_it)
        assert refused(verify(), 409)["error"]["code"] == "DOMAIN_CHANGED"


class TestRegistering:
    @pytest.fixture
    def verified(self, installation, outsider):
        """Globex, whose domain is verified; Acme is the default organisation."""
        set_record(installation, outsider)
        served(outsider.post(f"/organizations/{outsider.organization_id}/verify-domain/"))
        return f"/organizations/{outsider.organization_id}/"

    def registered(self, anonymous, **fields):
        body = {**NEW, "email": "ada@globex.com", **fields}
        reply = anonymous.post("/users/register/", json=body, params={"include": "organization"})
        return created(reply)["user"]

    def test_joins_the_organization_of_a_verified_domain(self, anonymous, outsider, verified):
        user = self.registered(anonymous, email="ada@GLOBEX.com")
        assert (user["organization"]["name"], user["role"]) == ("Globex", "customer")
        assert user["id"] in [each["id"] for each in served(outsider.get("/users/"))["results"]]

    def test_joins_the_default_one_otherwise(self, anonymous, owner, outsider, verified):
        assert self.registered(anonymous, email="ada@sub.globex.com")["organization"]["name"] == "Acme Corporation"
        served(outsider.patch(verified, json={"domain": "globex.org"}))
        grace = self.registered(anonymous, username="grace", email="grace@globex.com")
        assert grace["organization"]["name"] == "Acme Corporation"

    def test_joins_the_one_that_is_named(self, anonymous, verified):
        assert self.registered(anonymous, organization_slug="acme-corp")["organization"]["name"] == "Acme Corporation"

    @pytest.mark.parametrize(
        ("policy", "joined"),
        [("open", "Globex"), ("domain", "Globex"), ("invitation", "Acme Corporation"), ("closed", "Acme Corporation")],
    )
    def test_joins_as_the_policy_says(self, anonymous, outsider, verified, policy, joined):
        served(outsider.patch(verified, json={"registration": policy}))
        assert self.registered(anonymous)["organization"]["name"] == joined

    def test_does_not_join_a_closed_organization(self, anonymous, platform, verified):
        served(platform.post(f"{verified}deactivate/"))
        assert self.registered(anonymous)["organization"]["name"] == "Acme Corporation"

    def test_by_domain_needs_the_proof(self, installation, owner, anonymous):
        path = f"/organizations/{owner.organization_id}/"
        served(owner.patch(path, json={"registration": "domain"}))
        refused(anonymous.post("/users/register/", json=NEW), 403)
        set_record(installation, owner)
        served(owner.post(f"{path}verify-domain/"))
        refused(anonymous.post("/users/register/", json={**NEW, "email": "ada@example.com"}), 403)
        created(anonymous.post("/users/register/", json=NEW))

    def test_shows_nothing_but_the_own_account(self, anonymous, outsider, verified):
        user = self.registered(anonymous)
        reply = anonymous.post("/users/login/", json={"username": "ada", "password": PASSWORD})
        headers = {"Authorization": f"Bearer {served(reply)['access']}"}
        assert [each["id"] for each in served(anonymous.get("/users/", headers=headers))["results"]] == [user["id"]]


def test_an_address_of_nowhere_joins_nobody(anonymous):
    assert register(anonymous)["role"] == "customer"
