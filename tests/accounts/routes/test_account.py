import pytest

from helpdesk_core.accounts.models import Organization
from helpdesk_core.accounts.passwords import Passwords
from tests.accounts.mailbox import mails_to, token_for
from tests.contract.steps import PASSWORD, bearer, created, log_in, refused, register, served

NEW = {"email": "ada@example.com", "username": "ada", "password": PASSWORD}


def happened(installation, kind):
    return [payload for event, payload in installation.events() if event == kind]


@pytest.fixture
def policy(installation, owner):
    """Sets who may register with Acme."""

    def set_policy(name, *, verified=False):
        with installation.session() as session:
            organization = session.get_one(Organization, owner.organization_id)
            organization.registration = name
            organization.domain_verified_at = installation.clock.now() if verified else None
            session.commit()

    return set_policy


class TestRegistering:
    def test_is_an_event(self, installation, owner, anonymous):
        user = register(anonymous)
        assert happened(installation, "user.registered") == [
            {"user_id": user["id"], "role": "customer", "by_administrator": False}
        ]

    def test_writes_nothing_when_it_is_refused(self, installation, owner, anonymous):
        refused(anonymous.post("/users/register/", json={**NEW, "username": "owner"}), 409)
        assert happened(installation, "user.registered") == []
        log_in(anonymous, register(anonymous, "ada")["username"])

    @pytest.mark.parametrize("name", ["with space", "a@b", "", "a" * 151, "<b>", "a/b", "\u0000", "\ufdfa" * 60])
    def test_refuses_odd_user_names(self, owner, anonymous, name):
        found = refused(anonymous.post("/users/register/", json={**NEW, "username": name}), 400)
        assert found["error"]["details"]["field"] == "username"

    @pytest.mark.parametrize(
        "email", ["ada", "ada@", "@example.com", "a b@example.com", "ada@example", "ada@ex..com", "a" * 250 + "@b.ch"]
    )
    def test_refuses_what_is_no_address(self, owner, anonymous, email):
        found = refused(anonymous.post("/users/register/", json={**NEW, "email": email}), 400)
        assert found["error"]["details"]["field"] == "email"

    def test_takes_one_of_two_names_that_look_the_same(self, owner, anonymous):
        register(anonymous, "straße")
        for twin in ("STRASSE", "\uff53traße", "Straße"):
            refused(anonymous.post("/users/register/", json={**NEW, "username": twin}), 409)

    def test_names_all_that_is_wrong(self, owner, anonymous):
        body = {**NEW, "password": "short", "organization_slug": "umbrella"}
        details = refused(anonymous.post("/users/register/", json=body), 400)["error"]["details"]
        assert [each["field"] for each in details["errors"]] == ["password", "organization_slug"]

    def test_refuses_the_own_name_as_a_password(self, owner, anonymous):
        body = {**NEW, "first_name": "Augusta", "last_name": "Lovelace", "password": "augusta lovelace"}
        refused(anonymous.post("/users/register/", json=body), 400)

    def test_ignores_what_nobody_writes_and_refuses_what_nobody_knows(self, owner, anonymous):
        body = {**NEW, "role": "admin", "is_agent": True, "is_verified": True, "id": 1}
        user = created(anonymous.post("/users/register/", json=body))["user"]
        assert (user["role"], user["is_agent"], user["is_verified"]) == ("customer", False, False)
        refused(anonymous.post("/users/register/", json={**NEW, "is_platform_admin": True}), 400)

    def test_takes_zone_and_language_from_the_organization(self, owner, anonymous):
        settings = {"timezone": "Europe/Zurich", "language": "de"}
        served(owner.patch(f"/organizations/{owner.organization_id}/", json={"settings": settings}))
        assert (register(anonymous)["timezone"], register(anonymous, "ada", language="fr")["language"]) == (
            "Europe/Zurich",
            "fr",
        )

    @pytest.mark.parametrize(("name", "status"), [("open", 201), ("domain", 403), ("invitation", 403), ("closed", 403)])
    def test_follows_the_policy_of_the_organization(self, owner, anonymous, policy, name, status):
        policy(name)
        assert anonymous.post("/users/register/", json=NEW).status_code == status

    def test_by_domain_takes_its_addresses(self, owner, anonymous, policy):
        policy("domain", verified=True)
        created(anonymous.post("/users/register/", json={**NEW, "email": "ada@ACME.com"}))
        refused(anonymous.post("/users/register/", json={**NEW, "username": "b", "email": "b@notacme.com"}), 403)

    def test_by_domain_opens_the_account_when_the_address_is_verified(
        self, installation, owner, anonymous, policy, clock
    ):
        policy("domain", verified=True)
        user = register(anonymous, email="ada@acme.com")
        credentials = {"username": user["username"], "password": PASSWORD}
        first = token_for(installation, "ada@acme.com", "verify-email")
        refused(anonymous.post("/users/login/", json={**credentials, "password": "wrong"}), 401)
        found = refused(anonymous.post("/users/login/", json=credentials), 403)
        assert found["error"]["code"] == "EMAIL_NOT_VERIFIED"
        assert len(mails_to(installation, "ada@acme.com")) == 1, "the one that was sent is new"
        clock.advance(minutes=2)
        refused(anonymous.post("/users/login/", json=credentials), 403)
        again = token_for(installation, "ada@acme.com", "verify-email")
        refused(anonymous.post("/users/verify-email/", json={"token": first}), 400)
        served(anonymous.post("/users/verify-email/", json={"token": again}))
        served(anonymous.post("/users/login/", json=credentials))

    def test_by_domain_does_not_shut_out_who_works_there(self, anonymous, agent, policy):
        policy("domain", verified=True)
        log_in(anonymous, "agent")

    def test_with_a_closed_organization_is_like_with_none(self, installation, outsider, owner, anonymous):
        with installation.session() as session:
            session.get_one(Organization, outsider.organization_id).is_active = False
            session.commit()
        refused(anonymous.post("/users/register/", json={**NEW, "organization_slug": "globex"}), 400)

    def test_shows_more_when_asked(self, owner, anonymous):
        body = {**NEW, "first_name": "Ada"}
        reply = anonymous.post("/users/register/", json=body, params={"include": "first_name,organization"})
        user = created(reply)["user"]
        assert (user["first_name"], user["organization"]["name"]) == ("Ada", "Acme Corporation")

    def test_shows_the_user_name_of_those_without_a_name(self, owner, anonymous):
        assert register(anonymous)["full_name"] == "newcomer"


class TestTheProfile:
    def test_shows_names_and_the_organization_when_asked(self, member):
        shown = served(member.get("/users/profile/", params={"include": "first_name,last_name,organization"}))
        assert shown["full_name"] == f"{shown['first_name']} {shown['last_name']}"
        assert shown["organization"] == {"id": member.organization_id, "name": "Acme Corporation"}
        refused(member.get("/users/profile/", params={"include": "password_hash"}), 400)

    def test_null_clears(self, member):
        served(member.put("/users/profile/", json={"phone": "+12025550123", "first_name": "Ada", "language": "pt-br"}))
        cleared = {"phone": None, "first_name": None, "language": None}
        after = served(member.put("/users/profile/", json=cleared))
        assert (after["phone"], after["full_name"], after["language"]) == (None, "Example", "en")

    @pytest.mark.parametrize(("given", "kept"), [("en", "en"), ("EN-us", "en-US"), ("pt_BR", "pt-BR")])
    def test_languages_have_one_form(self, member, given, kept):
        assert served(member.put("/users/profile/", json={"language": given}))["language"] == kept

    @pytest.mark.parametrize("zone", ["localtime", "posixrules", "../../etc/passwd", "/UTC", "utc ", ""])
    def test_zones_are_names_and_not_files(self, member, zone):
        refused(member.put("/users/profile/", json={"timezone": zone}), 400)

    def test_is_saved_as_it_was_read(self, installation, member):
        before = served(member.get("/users/profile/", params={"include": "first_name,last_name,organization"}))
        assert (
            served(member.put("/users/profile/", json=before, params={"include": "organization,first_name,last_name"}))
            == before
        )
        assert happened(installation, "user.updated") == []

    def test_a_change_is_an_event(self, installation, member, clock):
        clock.advance(hours=1)
        changed = served(member.patch("/users/profile/", json={"first_name": "Ada", "language": "en"}))
        assert changed["updated_at"] == "2026-03-02T11:00:00Z"
        assert happened(installation, "user.updated") == [{"user_id": member.user.id, "changed": ["first_name"]}]

    def test_names_are_text_without_control_characters(self, member):
        refused(member.put("/users/profile/", json={"first_name": "a\nb"}), 400)
        assert "<b>" in served(member.put("/users/profile/", json={"first_name": " <b> "}))["full_name"]

    def test_a_stale_tag_is_refused(self, member):
        tag = member.get("/users/profile/").headers["ETag"]
        served(member.patch("/users/profile/", json={"first_name": "Ada"}, headers={"If-Match": tag}))
        refused(member.patch("/users/profile/", json={"first_name": "Eve"}, headers={"If-Match": tag}), 412)


class TestChangingThePassword:
    def test_ends_other_logins_at_once_and_keeps_this_one(self, installation, account, anonymous):
        other, current = log_in(anonymous), log_in(anonymous)
        body = {"old_password": PASSWORD, "new_password": "another long secret"}
        served(anonymous.post("/users/change-password/", json=body, headers=bearer(current["access"])))
        refused(anonymous.get("/users/profile/", headers=bearer(other["access"])), 401)
        served(anonymous.get("/users/profile/", headers=bearer(current["access"])))
        assert happened(installation, "user.password_changed") == [{"user_id": account["id"]}]

    def test_names_the_field_at_fault(self, account, anonymous):
        headers = bearer(log_in(anonymous)["access"])
        wrong = {("wrong", "another long secret"): "old_password", (PASSWORD, "newcomer@example.com"): "new_password"}
        for (old, new), field in wrong.items():
            body = {"old_password": old, "new_password": new}
            found = refused(anonymous.post("/users/change-password/", json=body, headers=headers), 400)
            assert found["error"]["details"]["field"] == field

    def test_twice_with_one_key_happens_once(self, account, anonymous):
        headers = {**bearer(log_in(anonymous)["access"]), "Idempotency-Key": "once"}
        body = {"old_password": PASSWORD, "new_password": "another long secret"}
        served(anonymous.post("/users/change-password/", json=body, headers=headers))
        again = anonymous.post("/users/change-password/", json=body, headers=headers)
        assert served(again) == {"message": "Password changed successfully"}
        assert again.headers["Idempotency-Replayed"] == "true"

    def test_holds_no_writer_up_while_it_hashes(self, installation, owner, account, anonymous, monkeypatch):
        real = Passwords.hash

        def hash_while_somebody_writes(passwords, password):
            with installation.session() as session:
                session.get_one(Organization, owner.organization_id).name = "Written meanwhile"
                session.commit()
            return real(passwords, password)

        monkeypatch.setattr(Passwords, "hash", hash_while_somebody_writes)
        body = {"old_password": PASSWORD, "new_password": "another long secret"}
        served(anonymous.post("/users/change-password/", json=body, headers=bearer(log_in(anonymous)["access"])))
        assert served(owner.get(f"/organizations/{owner.organization_id}/"))["name"] == "Written meanwhile"
