"""API keys act as their owner, within their scopes, from where and until when they may."""

import re

import pytest
from sqlalchemy import inspect, select, text
from starlette.testclient import TestClient

from helpdesk_core.accounts.models import ApiKey, Organization
from helpdesk_core.accounts.service import api_keys
from helpdesk_core.audit import AuditEntry
from helpdesk_core.testing import PASSWORD
from tests.accounts.browser import Browser
from tests.accounts.meanwhile import Meanwhile
from tests.contract.steps import bearer, created, deleted, log_in, refused, rows, served

KEYS = "/users/api-keys/"
WHOLE = re.compile(r"hd_[a-z0-9]{10}_[A-Za-z0-9_-]{43}")


def make(client, **fields):
    return created(client.post(KEYS, json={"name": "Report", **fields}))


def use(anonymous, key, path="/users/profile/", **options):
    text = key["key"] if isinstance(key, dict) else key
    return anonymous.get(path, headers={"X-API-Key": text, **options})


def works(anonymous, key):
    return use(anonymous, key).status_code == 200


def called_from(installation, address, key):
    http = TestClient(installation.app, client=(address, 5000), raise_server_exceptions=False)
    return http.get("/api/v1/users/profile/", headers={"X-API-Key": key["key"]}).status_code


class TestMaking:
    def test_anonymous_makes_none(self, anonymous):
        refused(anonymous.post(KEYS, json={"name": "Report"}), 401)

    def test_shows_the_key_once(self, member):
        made = make(member)
        assert WHOLE.fullmatch(made["key"])
        assert made["key"].split("_")[1] == made["prefix"]
        assert (made["scopes"], made["addresses"], made["is_active"]) == (["*"], [], True)
        for reply in (member.get(f"{KEYS}{made['id']}/"), member.get(KEYS)):
            assert made["key"].rpartition(made["prefix"])[2] not in reply.text

    def test_leaves_the_key_nowhere_in_the_database(self, installation, member):
        made = created(member.post(KEYS, json={"name": "Report"}, headers={"Idempotency-Key": "once"}))
        secret = made["key"].rpartition(made["prefix"])[2].removeprefix("_")
        with installation.session() as session:
            for table in inspect(session.connection()).get_table_names():
                for row in session.execute(text(f'SELECT * FROM "{table}"')):
                    assert secret not in str(tuple(row)), table

    def test_happens_once_for_one_idempotency_key(self, member):
        send = {"json": {"name": "Report"}, "headers": {"Idempotency-Key": "once"}}
        first, again = member.post(KEYS, **send), member.post(KEYS, **send)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert created(first) == created(again)
        assert len(rows(member, KEYS)) == 1

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("scopes", ["tickets:ticket:veiw"]),
            ("scopes", ["nothing:*"]),
            ("scopes", [""]),
            ("scopes", []),
            ("scopes", None),
            ("addresses", ["10.0.0.1/8"]),
            ("addresses", ["example.com"]),
            ("addresses", ["300.0.0.1"]),
            ("expires_at", "2026-03-02T10:00:00Z"),
            ("expires_at", "tomorrow"),
            ("name", " "),
            ("name", "x" * 101),
        ],
    )
    def test_refuses_what_cannot_be_meant(self, member, field, value):
        body = refused(member.post(KEYS, json={"name": "Report", field: value}), 400)
        assert body["error"]["details"]["field"].startswith(field)

    def test_is_told_and_recorded_without_the_key(self, installation, member):
        made = make(member)
        (event,) = [payload for kind, payload in installation.events() if kind == "api_key.created"]
        assert (event["key_id"], event["user_id"], event["prefix"]) == (made["id"], member.user.id, made["prefix"])
        with installation.session() as session:
            (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.act == "api_key.created"))
            assert entry.actor_id == member.user.id
            assert made["key"] not in entry.after


class TestOthers:
    def test_outsider_finds_no_key(self, outsider, member):
        key = make(member)
        path = f"{KEYS}{key['id']}/"
        for reply in (
            outsider.get(path),
            outsider.patch(path, json={"name": "Mine"}),
            outsider.delete(path),
            outsider.post(f"{path}rotate/", json={}),
        ):
            refused(reply, 404)
        assert rows(outsider, KEYS, user=member.user.id) == []

    def test_colleagues_find_none_either(self, agent, second_member, member):
        key = make(member)
        for somebody in (agent, second_member):
            refused(somebody.get(f"{KEYS}{key['id']}/"), 404)
            refused(somebody.delete(f"{KEYS}{key['id']}/"), 404)
            assert rows(somebody, KEYS, user=member.user.id) == []

    def test_administrators_look_at_them_and_revoke_them(self, anonymous, owner, member):
        key = make(member)
        assert rows(owner, KEYS) == []
        assert [row["id"] for row in rows(owner, KEYS, user=member.user.id)] == [key["id"]]
        refused(owner.patch(f"{KEYS}{key['id']}/", json={"scopes": ["*"]}), 403)
        refused(owner.post(f"{KEYS}{key['id']}/rotate/", json={}), 403)
        deleted(owner.delete(f"{KEYS}{key['id']}/"))
        assert not works(anonymous, key)


class TestActing:
    def test_is_that_of_the_owner_in_comprehensive(self, anonymous, member):
        key = make(member)
        assert served(use(anonymous, key))["id"] == member.user.id
        assert isinstance(refused(use(anonymous, key, "/users/999/"), 404)["error"], dict)

    def test_follows_the_owners_role(self, anonymous, owner, member):
        key = make(member)
        assert served(use(anonymous, key, "/users/"))["count"] == 1
        served(owner.post(f"/users/{member.user.id}/change-role/", json={"role": "agent"}))
        assert served(use(anonymous, key, "/users/"))["count"] > 1

    def test_narrows_lists_to_the_scopes(self, anonymous, agent):
        wide, narrow = make(agent, scopes=["accounts:*"]), make(agent, scopes=["accounts:user:view"])
        assert served(use(anonymous, wide, "/users/"))["count"] > 1
        assert [row["id"] for row in served(use(anonymous, narrow, "/users/"))["results"]] == [agent.user.id]

    def test_refuses_what_is_beyond_the_scopes(self, anonymous, owner):
        headers = {"X-API-Key": make(owner, scopes=["accounts:user:view"])["key"]}
        body = refused(anonymous.post("/users/", json={}, headers=headers), 403)
        assert body["error"]["details"]["permission"] == "accounts:user:manage"
        refused(anonymous.get("/users/profile/", headers=headers), 403)

    def test_never_exceeds_the_owner(self, anonymous, member):
        key = make(member, scopes=["*", "accounts:user:manage"])
        refused(anonymous.post("/users/", json={}, headers={"X-API-Key": key["key"]}), 403)

    def test_stays_in_the_organization_unless_it_is_meant_to_leave(self, anonymous, platform, outsider):
        path = f"/organizations/{outsider.organization_id}/"
        change = "accounts:organization:change"
        wide = make(platform, scopes=[change, "accounts:organization:manage"])
        for key, status in ((make(platform), 200), (wide, 200), (make(platform, scopes=[change]), 404)):
            reply = anonymous.patch(path, json={"name": "Globex Inc."}, headers={"X-API-Key": key["key"]})
            assert reply.status_code == status

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("GET", KEYS, None),
            ("POST", KEYS, {"name": "Another"}),
            ("POST", "/users/change-password/", {"old_password": PASSWORD, "new_password": "another long password"}),
            ("POST", "/users/logout/", {}),
            ("POST", "/users/logout-all/", None),
            ("GET", "/users/sessions/", None),
            ("DELETE", "/users/session/", None),
        ],
    )
    def test_is_not_for_what_only_people_do(self, anonymous, member, method, path, body):
        headers = {"X-API-Key": make(member)["key"]}
        reply = anonymous.raw(method, f"/api/v1{path}", headers=headers, json=body)
        assert refused(reply, 403)["error"]["code"] == "LOGIN_REQUIRED"

    def test_is_recorded_with_the_key(self, installation, anonymous, owner):
        key = make(owner)
        body = {"email": "a@example.com", "username": "somebody", "password": PASSWORD}
        created(anonymous.post("/users/", json=body, headers={"X-API-Key": key["key"]}))
        with installation.session() as session:
            (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.act == "user.created"))
            assert entry.credential == f"api_key {key['id']}"


class TestRefusals:
    def test_name_the_scheme_and_not_the_reason(self, anonymous, member):
        key = make(member)
        wrong = key["key"][:-1] + ("A" if key["key"][-1] != "A" else "B")
        replies = [
            use(anonymous, text) for text in (wrong, "hd_nobody_" + "x" * 43, "x", "", "hd__", b"\xfc", "h" * 9999)
        ]
        messages = {refused(reply, 401)["error"]["message"] for reply in replies}
        assert len(messages) == 1
        assert all(reply.headers["WWW-Authenticate"].startswith("ApiKey") for reply in replies)

    def test_expired_keys_are_dead(self, anonymous, member, clock):
        key = make(member, expires_at="2026-03-02T11:00:00Z")
        clock.advance(minutes=59)
        assert works(anonymous, key)
        clock.advance(minutes=1)
        assert not works(anonymous, key)
        assert served(member.get(f"{KEYS}{key['id']}/"))["is_active"] is False

    def test_revoked_keys_are_dead_and_gone(self, installation, anonymous, member):
        key = make(member)
        deleted(member.delete(f"{KEYS}{key['id']}/"))
        assert not works(anonymous, key)
        refused(member.get(f"{KEYS}{key['id']}/"), 404)
        refused(member.delete(f"{KEYS}{key['id']}/"), 404)
        assert rows(member, KEYS) == []
        assert "api_key.revoked" in [kind for kind, _ in installation.events()]

    def test_a_closed_account_takes_its_keys_along(self, anonymous, owner, member):
        key = make(member)
        deleted(owner.delete(f"/users/{member.user.id}/"))
        assert not works(anonymous, key)

    def test_a_closed_organization_takes_its_keys_along(self, installation, anonymous, member):
        key = make(member)
        with installation.session() as session:
            session.get_one(Organization, member.organization_id).is_active = False
            session.commit()
        assert not works(anonymous, key)

    def test_a_changed_password_leaves_keys_alone(self, anonymous, member):
        key = make(member)
        body = {"old_password": PASSWORD, "new_password": "another long password"}
        served(member.post("/users/change-password/", json=body))
        assert works(anonymous, key)

    def test_a_bad_key_does_not_stand_in_the_way_of_public_endpoints(self, anonymous, member):
        body = {"username": "member", "password": PASSWORD}
        served(anonymous.post("/users/login/", json=body, headers={"X-API-Key": "hd_no_no"}))


class TestAddresses:
    @pytest.mark.parametrize(
        ("networks", "address", "status"),
        [
            (["10.1.0.0/16"], "10.1.2.3", 200),
            (["10.1.0.0/16"], "10.2.2.3", 401),
            (["192.0.2.7", "2001:db8::/32"], "2001:db8::5", 200),
            (["192.0.2.7"], "192.0.2.7", 200),
            (["192.0.2.7"], "::ffff:192.0.2.7", 200),
            (["2001:db8::/32"], "10.1.2.3", 401),
            (["10.1.0.0/16"], "somewhere", 401),
            ([], "somewhere", 200),
        ],
    )
    def test_calls_come_from_where_they_may(self, installation, member, networks, address, status):
        assert called_from(installation, address, make(member, addresses=networks)) == status

    def test_are_kept_as_networks(self, member):
        assert make(member, addresses=["192.0.2.7", "192.0.2.7"])["addresses"] == ["192.0.2.7/32"]


class TestChanging:
    def test_applies_at_once(self, anonymous, member):
        key = make(member)
        path = f"{KEYS}{key['id']}/"
        changed = served(member.patch(path, json={"name": "Other", "scopes": ["accounts:user:view"]}))
        assert (changed["name"], changed["scopes"]) == ("Other", ["accounts:user:view"])
        refused(use(anonymous, key), 403)

    def test_checks_what_making_checks(self, member):
        path = f"{KEYS}{make(member)['id']}/"
        for body in ({"scopes": ["x"]}, {"addresses": ["x"]}, {"expires_at": "2020-01-01"}, {"name": ""}):
            refused(member.patch(path, json=body), 400)

    def test_ignores_what_was_read(self, member):
        key = make(member)
        path = f"{KEYS}{key['id']}/"
        assert served(member.patch(path, json=served(member.get(path)))) == served(member.get(path))

    def test_notices_another_change(self, member):
        path = f"{KEYS}{make(member)['id']}/"
        tag = member.get(path).headers["ETag"]
        served(member.patch(path, json={"name": "Other"}, headers={"If-Match": tag}))
        refused(member.patch(path, json={"name": "Third"}, headers={"If-Match": tag}), 412)

    def test_takes_an_expiry_away(self, anonymous, member, clock):
        key = make(member, expires_at="2026-03-02T11:00:00Z")
        clock.advance(hours=2)
        served(member.patch(f"{KEYS}{key['id']}/", json={"expires_at": None}))
        assert works(anonymous, key)


class TestRotating:
    def rotate(self, member, key, **body):
        return served(member.post(f"{KEYS}{key['id']}/rotate/", json=body))

    def test_lets_both_secrets_work_for_a_while(self, anonymous, member, clock):
        key = make(member)
        fresh = self.rotate(member, key, overlap_seconds=3600)
        assert (fresh["id"], fresh["prefix"]) == (key["id"], key["prefix"])
        assert fresh["previous_until"] == "2026-03-02T11:00:00Z"
        clock.advance(seconds=3599)
        assert works(anonymous, key)
        clock.advance(seconds=1)
        assert not works(anonymous, key)
        assert works(anonymous, fresh)

    def test_can_end_the_one_before_at_once(self, anonymous, member):
        key = make(member)
        fresh = self.rotate(member, key, overlap_seconds=0)
        assert (works(anonymous, key), works(anonymous, fresh)) == (False, True)

    def test_keeps_one_before_and_no_more(self, anonymous, member):
        first = make(member)
        second = self.rotate(member, first)
        third = self.rotate(member, first)
        assert [works(anonymous, key) for key in (first, second, third)] == [False, True, True]

    @pytest.mark.parametrize("seconds", [-1, 7 * 86_400 + 1, "1", 1.5])
    def test_refuses_other_spans(self, member, seconds):
        refused(member.post(f"{KEYS}{make(member)['id']}/rotate/", json={"overlap_seconds": seconds}), 400)

    def test_ends_with_the_key(self, anonymous, member):
        key = make(member)
        self.rotate(member, key)
        deleted(member.delete(f"{KEYS}{key['id']}/"))
        assert not works(anonymous, key)

    def test_twice_at_once_leaves_both_new_secrets_working(self, installation, anonymous, member, monkeypatch):
        key, moments = make(member), []
        other = Meanwhile(installation, lambda: self.rotate(member, key, overlap_seconds=3600), inside=True)
        new_key = api_keys.new_key

        def with_another(*given):
            moments.append(given)
            if len(moments) == 1:
                other.happens()
            return new_key(*given)

        monkeypatch.setattr(api_keys, "new_key", with_another)
        one = self.rotate(member, key, overlap_seconds=3600)
        assert [works(anonymous, each) for each in (one, other.over())] == [True, True]


class TestPrecedence:
    def test_a_token_wins_over_a_key_and_a_key_over_a_cookie(self, installation, anonymous, owner, agent, member):
        browser = Browser(installation.http, "member")
        served(browser.sign_in())
        cookie = {"Cookie": f"sessionid={browser.cookie}"}
        key = {"X-API-Key": make(agent)["key"]}
        token = bearer(log_in(anonymous, "owner")["access"])

        def seen(headers):
            return served(anonymous.get("/users/profile/", headers=headers))["username"]

        assert seen(cookie) == "member"
        assert seen(cookie | key) == "agent"
        assert seen(cookie | key | token) == "owner"

    def test_a_bad_one_is_not_made_up_for_by_the_next(self, installation, anonymous, agent):
        browser = Browser(installation.http, "member")
        served(browser.sign_in())
        headers = {"Cookie": f"sessionid={browser.cookie}", "X-API-Key": "hd_no_no"}
        refused(anonymous.get("/users/profile/", headers=headers), 401)
        refused(use(anonymous, make(agent), Authorization="Bearer nonsense"), 401)


class TestLastUse:
    def test_is_written_later_with_the_address(self, installation, anonymous, member):
        key = make(member)
        assert called_from(installation, "192.0.2.7", key) == 200
        assert served(member.get(f"{KEYS}{key['id']}/"))["last_used_at"] is None
        installation.parts.upkeep.keep_up()
        found = served(member.get(f"{KEYS}{key['id']}/"))
        assert (found["last_used_at"], found["last_used_address"]) == ("2026-03-02T10:00:00Z", "192.0.2.7")

    def test_is_not_that_of_a_refused_call(self, installation, member):
        key = make(member, addresses=["10.0.0.0/8"])
        assert called_from(installation, "192.0.2.7", key) == 401
        installation.parts.upkeep.keep_up()
        assert served(member.get(f"{KEYS}{key['id']}/"))["last_used_at"] is None


def test_keys_of_one_owner_are_told_apart_by_their_prefix(installation, member):
    prefixes = {make(member)["prefix"] for _ in range(5)}
    assert len(prefixes) == 5
    with installation.session() as session:
        assert {key.prefix for key in session.scalars(select(ApiKey))} == prefixes
