"""Invitations: made by those who manage users, accepted by whoever reads the mail, once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from helpdesk_core.accounts.models import CustomRole, Organization, RoleAssignment, User
from helpdesk_core.accounts.passwords import Passwords
from tests.accounts.mailbox import mails_to, newest_mail, tampered, token_for
from tests.contract.steps import PASSWORD, column, created, deleted, log_in, refused, register, rows, served

INVITED = "invited@example.com"


def happened(installation, kind):
    return [payload for event, payload in installation.events() if event == kind]


@pytest.fixture
def path(owner):
    return f"/organizations/{owner.organization_id}/invitations/"


@pytest.fixture
def invite(owner, path):
    def send(email=INVITED, role="agent", by=owner):
        return created(by.post(path, json={"email": email, "role": role}))

    return send


@pytest.fixture
def accept(anonymous):
    def post(token, username="ada", **fields):
        body = {"token": token, "username": username, "password": PASSWORD, **fields}
        return anonymous.post("/users/accept-invitation/", json=body)

    return post


def refused_link(reply):
    found = refused(reply, 400)
    assert found["error"]["details"]["field"] == "token"
    return str((found["error"]["message"], found["error"]["details"]))


class TestInviting:
    def test_needs_an_organization(self, platform):
        path = "/organizations/987654/invitations/"
        for reply in (platform.get(path), platform.post(path, json={"email": INVITED, "role": "customer"})):
            refused(reply, 404)
        refused(platform.get("/organizations/987654/members/"), 404)

    def test_another_organization_neither_sees_nor_touches(self, outsider, invite, path):
        made = invite()
        refused(outsider.get(path), 404)
        refused(outsider.post(path, json={"email": "x@example.com", "role": "agent"}), 404)
        own = f"/organizations/{outsider.organization_id}/invitations/"
        assert rows(outsider, own) == []
        for base in (path, own):
            refused(outsider.delete(f"{base}{made['id']}/"), 404)
            refused(outsider.post(f"{base}{made['id']}/resend/"), 404)

    def test_is_for_those_who_manage_users(self, agent, member, path):
        for client in (agent, member):
            refused(client.get(path), 403)
            refused(client.post(path, json={"email": INVITED, "role": "customer"}), 403)

    def test_shows_no_token_and_sends_one(self, installation, owner, invite):
        made = invite()
        assert made == {
            "id": made["id"],
            "email": INVITED,
            "role": "agent",
            "status": "pending",
            "invited_by_id": owner.user.id,
            "created_at": "2026-03-02T10:00:00Z",
            "expires_at": "2026-03-09T10:00:00Z",
            "accepted_at": None,
            "revoked_at": None,
        }
        assert happened(installation, "user.invited") == [{"invitation_id": made["id"], "role": "agent"}]
        mail = newest_mail(installation, INVITED)
        assert mail.subject == "Invitation to Acme Corporation"
        assert "Owner Example invites you to join Acme Corporation as an agent" in mail.text

    def test_works_for_platform_administrators_elsewhere(self, installation, platform, outsider, accept):
        path = f"/organizations/{outsider.organization_id}/invitations/"
        created(platform.post(path, json={"email": INVITED, "role": "admin"}))
        mail = newest_mail(installation, INVITED)
        assert "You are invited to join Globex" in mail.text
        token = token_for(installation, INVITED, "accept-invitation")
        assert created(accept(token))["user"]["role"] == "admin"
        assert INVITED in column(outsider, "/users/", "email")

    def test_again_replaces_the_one_that_waits(self, installation, owner, invite, path, accept):
        first, token = invite(), token_for(installation, INVITED, "accept-invitation")
        second = invite("INVITED@example.com", "customer")
        assert {row["id"]: row["status"] for row in rows(owner, path)} == {
            first["id"]: "revoked",
            second["id"]: "pending",
        }
        refused_link(accept(token))
        token = token_for(installation, "INVITED@example.com", "accept-invitation")
        assert created(accept(token))["user"]["role"] == "customer"

    def test_refuses_an_address_of_the_organization_and_tells_of_no_other(self, owner, path):
        found = refused(owner.post(path, json={"email": "AGENT@acme.com", "role": "agent"}), 409)
        assert found["error"]["details"]["field"] == "email"
        created(owner.post(path, json={"email": "outsider@globex.com", "role": "agent"}))

    def test_gives_no_rights_that_one_does_not_have(self, installation, owner, agent, path):
        codes = installation.parts.host.roles.for_role("customer", platform=False) | {"accounts:user:manage"}
        with installation.session(owner.organization_id) as session:
            role = CustomRole(
                name="Reception",
                name_key="reception",
                permissions=sorted(codes),
                base="agent",
                created_at=installation.clock.now(),
                updated_at=installation.clock.now(),
            )
            session.add(role)
            session.flush()
            session.add(RoleAssignment(user_id=agent.user.id, role_id=role.id))
            session.commit()
        created(agent.post(path, json={"email": INVITED, "role": "customer"}))
        for role_name in ("agent", "admin"):
            refused(agent.post(path, json={"email": INVITED, "role": role_name}), 403)

    @pytest.mark.parametrize(
        "body",
        [{"email": INVITED}, {"role": "agent"}, {"email": "x", "role": "agent"}, {"email": INVITED, "role": "x"}],
    )
    def test_refuses_what_is_wrong(self, owner, path, body):
        refused(owner.post(path, json=body), 400)


class TestTheList:
    def test_tells_what_became_of_each(self, installation, owner, invite, path, accept):
        invite("late@example.com")
        installation.clock.advance(days=7)
        for name in ("taken", "revoked", "waiting"):
            invite(f"{name}@example.com")
            installation.clock.advance(seconds=1)
        created(accept(token_for(installation, "taken@example.com", "accept-invitation")))
        made = {row["email"]: row["id"] for row in rows(owner, path)}
        deleted(owner.delete(f"{path}{made['revoked@example.com']}/"))
        assert [(row["email"], row["status"]) for row in rows(owner, path)] == [
            ("waiting@example.com", "pending"),
            ("revoked@example.com", "revoked"),
            ("taken@example.com", "accepted"),
            ("late@example.com", "expired"),
        ]
        assert column(owner, path, "email", pending="true") == ["waiting@example.com"]
        assert column(owner, path, "email", pending="false", ordering="created_at")[0] == "late@example.com"
        assert column(owner, path, "email", search="taken") == ["taken@example.com"]

    def test_is_paged_in_a_constant_number_of_statements(self, installation, owner, invite, path):
        for number in range(3):
            invite(f"{number}@example.com")
        counts = []
        for size in (1, 1, 3):
            with installation.statements() as seen:
                assert len(rows(owner, path, page_size=size)) == size
            counts.append(len(seen))
        assert counts[1] == counts[2] <= 4


class TestAccepting:
    def test_makes_the_account_that_was_offered(self, installation, owner, invite, accept, anonymous):
        made = invite()
        token = token_for(installation, INVITED, "accept-invitation")
        found = created(accept(token, first_name="Ada", last_name="Lovelace"))
        assert found["message"] == "User created successfully"
        user = found["user"]
        assert (user["email"], user["role"], user["is_verified"], user["full_name"]) == (
            INVITED,
            "agent",
            True,
            "Ada Lovelace",
        )
        log_in(anonymous, "ada")
        assert user["id"] in column(owner, "/users/", "id")
        accepted = {"invitation_id": made["id"], "user_id": user["id"]}
        assert happened(installation, "user.invitation_accepted") == [accepted]
        assert [mail.subject for mail in mails_to(installation, INVITED)] == ["Invitation to Acme Corporation"]

    @pytest.mark.parametrize("policy", ["open", "domain", "invitation", "closed"])
    def test_works_whoever_else_may_register(self, installation, owner, invite, accept, policy):
        invite()
        served(owner.patch(f"/organizations/{owner.organization_id}/", json={"registration": policy}))
        created(accept(token_for(installation, INVITED, "accept-invitation")))

    def test_refuses_every_bad_link_alike(self, installation, owner, invite, path, accept):
        revoked = invite("revoked@example.com")
        deleted(owner.delete(f"{path}{revoked['id']}/"))
        invite("used@example.com")
        used = token_for(installation, "used@example.com", "accept-invitation")
        created(accept(used, "used"))
        invite("old@example.com")
        old = token_for(installation, "old@example.com", "accept-invitation")
        installation.clock.advance(days=7)
        invite()
        good = token_for(installation, INVITED, "accept-invitation")
        answers = {refused_link(accept(token)) for token in (used, old, *tampered(good))}
        assert len(answers) == 1
        created(accept(good))

    def test_a_revoked_one_fails_also_when_the_mail_was_sent(self, installation, owner, invite, path, accept):
        made = invite()
        token = token_for(installation, INVITED, "accept-invitation")
        deleted(owner.delete(f"{path}{made['id']}/"))
        refused_link(accept(token))
        refused(owner.delete(f"{path}{made['id']}/"), 404)
        refused(owner.post(f"{path}{made['id']}/resend/"), 404)

    def test_fails_when_the_account_of_who_invited_is_closed(self, installation, owner, invite, accept):
        invite(role="admin")
        token = token_for(installation, INVITED, "accept-invitation")
        with installation.session() as session:
            session.get_one(User, owner.user.id).is_active = False
            session.commit()
        refused_link(accept(token))

    def test_fails_while_the_organization_is_closed(self, installation, owner, invite, accept):
        invite()
        token = token_for(installation, INVITED, "accept-invitation")
        with installation.session() as session:
            session.get_one(Organization, owner.organization_id).is_active = False
            session.commit()
        refused_link(accept(token))

    def test_with_what_is_taken_leaves_the_link_alone(self, installation, invite, accept, anonymous):
        invite()
        token = token_for(installation, INVITED, "accept-invitation")
        found = refused(accept(token, "OWNER"), 409)
        assert found["error"]["details"]["field"] == "username"
        found = refused(accept(token, password="short"), 400)
        assert found["error"]["details"]["field"] == "password"
        register(anonymous, "invited")
        found = refused(accept(token), 409)
        assert found["error"]["details"]["field"] == "email"

    def test_twice_at_once_makes_one_account(self, installation, invite, accept, monkeypatch):
        invite()
        token = token_for(installation, INVITED, "accept-invitation")
        both, real = Barrier(2), Passwords.hash

        def hash_together(passwords, password):
            both.wait(timeout=30)
            return real(passwords, password)

        monkeypatch.setattr(Passwords, "hash", hash_together)
        with ThreadPoolExecutor(2) as threads:
            replies = list(threads.map(lambda name: accept(token, name).status_code, ["ada", "eve"]))
        assert sorted(replies) == [201, 400]


class TestSendingAgain:
    def test_renews_the_link_and_ends_the_earlier_one(self, installation, owner, invite, path, accept):
        made = invite()
        first = token_for(installation, INVITED, "accept-invitation")
        installation.clock.advance(days=8)
        again = served(owner.post(f"{path}{made['id']}/resend/"))
        assert (again["status"], again["expires_at"]) == ("pending", "2026-03-17T10:00:00Z")
        second = token_for(installation, INVITED, "accept-invitation")
        refused_link(accept(first))
        created(accept(second))
        refused(owner.post(f"{path}{made['id']}/resend/"), 409)

    def test_within_a_minute_sends_nothing(self, installation, owner, invite, path):
        made = invite()
        served(owner.post(f"{path}{made['id']}/resend/"))
        assert len(mails_to(installation, INVITED)) == 1
