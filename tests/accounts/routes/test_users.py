import pytest

from tests.accounts.mailbox import newest_mail
from tests.contract.steps import PASSWORD, bearer, column, created, deleted, log_in, refused, rows, served

NEW = {"email": "ada@example.com", "username": "ada", "password": PASSWORD, "first_name": "Ada", "role": "agent"}


def happened(installation, kind):
    return [payload for event, payload in installation.events() if event == kind]


class TestSeeing:
    def test_is_for_agents_and_administrators(self, owner, agent, technician, member, second_member):
        path = f"/users/{second_member.user.id}/"
        for client in (owner, agent, second_member):
            assert served(client.get(path))["id"] == second_member.user.id
        for client in (technician, member):
            refused(client.get(path), 404)

    def test_another_organization_is_like_nobody(self, owner, outsider):
        foreign = refused(owner.get(f"/users/{outsider.user.id}/"), 404)
        unknown = refused(owner.get("/users/999999/"), 404)
        for body in (foreign, unknown):
            body["error"].pop("request_id")
        assert foreign == unknown

    def test_more_when_asked(self, owner, member):
        (shown,) = rows(owner, "/users/", search="member@acme.com", include="first_name,is_active,organization")
        assert (shown["id"], shown["first_name"], shown["is_active"]) == (member.user.id, "Member", True)
        assert shown["organization"]["name"] == "Acme Corporation"

    @pytest.mark.parametrize("search", ["member", "MEMBER@acme.com", "second", "member second"])
    def test_is_searched_by_names_and_addresses(self, owner, search):
        assert set(column(owner, "/users/", "username", search=search)) <= {"member", "second_member"}
        assert rows(owner, "/users/", search=search)

    @pytest.mark.parametrize("search", ["%", "_", "\\", "' OR 1=1 --", "nobody"])
    def test_finds_nothing_by_signs(self, owner, search):
        assert rows(owner, "/users/", search=search) == []

    def test_is_searched_by_the_domain_of_addresses(self, owner):
        assert len(rows(owner, "/users/", search="acme.com")) == 5

    @pytest.mark.parametrize("order", ["created_at", "username", "email", "full_name", "last_active_at"])
    def test_is_ordered(self, owner, order):
        assert (
            column(owner, "/users/", "id", ordering=order) == column(owner, "/users/", "id", ordering=f"-{order}")[::-1]
        )

    def test_is_filtered_by_several_roles(self, owner):
        assert set(column(owner, "/users/", "role", role="agent,admin")) == {"agent", "admin"}


class TestCreating:
    def test_is_for_administrators(self, installation, owner, agent, member):
        for client in (agent, member):
            refused(client.post("/users/", json=NEW), 403)
        user = created(owner.post("/users/", json=NEW))
        assert (user["role"], user["full_name"]) == ("agent", "Ada")
        (event,) = happened(installation, "user.registered")
        assert event == {"user_id": user["id"], "role": "agent", "by_administrator": True}

    def test_refuses_what_registering_refuses(self, owner):
        refused(owner.post("/users/", json={**NEW, "password": "short"}), 400)
        refused(owner.post("/users/", json={**NEW, "username": "OWNER"}), 409)
        refused(owner.post("/users/", json={**NEW, "email": "Outsider@GLOBEX.com"}), 409)
        refused(owner.post("/users/", json={**NEW, "role": "king"}), 400)

    def test_twice_with_one_key_makes_one(self, owner):
        first, second = (owner.post("/users/", json=NEW, headers={"Idempotency-Key": "once"}) for _ in range(2))
        assert created(first) == created(second)
        refused(owner.post("/users/", json={**NEW, "role": "admin"}, headers={"Idempotency-Key": "once"}), 422)

    def test_the_new_one_logs_in(self, owner, anonymous):
        created(owner.post("/users/", json=NEW))
        assert log_in(anonymous, "ada")["user"]["is_agent"]


class TestChanging:
    def test_is_for_administrators(self, owner, agent, member):
        path = f"/users/{member.user.id}/"
        for client in (agent, member):
            refused(client.patch(path, json={"first_name": "Eve"}), 403)
        assert served(owner.patch(path, json={"first_name": "Eve"}))["full_name"] == "Eve Example"

    def test_another_address_is_not_verified(self, owner, member):
        path = f"/users/{member.user.id}/"
        assert served(owner.patch(path, json={"is_verified": True}))["is_verified"]
        changed = served(owner.patch(path, json={"email": "eve@acme.com"}))
        assert (changed["email"], changed["is_verified"]) == ("eve@acme.com", False)

    def test_the_address_of_before_is_told_of_another(self, installation, owner, member):
        served(owner.patch(f"/users/{member.user.id}/", json={"email": "eve@acme.com"}))
        assert "moved from this e-mail address" in newest_mail(installation, member.user.email).text

    @pytest.mark.parametrize("change", [{"email": "thief@example.com"}, {"is_verified": True}])
    def test_ones_own_address_has_a_way_of_its_own(self, owner, change):
        path = f"/users/{owner.user.id}/"
        for reply in (owner.patch(path, json=change), owner.put(path, json=change)):
            assert refused(reply, 400)["error"]["details"]["field"] in change
        shown = served(owner.get(path))
        assert (
            served(owner.put(path, json={"email": shown["email"], "first_name": "Ada"}))["full_name"] == "Ada Example"
        )

    def test_a_key_does_not_change_whoever_may_do_more_than_it(self, anonymous, owner, member):
        scopes = ["accounts:user:manage", "accounts:user:view", "accounts:user:view_all"]
        key = created(owner.post("/users/api-keys/", json={"name": "HR", "scopes": scopes}))
        headers = {"X-API-Key": key["key"]}
        for user, status in ((owner, 403), (member, 200)):
            path = f"/users/{user.user.id}/"
            assert anonymous.patch(path, json={"first_name": "Eve"}, headers=headers).status_code == status
        refused(anonymous.delete(f"/users/{owner.user.id}/", headers=headers), 403)

    def test_a_name_stays_unique_and_may_change_its_case(self, owner, member):
        path = f"/users/{member.user.id}/"
        found = refused(owner.patch(path, json={"username": "Agent"}), 409)
        assert found["error"]["details"]["field"] == "username"
        found = refused(owner.patch(path, json={"email": "AGENT@acme.com"}), 409)
        assert found["error"]["details"]["field"] == "email"
        assert served(owner.patch(path, json={"username": "Member"}))["username"] == "Member"

    def test_leaves_the_role_alone(self, owner, member):
        body = {**served(owner.get(f"/users/{member.user.id}/")), "role": "admin"}
        assert served(owner.put(f"/users/{member.user.id}/", json=body))["role"] == "customer"

    def test_null_is_no_address(self, owner, member):
        refused(owner.patch(f"/users/{member.user.id}/", json={"email": None}), 400)

    def test_reaches_nobody_elsewhere(self, owner, outsider):
        path = f"/users/{outsider.user.id}/"
        refused(owner.patch(path, json={"first_name": "Eve"}), 404)
        refused(owner.delete(path), 404)
        refused(owner.post(f"{path}activate/"), 404)
        refused(owner.post(f"{path}change-role/", json={"role": "customer"}), 404)


class TestClosing:
    def test_is_undone_by_activating(self, installation, owner, member, anonymous):
        path = f"/users/{member.user.id}/"
        deleted(owner.delete(path))
        deleted(owner.delete(path))
        assert happened(installation, "user.deactivated") == [{"user_id": member.user.id}]
        assert column(owner, "/users/", "id", is_active="false") == [member.user.id]
        refused(anonymous.post("/users/login/", json={"username": "member", "password": PASSWORD}), 401)
        served(owner.post(f"{path}activate/"))
        log_in(anonymous, "member")

    def test_is_for_administrators(self, agent, member):
        refused(agent.delete(f"/users/{member.user.id}/"), 403)
        refused(agent.post(f"/users/{member.user.id}/activate/"), 403)

    def test_leaves_an_administrator(self, owner, agent):
        found = refused(owner.delete(f"/users/{owner.user.id}/"), 409)
        assert found["error"]["code"] == "LAST_ADMINISTRATOR"
        refused(owner.post(f"/users/{owner.user.id}/change-role/", json={"role": "agent"}), 409)
        served(owner.post(f"/users/{agent.user.id}/change-role/", json={"role": "admin"}))
        deleted(owner.delete(f"/users/{owner.user.id}/"))


class TestRoles:
    def test_are_listed_with_their_permissions(self, member):
        roles = {each["role"]: each["permissions"] for each in served(member.get("/users/roles/"))}
        assert list(roles) == ["customer", "technician", "agent", "admin"]
        assert "accounts:user:manage" in roles["admin"]
        assert set(roles["customer"]) <= set(roles["agent"]) <= set(roles["admin"])
        assert not any("organization:manage" in code for codes in roles.values() for code in codes)

    @pytest.mark.parametrize("role", ["customer", "technician", "agent", "admin"])
    def test_carry_their_flags(self, installation, owner, member, role):
        changed = served(owner.post(f"/users/{member.user.id}/change-role/", json={"role": role}))
        flags = {name for name in ("is_agent", "is_customer", "is_technician") if changed[name]}
        assert flags == {"is_agent" if role == "admin" else f"is_{role}"}
        assert len(happened(installation, "user.updated")) == (role != "customer")

    def test_are_changed_by_administrators(self, agent, member):
        refused(agent.post(f"/users/{member.user.id}/change-role/", json={"role": "admin"}), 403)


def test_nobody_sees_anything_without_a_credential(anonymous, member):
    for path in ("/users/", "/users/roles/", f"/users/{member.user.id}/", "/users/profile/", "/users/login-attempts/"):
        refused(anonymous.get(path), 401)
    refused(anonymous.get("/users/", headers=bearer("nonsense")), 401)
