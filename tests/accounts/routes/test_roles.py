import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from helpdesk_core.accounts import queries
from helpdesk_core.accounts.authenticators import STANDING, Grants
from helpdesk_core.accounts.models import CustomRole, Login, User
from helpdesk_core.audit import AuditEntry
from helpdesk_core.queries import Criteria, Viewer
from helpdesk_core.schemas import Dialect
from tests.contract.steps import PASSWORD, column, created, deleted, refused, rows, served

USE, VIEW, VIEW_ALL = "accounts:profile:use", "accounts:user:view", "accounts:user:view_all"
MANAGE, MANAGE_ROLES = "accounts:user:manage", "accounts:role:manage"
READER = {"name": "Reader", "description": "Looks on", "base": "agent", "permissions": [VIEW, USE, VIEW_ALL]}
HR = {"name": "HR", "base": "technician", "permissions": [USE, VIEW, VIEW_ALL, MANAGE, MANAGE_ROLES]}
NEW = {"email": "ada@example.com", "username": "ada", "password": PASSWORD}


def happened(installation, kind):
    return [payload for event, payload in installation.events() if event == kind]


def acts(installation, organization_id):
    with installation.session(organization_id) as session:
        return list(session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)))


def make(client, **fields):
    return created(client.post("/users/roles/", json={**READER, **fields}))


def give(client, person, role):
    chosen = {"role": role} if isinstance(role, str) else {"custom_role": role["id"]}
    return client.post(f"/users/{person.user.id}/change-role/", json=chosen)


@pytest.fixture
def reader(owner):
    return make(owner)


@pytest.fixture
def hr(owner, agent):
    """A role that manages people and little else; the agent has it."""
    role = created(owner.post("/users/roles/", json=HR))
    served(give(owner, agent, role))
    return role


class TestMaking:
    def test_is_for_administrators(self, outsider, agent, member, anonymous):
        for client, status in ((anonymous, 401), (member, 403), (agent, 403), (outsider, 201)):
            assert client.post("/users/roles/", json=READER).status_code == status

    def test_shows_what_was_made_to_its_organization_alone(self, installation, outsider, owner, member):
        role = make(owner)
        assert role == {
            "id": role["id"],
            "role": "agent",
            "base": "agent",
            "name": "Reader",
            "description": "Looks on",
            "is_custom": True,
            "permissions": sorted(READER["permissions"]),
        }
        path = f"/users/roles/{role['id']}/"
        assert served(member.get(path)) == role
        for send in (outsider.get, outsider.patch, outsider.delete):
            refused(send(path), 404)
        listed = [each["name"] for each in served(owner.get("/users/roles/"))]
        assert listed == ["Customer", "Technician", "Agent", "Admin", "Reader"]
        assert len(served(outsider.get("/users/roles/"))) == 4
        assert happened(installation, "role.created") == [{"role_id": role["id"]}]
        assert "role.created" in acts(installation, owner.organization_id)

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"name": " "}, "name"),
            ({"name": "x" * 101}, "name"),
            ({"name": "\ufdfa" * 90}, "name"),
            ({"base": "king"}, "base"),
            ({"permissions": ["nothing:of:that"]}, "permissions"),
            ({"permissions": ["accounts:organization:manage"]}, "permissions"),
            ({"permissions": "accounts:user:view"}, "permissions"),
            ({"is_platform_admin": True}, "is_platform_admin"),
        ],
        ids=str,
    )
    def test_names_what_is_wrong(self, owner, platform, wrong, field):
        for client in (owner, platform):
            found = refused(client.post("/users/roles/", json={**READER, **wrong}), 400)
            assert found["error"]["details"]["field"].partition(".")[0] == field

    @pytest.mark.parametrize("name", ["reader", "READER ", "Admin"])
    def test_takes_a_name_once(self, owner, outsider, reader, name):
        refused(owner.post("/users/roles/", json={**READER, "name": name}), 409)
        assert make(outsider, name="Reader")["name"] == "Reader"

    def test_permissions_are_listed_without_those_of_the_platform(self, member, platform):
        listed = {each["code"]: each for each in served(member.get("/users/permissions/"))}
        assert listed[MANAGE]["plugin"] == "accounts"
        assert listed[MANAGE]["roles"] == ["admin"]
        assert listed[USE]["roles"] == ["customer", "technician", "agent", "admin"]
        assert "accounts:organization:manage" not in listed
        assert served(platform.get("/users/permissions/")) == list(listed.values())


class TestHaving:
    def test_shows_the_base_and_the_name(self, installation, owner, member, reader):
        changed = served(give(owner, member, reader))
        assert (changed["role"], changed["is_agent"], changed["is_customer"]) == ("agent", True, False)
        assert happened(installation, "user.updated")[-1]["changed"] == ["custom_role", "role"]
        (shown,) = rows(owner, "/users/", search="member@acme.com", include="custom_role")
        assert shown["custom_role"] == {"id": reader["id"], "name": "Reader"}
        (shown,) = rows(owner, "/users/", search="agent@acme.com", include="custom_role")
        assert shown["custom_role"] is None

    def test_applies_from_the_next_request_on(self, owner, member, second_member, reader):
        path = f"/users/{second_member.user.id}/"
        refused(member.get(path), 404)
        served(give(owner, member, reader))
        served(member.get(path))
        served(owner.patch(f"/users/roles/{reader['id']}/", json={"permissions": [USE, VIEW]}))
        refused(member.get(path), 404)

    def test_replaces_what_the_base_may_do(self, owner, agent, reader):
        assert len(rows(agent, "/users/")) == 5
        served(owner.patch(f"/users/roles/{reader['id']}/", json={"permissions": [VIEW, USE]}))
        served(give(owner, agent, reader))
        assert column(agent, "/users/", "id") == [agent.user.id]
        assert agent.get(f"/users/{agent.user.id}/").headers["ETag"]
        refused(agent.get("/organizations/"), 403)

    def test_a_read_only_role_sees_and_changes_nothing(self, owner, member, agent, reader):
        served(give(owner, member, reader))
        assert len(rows(member, "/users/")) == 5
        refused(member.patch(f"/users/{agent.user.id}/", json={"first_name": "Eve"}), 403)
        refused(member.post("/users/", json=NEW), 403)
        refused(member.get("/organizations/"), 403)

    @pytest.mark.parametrize(("codes", "seen"), [([VIEW], 1), ([VIEW, VIEW_ALL], 5)])
    def test_decides_what_is_seen_also_without_a_request(self, installation, owner, agent, codes, seen):
        role = make(owner, permissions=codes)
        served(give(owner, agent, role))
        assert agent.token
        with installation.session() as session:
            login = session.scalars(select(Login.id).where(Login.user_id == agent.user.id)).first()
            (standing,) = STANDING.rows(session, {"login_id": login})
        actor = Grants(installation.parts.services.roles).actor(standing[4:])
        viewer = Viewer(actor, Dialect.COMPREHENSIVE, installation.clock.now())
        with installation.session(owner.organization_id) as session:
            found = queries.users.find(session, viewer, Criteria({}, None, (), 20, 0))
        assert (found.count, len(found.keys)) == (seen, seen)

    def test_a_built_in_role_ends_it(self, owner, member, reader):
        served(give(owner, member, reader))
        assert served(give(owner, member, "agent"))["role"] == "agent"
        served(member.get("/organizations/"))
        refused(owner.post(f"/users/{member.user.id}/change-role/", json={"role": "agent", "custom_role": 1}), 400)
        refused(owner.post(f"/users/{member.user.id}/change-role/", json={}), 400)

    def test_of_another_organization_is_like_none(self, outsider, owner, member, reader):
        foreign = make(outsider)
        answers = [
            refused(owner.post(f"/users/{member.user.id}/change-role/", json={"custom_role": key}), 400)["error"]
            for key in (foreign["id"], 999_999)
        ]
        assert answers[0]["details"] == answers[1]["details"]
        refused(give(outsider, member, foreign), 404)


class TestChanging:
    def test_keeps_what_is_not_sent(self, installation, owner, reader):
        changed = served(owner.put(f"/users/roles/{reader['id']}/", json={"name": "Watcher"}))
        assert changed == {**reader, "name": "Watcher"}
        assert served(owner.put(f"/users/roles/{reader['id']}/", json=changed)) == changed
        assert happened(installation, "role.updated") == [{"role_id": reader["id"], "changed": ["name"]}]
        assert acts(installation, owner.organization_id)[-1] == "role.updated"

    def test_another_base_is_what_its_users_show(self, owner, member, reader):
        served(give(owner, member, reader))
        served(owner.patch(f"/users/roles/{reader['id']}/", json={"base": "technician"}))
        assert served(member.get("/users/profile/"))["role"] == "technician"

    def test_a_stale_tag_is_refused(self, owner, reader):
        path = f"/users/roles/{reader['id']}/"
        tag = owner.get(path).headers["ETag"]
        served(owner.patch(path, json={"name": "A"}, headers={"If-Match": tag}))
        refused(owner.patch(path, json={"name": "B"}, headers={"If-Match": tag}), 412)

    def test_keeps_what_a_plugin_that_is_gone_declared(self, installation, owner, reader):
        with installation.session(owner.organization_id) as session:
            session.get_one(CustomRole, reader["id"]).permissions = [USE, "gone:thing:do"]
            session.commit()
        path = f"/users/roles/{reader['id']}/"
        shown = served(owner.get(path))
        assert served(owner.put(path, json={**shown, "name": "Watcher"}))["permissions"] == [USE, "gone:thing:do"]


class TestDeleting:
    def test_waits_until_nobody_has_it(self, installation, outsider, owner, member, reader):
        path = f"/users/roles/{reader['id']}/"
        refused(outsider.delete(path), 404)
        served(give(owner, member, reader))
        found = refused(owner.delete(path), 409)
        assert (found["error"]["code"], found["error"]["details"]["users"]) == ("ROLE_IN_USE", 1)
        served(give(owner, member, "customer"))
        deleted(owner.delete(path))
        refused(owner.get(path), 404)
        assert happened(installation, "role.deleted") == [{"role_id": reader["id"]}]


class TestAuthority:
    """Whoever manages people with a role of their own gives, and decides over, no more than they have."""

    def test_ends_at_what_one_has_oneself(self, owner, agent, hr):
        more = {**HR, "name": "More", "permissions": [*HR["permissions"], "accounts:organization:change"]}
        found = refused(agent.post("/users/roles/", json=more), 403)
        assert found["error"]["details"]["permissions"] == ["accounts:organization:change"]
        created(agent.post("/users/roles/", json={**HR, "name": "Same"}))
        more = created(owner.post("/users/roles/", json=more))
        for change in ({"permissions": [USE]}, {"name": "Mine"}):
            refused(agent.patch(f"/users/roles/{more['id']}/", json=change), 403)
        refused(agent.delete(f"/users/roles/{more['id']}/"), 403)

    def test_is_not_widened_by_oneself(self, owner, agent, hr):
        wider = [*HR["permissions"], "accounts:organization:change"]
        refused(agent.patch(f"/users/roles/{hr['id']}/", json={"permissions": wider}), 403)
        refused(give(agent, agent, "admin"), 403)
        more = created(owner.post("/users/roles/", json={**HR, "name": "More", "permissions": wider}))
        refused(give(agent, agent, more), 403)

    def test_hands_out_what_it_has(self, owner, agent, member, reader, hr):
        refused(give(agent, member, "admin"), 403)
        refused(give(agent, member, "agent"), 403)
        served(give(agent, member, reader))
        served(give(agent, member, "customer"))

    def test_makes_no_account_of_more(self, owner, agent, hr):
        path = f"/organizations/{owner.organization_id}/members/"
        for collection in ("/users/", path):
            refused(agent.post(collection, json={**NEW, "role": "admin"}), 403)
        created(agent.post("/users/", json=NEW))

    def test_has_no_say_in_invitations_to_more(self, owner, agent, hr):
        path = f"/organizations/{owner.organization_id}/invitations/"
        made = created(owner.post(path, json={"email": "boss@example.com", "role": "admin"}))
        refused(agent.delete(f"{path}{made['id']}/"), 403)
        refused(agent.post(f"{path}{made['id']}/resend/"), 403)
        refused(agent.post(path, json={"email": "boss@example.com", "role": "customer"}), 403)
        created(agent.post(path, json={"email": "customer@example.com", "role": "customer"}))

    def test_does_not_reach_those_above(self, owner, agent, hr, platform):
        path = f"/users/{owner.user.id}/"
        refused(agent.patch(path, json={"email": "mine@example.com"}), 403)
        refused(agent.delete(path), 403)
        refused(agent.delete(f"/organizations/{owner.organization_id}/members/{owner.user.id}/"), 403)
        refused(agent.post(f"{path}activate/"), 403)
        refused(agent.post(f"{path}unlock/"), 403)
        key = created(owner.post("/users/api-keys/", json={"name": "Robot"}))
        refused(agent.delete(f"/users/api-keys/{key['id']}/"), 403)
        refused(give(agent, owner, "customer"), 403)
        refused(owner.patch(f"/users/{platform.user.id}/", json={"email": "mine@example.com"}), 403)
        served(platform.patch(path, json={"first_name": "Owner"}))


class TestItsBase:
    def test_decides_whether_a_second_factor_is_needed(self, owner, member, reader):
        served(give(owner, member, reader))
        path = f"/users/roles/{reader['id']}/"
        settings = {"settings": {"two_factor_roles": ["technician"]}}
        served(owner.patch(f"/organizations/{owner.organization_id}/", json=settings))
        served(member.get("/users/"))
        served(owner.patch(path, json={"base": "technician"}))
        assert refused(member.get("/users/"), 403)["error"]["code"] == "TWO_FACTOR_REQUIRED"
        served(owner.patch(path, json={"base": "customer"}))
        served(member.get("/users/"))


class TestTheLastAdministrator:
    """An administrator is who has the built-in role: only they can make another one."""

    def test_is_not_somebody_who_manages_users_by_another_role(self, owner, agent, hr):
        found = refused(give(owner, owner, "agent"), 409)
        assert found["error"]["code"] == "LAST_ADMINISTRATOR"
        refused(owner.delete(f"/users/{owner.user.id}/"), 409)
        everything = [each["code"] for each in served(owner.get("/users/permissions/"))]
        served(owner.patch(f"/users/roles/{hr['id']}/", json={"permissions": everything}))
        refused(give(owner, owner, "agent"), 409)
        served(give(agent, agent, "customer"))

    def test_is_not_somebody_whose_base_is_called_admin(self, owner, member, reader):
        weak = make(owner, name="Weak", base="admin")
        served(give(owner, member, weak))
        assert served(member.get("/users/profile/"))["role"] == "admin"
        refused(give(owner, owner, "agent"), 409)
        refused(give(owner, owner, weak), 409)
        refused(owner.delete(f"/users/{owner.user.id}/"), 409)
        assert served(owner.get("/users/profile/", params={"include": "custom_role"}))["custom_role"] is None

    def test_remains_when_two_depose_each_other_at_once(self, installation, owner, agent):
        served(give(owner, agent, "admin"))
        tokens = {client: client.token for client in (owner, agent)}
        begin = threading.Barrier(2)

        def depose(client, other):
            begin.wait()
            headers = {"Authorization": f"Bearer {tokens[client]}"}
            return client.post(f"/users/{other.user.id}/change-role/", json={"role": "customer"}, headers=headers)

        with ThreadPoolExecutor(2) as threads:
            replies = list(threads.map(depose, (owner, agent), (agent, owner)))
        assert sorted(reply.status_code for reply in replies) in ([200, 403], [200, 409])
        with installation.session(owner.organization_id) as session:
            assert session.scalars(select(User.role).where(User.role == "admin")).all() == ["admin"]
