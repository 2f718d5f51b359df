"""Sessions of browsers: new with every sign-in, ended for every copy, of no use to pages of others."""

from http.cookies import SimpleCookie

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from helpdesk_core.accounts.models import Login, Organization, RefreshToken
from helpdesk_core.app import create_app
from helpdesk_core.database import metadata
from helpdesk_core.testing import PASSWORD, test_settings
from tests.accounts.browser import Browser
from tests.contract.steps import bearer, deleted, log_in, refused, served

RENAME = {"first_name": "Renamed"}


@pytest.fixture
def browser(installation):
    """A browser in which the member is signed in."""
    browser = Browser(installation.http, "member")
    served(browser.sign_in())
    return browser


def copy_of(browser):
    """Return what a thief of the cookie has."""
    thief = Browser(browser._http)
    thief.cookie, thief.csrf = browser.cookie, browser.csrf
    return thief


def other_device(installation, username="member"):
    device = Browser(installation.http, username)
    served(device.sign_in())
    return device


class TestSigningIn:
    def test_is_refused_with_wrong_credentials(self, installation):
        browser = Browser(installation.http, "member", "wrong")
        reply = browser.sign_in()
        assert refused(reply, 401)["error"]["message"] == "Invalid credentials"
        assert "Set-Cookie" not in reply.headers

    def test_shows_the_user_and_sets_a_cookie_that_scripts_cannot_read(self, installation):
        reply = Browser(installation.http, "member@acme.com").sign_in()
        body = served(reply)
        assert (body["user"]["username"], body["expires_at"]) == ("member", "2026-03-16T10:00:00Z")
        (cookie,) = SimpleCookie(reply.headers["Set-Cookie"]).values()
        assert (cookie.key, cookie["path"], cookie["samesite"], cookie["httponly"]) == ("sessionid", "/", "Lax", True)
        assert (cookie["secure"], cookie["domain"], cookie["max-age"]) == ("", "", str(14 * 86_400))
        assert cookie.value not in reply.text

    def test_sends_the_cookie_over_https_alone_where_there_is_https(self, installation, tmp_path):
        url = str(installation.parts.services.database.engine.url.render_as_string(hide_password=False))
        settings = test_settings(url, tmp_path, public_url="https://help.example.com")
        body = {"username": "member", "password": PASSWORD}
        with TestClient(create_app(settings, background=False)) as behind_proxy:
            for http in (behind_proxy, TestClient(installation.app, base_url="https://testserver")):
                reply = http.post("/api/v1/users/session/", json=body)
                assert reply.headers["Set-Cookie"].endswith("; Secure")

    def test_gives_rights_like_any_login(self, browser):
        assert served(browser.get("/users/profile/"))["username"] == "member"
        assert served(browser.write("PATCH", "/users/profile/", json=RENAME))["full_name"] == "Renamed Example"

    def test_never_adopts_what_the_browser_sent(self, installation):
        browser = Browser(installation.http, "member")
        browser.cookie = "planted-by-somebody-who-knows-it"
        served(browser.sign_in())
        assert browser.cookie != "planted-by-somebody-who-knows-it"
        planted = Browser(installation.http)
        planted.cookie = "planted-by-somebody-who-knows-it"
        assert not planted.is_signed_in()

    def test_ends_the_session_before_whoever_had_it(self, installation, browser):
        before = copy_of(browser)
        browser.username = "outsider"
        served(browser.sign_in())
        assert browser.cookie != before.cookie
        assert not before.is_signed_in()
        assert served(browser.get("/users/profile/"))["username"] == "outsider"

    def test_that_fails_leaves_the_session_before(self, browser):
        browser.password = "wrong"
        refused(browser.sign_in(), 401)
        assert browser.is_signed_in()

    def test_is_not_for_forms(self, installation):
        form = {"username": "member", "password": PASSWORD}
        refused(installation.http.post("/api/v1/users/session/", data=form), 415)

    def test_is_not_for_pages_of_others(self, installation):
        browser = Browser(installation.http, "member")
        reply = browser.sign_in(Origin="https://evil.example")
        assert refused(reply, 403)["error"]["code"] == "CSRF_FAILED"
        assert "Set-Cookie" not in reply.headers
        served(browser.sign_in(Origin="http://testserver"))

    def test_leaves_neither_secret_nor_refresh_token(self, installation, browser):
        with installation.session() as session:
            assert session.scalars(select(RefreshToken)).all() == []
            for table in (metadata.tables["core_login"], metadata.tables["core_audit_entry"]):
                assert browser.cookie not in str(session.connection().execute(table.select()).all())

    def test_is_told_like_any_login(self, installation, browser):
        (event,) = [payload for kind, payload in installation.events() if kind == "user.logged_in"]
        with installation.session() as session:
            assert session.get_one(Login, event["login_id"]).kind == "session"


class TestForgedRequests:
    @pytest.mark.parametrize("given", [{}, {"X-CSRFToken": ""}, {"X-CSRFToken": "0" * 64}, {"X-CSRFToken": b"\xfc"}])
    def test_without_the_value_change_nothing(self, browser, given):
        reply = browser.send("PATCH", "/users/profile/", json=RENAME, headers=given)
        assert refused(reply, 403)["error"]["code"] == "CSRF_FAILED"
        assert served(browser.get("/users/profile/"))["full_name"] == "Member Example"

    def test_with_the_value_of_another_session_change_nothing(self, installation, browser):
        browser.csrf = other_device(installation).csrf
        refused(browser.write("PATCH", "/users/profile/", json=RENAME), 403)

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"Origin": "http://testserver"}, 200),
            ({"Origin": "https://testserver"}, 200),
            ({"Origin": "https://evil.example"}, 403),
            ({"Origin": "http://testserver.evil.example"}, 403),
            ({"Origin": "http://testserver:8080"}, 403),
            ({"Origin": "null"}, 403),
            ({"Origin": ""}, 403),
            ({"Origin": "http://testserver", "Referer": "https://evil.example/"}, 200),
            ({"Referer": "http://testserver/account/"}, 200),
            ({"Referer": "https://evil.example/http://testserver/"}, 403),
            ({"Referer": "http://[::"}, 403),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Sec-Fetch-Site": "same-origin"}, 200),
            ({}, 200),
        ],
    )
    def test_come_from_pages_of_others(self, browser, headers, status):
        given = {"X-CSRFToken": browser.csrf, **headers}
        assert browser.send("PATCH", "/users/profile/", json=RENAME, headers=given).status_code == status

    def test_of_pages_that_are_named_as_friends_are_none(self, installation, tmp_path):
        url = str(installation.parts.services.database.engine.url.render_as_string(hide_password=False))
        settings = test_settings(url, tmp_path, allowed_origins=("https://app.example.com",))
        friend = {"Origin": "https://app.example.com", "Sec-Fetch-Site": "cross-site"}
        foe = {"Origin": "https://evil.example"}
        with TestClient(create_app(settings, background=False)) as http:
            browser = Browser(http, "member")
            reply = browser.sign_in(**friend)
            served(reply)
            assert reply.headers["Access-Control-Allow-Credentials"] == "true"
            assert reply.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
            served(browser.write("PATCH", "/users/profile/", json=RENAME, headers=friend))
            refused(browser.write("PATCH", "/users/profile/", json=RENAME, headers=foe), 403)

    def test_reading_needs_nothing(self, browser):
        assert browser.get("/users/profile/", headers={"Origin": "https://evil.example"}).status_code == 200

    def test_tokens_and_keys_need_nothing(self, anonymous, member):
        foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        served(member.patch("/users/profile/", json=RENAME, headers=foreign))
        key = member.post("/users/api-keys/", json={"name": "x"}).json()["key"]
        served(anonymous.patch("/users/profile/", json=RENAME, headers={"X-API-Key": key, **foreign}))

    def test_are_nobodys_on_public_endpoints(self, browser):
        served(browser.send("POST", "/users/login/", json={"username": "member", "password": PASSWORD}))


class TestTheValue:
    def test_is_nothing_without_a_session(self, anonymous, installation, browser):
        assert served(anonymous.get("/users/csrf/")) == {"csrf_token": None}
        deleted(browser.write("DELETE", "/users/session/"))
        assert served(anonymous.get("/users/csrf/")) == {"csrf_token": None}

    def test_is_that_of_the_session(self, browser):
        assert served(browser.get("/users/csrf/")) == {"csrf_token": browser.csrf}

    def test_is_not_shown_to_who_shows_another_credential(self, browser, member):
        headers = {"Cookie": f"sessionid={browser.cookie}"}
        assert served(member.get("/users/csrf/", headers=headers)) == {"csrf_token": None}


class TestCookies:
    def test_are_found_among_others(self, browser):
        for cookies in (f"a=b; sessionid={browser.cookie}", f"sessionid={browser.cookie};c=d", "x; sessionid=%s; y"):
            headers = {"Cookie": cookies.replace("%s", browser.cookie)}
            served(browser.get("/users/profile/", headers=headers))

    @pytest.mark.parametrize(
        "cookies", ["sessionid=", "sessionid=nonsense", "sessionid", "a=sessionid=x", b"sessionid=\xfc"]
    )
    def test_of_no_session_are_refused_or_ignored(self, browser, cookies):
        refused(browser.get("/users/profile/", headers={"Cookie": cookies}), 401)

    def test_that_contradict_each_other_are_no_session(self, browser):
        cookies = f"sessionid=planted; sessionid={browser.cookie}"
        refused(browser.get("/users/profile/", headers={"Cookie": cookies}), 401)

    def test_do_not_outlast_the_session(self, browser, clock):
        clock.advance(days=13, hours=23)
        assert browser.is_signed_in()
        clock.advance(hours=1)
        assert not browser.is_signed_in()

    def test_are_told_to_caches(self, browser):
        assert "Cookie" in browser.get("/users/profile/").headers["Vary"]


class TestEnding:
    def test_signing_out_ends_every_copy(self, installation, browser):
        thief = copy_of(browser)
        reply = browser.write("DELETE", "/users/session/")
        deleted(reply)
        assert "Max-Age=0" in reply.headers["Set-Cookie"]
        assert browser.cookie is None
        assert not thief.is_signed_in()

    def test_signing_out_needs_the_value(self, browser):
        refused(browser.send("DELETE", "/users/session/"), 403)
        assert browser.is_signed_in()

    def test_signing_out_of_no_session_is_unknown(self, member, anonymous):
        refused(member.delete("/users/session/"), 404)
        refused(anonymous.delete("/users/session/"), 401)

    def test_logging_out_ends_it(self, browser):
        served(browser.write("POST", "/users/logout/", json={}))
        assert not browser.is_signed_in()

    def test_logging_out_everywhere_ends_all(self, installation, anonymous, browser):
        tokens, other = log_in(anonymous, "member"), other_device(installation)
        stranger = other_device(installation, "second_member")
        served(browser.write("POST", "/users/logout-all/"))
        assert not browser.is_signed_in()
        assert not other.is_signed_in()
        refused(anonymous.get("/users/profile/", headers=bearer(tokens["access"])), 401)
        assert stranger.is_signed_in()

    def test_a_changed_password_ends_all_but_the_one_it_was_changed_in(self, installation, anonymous, browser):
        tokens, other = log_in(anonymous, "member"), other_device(installation)
        body = {"old_password": PASSWORD, "new_password": "another long password"}
        served(browser.write("POST", "/users/change-password/", json=body))
        assert browser.is_signed_in()
        assert not other.is_signed_in()
        refused(anonymous.get("/users/profile/", headers=bearer(tokens["access"])), 401)

    def test_a_closed_account_is_out_at_once_and_for_good(self, owner, browser):
        path = f"/users/{served(browser.get('/users/profile/'))['id']}/"
        deleted(owner.delete(path))
        assert not browser.is_signed_in()
        served(owner.post(f"{path}activate/"))
        assert not browser.is_signed_in()

    def test_a_closed_organization_is_out_at_once(self, installation, owner, browser):
        with installation.session() as session:
            session.get_one(Organization, owner.organization_id).is_active = False
            session.commit()
        assert not browser.is_signed_in()


class TestListing:
    def sessions(self, browser, **parameters):
        return served(browser.get("/users/sessions/", params=parameters))["results"]

    def test_shows_ones_own_open_logins_of_both_kinds(self, installation, anonymous, owner, browser):
        other_device(installation, "second_member")
        log_in(anonymous, "member")
        found = self.sessions(browser, ordering="created_at")
        assert [(each["kind"], each["is_current"]) for each in found] == [("session", True), ("token", False)]
        assert found[0]["user_agent"] == "Browser/1.0"
        assert {each["expires_at"] for each in found} == {"2026-03-16T10:00:00Z"}
        assert [each["kind"] for each in self.sessions(browser, kind="token")] == ["token"]

    def test_marks_the_login_of_a_token_as_well(self, member):
        (only,) = served(member.get("/users/sessions/"))["results"]
        assert (only["kind"], only["is_current"]) == ("token", True)

    def test_leaves_out_what_has_ended_or_expired(self, installation, anonymous, browser, clock):
        deleted(other_device(installation).write("DELETE", "/users/session/"))
        log_in(anonymous, "member")
        clock.advance(days=14, seconds=1)
        served(browser.sign_in())
        assert len(self.sessions(browser)) == 1

    def test_shows_when_each_was_last_used(self, installation, browser, clock):
        clock.advance(minutes=5)
        browser.get("/users/profile/")
        installation.parts.upkeep.keep_up()
        assert self.sessions(browser)[0]["last_used_at"] == "2026-03-02T10:05:00Z"

    def test_lets_one_end_another_device(self, installation, browser):
        other = other_device(installation)
        (wanted,) = [each["id"] for each in self.sessions(browser) if not each["is_current"]]
        deleted(browser.write("DELETE", f"/users/sessions/{wanted}/"))
        assert not other.is_signed_in()
        assert browser.is_signed_in()
        refused(browser.write("DELETE", f"/users/sessions/{wanted}/"), 404)

    def test_nobody_ends_those_of_others(self, outsider, owner, browser):
        (mine,) = self.sessions(browser)
        for somebody in (outsider, owner):
            refused(somebody.delete(f"/users/sessions/{mine['id']}/"), 404)
        assert browser.is_signed_in()
