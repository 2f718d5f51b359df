"""What requests cost, what their answers tell of it, and the refusal."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from helpdesk_core.limits.buckets import UNBOUNDED, Standing, charge, least
from helpdesk_core.limits.leases import Leases
from helpdesk_core.limits.sqlite import MEMORY, SqliteStore
from helpdesk_core.limits.stores import Chain, StoreUnavailable
from helpdesk_core.plugins import PluginHost
from helpdesk_core.testing import PASSWORD, Client, Installation, Response, running
from helpdesk_core.web.authentication import Principal, authenticate
from helpdesk_core.web.limits import Limits, _address
from tests.pictures import picture

Enforcing = Callable[..., Installation]
LIMIT, REMAINING, RESET = "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"
WRONG = {"username": "agent", "password": "wrong"}


@pytest.fixture
def enforcing(helpdesk_host: PluginHost, helpdesk_databases: Any, tmp_path: Path) -> Iterator[Enforcing]:
    """Run a helpdesk that refuses what goes beyond these limits."""
    with ExitStack() as stack:

        def run(**limits: Any) -> Installation:
            settings = {"limits": "enforce", **limits}
            return stack.enter_context(running(helpdesk_databases, helpdesk_host, tmp_path, "limited", **settings))

        yield run


def figures(reply: Response) -> tuple[int, int]:
    """The limit and what remains of it."""
    return int(reply.headers[LIMIT]), int(reply.headers[REMAINING])


def upload(client: Client) -> Response:
    return client.put("/users/profile/avatar/", files={"file": ("me.png", picture(), "image/png")})


class TestTheAnswer:
    def test_tells_the_figures_in_both_families_of_header_fields(self, enforcing: Enforcing) -> None:
        installation = enforcing()
        member = installation.client("member")
        member.get("/users/profile/")
        installation.clock.advance(seconds=50)
        headers = member.get("/users/profile/").headers
        ends = int(datetime(2026, 3, 2, 11, tzinfo=UTC).timestamp())
        assert (headers[LIMIT], headers[REMAINING], headers[RESET]) == ("1000", "998", str(ends))
        assert headers["RateLimit-Policy"] == '"default";q=1000;w=3600'
        assert headers["RateLimit"] == '"default";r=998;t=3550'

    @pytest.mark.parametrize("classic", [False, True])
    def test_has_them_whatever_became_of_the_request(self, enforcing: Enforcing, classic: bool) -> None:
        installation = enforcing()
        member = installation.client("member")
        member = member.classic if classic else member
        replies = [
            member.get("/users/profile/"),
            member.get("/nothing/"),
            member.delete("/users/profile/"),
            member.post("/users/", json={}),
            member.patch("/users/profile/", json={"nothing": 1}),
            member.patch("/users/profile/", content=b"x" * 2_000_000),
            member.patch("/users/profile/", content=b"{"),
            member.get("/users/profile/", headers={"Accept": "application/vnd.helpdesk.v9+json"}),
            member.raw("HEAD", "/api/v1/users/profile/"),
        ]
        assert [reply.status_code for reply in replies] == [200, 404, 405, 403, 400, 413, 400, 406, 200]
        assert [figures(reply) for reply in replies] == [(1000, 999 - number) for number in range(9)]

    def test_has_them_on_downloads_and_without_a_body(self, enforcing: Enforcing) -> None:
        member = enforcing().client("member")
        download = member.raw("GET", upload(member).json()["avatar"])
        assert (download.status_code, figures(download)) == (200, (1000, 998))
        reply = member.get("/users/profile/")
        same = member.get("/users/profile/", headers={"If-None-Match": reply.headers["ETag"]})
        assert (same.status_code, figures(same)) == (304, (1000, 996))

    def test_tells_of_the_bucket_with_the_least_left(self, enforcing: Enforcing) -> None:
        installation = enforcing(limit_general=4, limit_uploads=3)
        member = installation.client("member")
        assert figures(upload(member)) == (3, 2)
        assert figures(member.get("/users/profile/")) == (4, 2)
        assert figures(member.get("/users/profile/")) == (4, 1)
        assert figures(upload(member)) == (4, 0)

    def test_may_be_read_by_pages_of_other_origins(self, enforcing: Enforcing) -> None:
        installation = enforcing(allowed_origins=("https://app.example.com",))
        reply = installation.client("member").get("/users/profile/", headers={"Origin": "https://app.example.com"})
        exposed = reply.headers["Access-Control-Expose-Headers"].split(", ")
        assert {LIMIT, REMAINING, RESET, "RateLimit", "RateLimit-Policy", "Retry-After"} <= set(exposed)

    def test_has_none_of_it_outside_the_api_and_when_limits_are_off(self, enforcing: Enforcing) -> None:
        installation = enforcing(limits="off")
        assert LIMIT not in installation.client("member").get("/users/profile/").headers
        assert LIMIT not in installation.client("anonymous").raw("GET", "/healthz").headers
        assert not (installation.parts.settings.home / "limits.db").exists()


class TestTheRefusal:
    def test_has_the_documented_body(self, enforcing: Enforcing) -> None:
        installation = enforcing(limit_general=2)
        member, clock = installation.client("member"), installation.clock
        member.get("/users/profile/")
        clock.advance(minutes=10)
        assert figures(member.get("/users/profile/")) == (2, 0)
        reply = member.get("/users/profile/")
        details = {"limit": 2, "remaining": 0, "reset_time": "2026-03-02T11:00:00Z"}
        message = "Rate limit exceeded. Try again later."
        assert reply.status_code == 429
        assert reply.json() == {"error": {"code": "RATE_LIMIT_EXCEEDED", "message": message, "details": details}}
        assert reply.headers["Retry-After"] == "3000"
        assert figures(reply) == (2, 0)
        assert reply.headers[RESET] == str(int(datetime(2026, 3, 2, 11, tzinfo=UTC).timestamp()))
        assert member.get("/nothing/").status_code == 429
        accept = {"Accept": "application/vnd.helpdesk.classic.v1+json"}
        classic = member.get("/users/profile/", headers=accept)
        assert (classic.status_code, classic.json()) == (429, {"error": message, "details": details})

    def test_ends_with_the_window(self, enforcing: Enforcing) -> None:
        installation = enforcing(limit_general=1)
        member, clock = installation.client("member"), installation.clock
        member.get("/users/profile/")
        clock.advance(seconds=3599)
        reply = member.get("/users/profile/", headers={"Authorization": f"Bearer {member.token}"})
        assert (reply.status_code, reply.headers["Retry-After"]) == (429, "1")
        clock.advance(seconds=1)
        assert member.get("/users/profile/").status_code == 200

    def test_comes_before_the_body_is_looked_at_and_before_anything_is_written(self, enforcing: Enforcing) -> None:
        installation = enforcing(limit_general=2)
        member, path = installation.client("member"), "/users/api-keys/"
        assert member.post(path, json={"name": "Robot"}).status_code == 201
        assert member.get(path).json()["count"] == 1
        assert member.post(path, json={"nothing": 1}).status_code == 429
        assert member.post(path, json={"name": "Another"}).status_code == 429
        installation.clock.advance(hours=1)
        assert member.get(path).json()["count"] == 1

    def test_costs_nothing_else(self, enforcing: Enforcing) -> None:
        installation = enforcing(limit_uploads=1)
        member = installation.client("member")
        assert upload(member).status_code == 200
        before = figures(member.get("/users/profile/"))[1]
        assert upload(member).status_code == 429
        assert figures(member.get("/users/profile/"))[1] == before - 1

    def test_stands_although_somebody_gave_back_meanwhile(self, enforcing: Enforcing) -> None:
        class Late(SqliteStore):
            def spend(self, charges: Any, now: int, units: int = 1) -> Any:
                return False, self.look(charges, now)

        installation = enforcing()
        token = installation.client("member").token
        limits = installation.parts.services.get(Limits)
        limits.close(installation.clock.now())
        limits._leases = Leases(Chain([Late(MEMORY)]))
        assert installation.client("member").get("/users/profile/").status_code == 429, token

    def test_is_only_told_and_never_made_when_limits_are_counted(self, enforcing: Enforcing) -> None:
        member = enforcing(limits="count", limit_general=1).client("member")
        replies = [member.get("/users/profile/") for _ in range(3)]
        assert [(reply.status_code, *figures(reply)) for reply in replies] == [(200, 1, 0)] * 3


class TestTheGeneralBucket:
    def test_is_that_of_a_user_over_all_tokens(self, enforcing: Enforcing) -> None:
        installation = enforcing()
        member = installation.client("member")
        assert [figures(each.get("/users/profile/"))[1] for each in (member, member.classic, member)] == [999, 998, 997]
        assert figures(installation.client("second_member").get("/users/profile/"))[1] == 999

    def test_is_another_one_for_each_api_key(self, enforcing: Enforcing, monkeypatch: pytest.MonkeyPatch) -> None:
        member = enforcing().client("member")

        def with_key(*arguments: Any) -> Principal | None:
            principal, key = authenticate(*arguments), arguments[2].headers.get("x-key")
            return replace(principal, key_id=int(key)) if principal and key else principal

        monkeypatch.setattr("helpdesk_core.web.unit_of_work.authenticate", with_key)
        left = [figures(member.get("/users/profile/", headers=key))[1] for key in ({}, {"X-Key": "1"}, {"X-Key": "2"})]
        assert left == [999, 999, 999]
        assert figures(member.get("/users/profile/", headers={"X-Key": "2"}))[1] == 998

    def test_is_that_of_an_address_for_tokens_without_a_credential(self, enforcing: Enforcing) -> None:
        installation = enforcing(limit_general=4, limit_anonymous=2)
        anonymous, token = installation.client("anonymous"), {"token": "x"}
        replies = [anonymous.post("/auth/token/verify/", json=token) for _ in range(4)]
        assert [(reply.status_code, *figures(reply)) for reply in replies] == [(401, 4, left) for left in (3, 2, 1, 0)]
        for path in ("/users/verify/", "/users/refresh/", "/auth/token/refresh/", "/auth/token/blacklist/"):
            assert anonymous.post(path, json=token).status_code == 429


class TestTheAnonymousBucket:
    def test_is_that_of_an_address(self, enforcing: Enforcing) -> None:
        installation = enforcing(limit_anonymous=2)
        anonymous = installation.client("anonymous")
        assert figures(anonymous.get("/users/profile/")) == (2, 1)
        assert figures(anonymous.get("/nothing/")) == (2, 0)
        assert anonymous.get("/subscription-tiers/").status_code == 429

    @pytest.mark.parametrize("path", ["/users/profile/", "/rate-limits/", "/nothing/", "/subscription-tiers/"])
    def test_is_for_bad_credentials_as_well(self, enforcing: Enforcing, path: str) -> None:
        anonymous = enforcing(limit_anonymous=1).client("anonymous")
        bad = {"Authorization": "Bearer nonsense"}
        assert figures(anonymous.get(path, headers=bad)) == (1, 0)
        assert anonymous.get(path, headers=bad).status_code == 429

    @pytest.mark.parametrize(
        ("address", "whose"),
        [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("fe80::1%eth0", "fe80::/64"),
            ("testclient", "testclient"),
            ("", ""),
        ],
    )
    def test_takes_a_network_of_ipv6_for_one_address(self, address: str, whose: str) -> None:
        assert _address(address) == f"address:{whose}"


class TestTheAuthenticationBucket:
    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/users/login/", WRONG),
            ("/auth/token/", WRONG),
            ("/users/register/", {}),
        ],
    )
    def test_is_that_of_an_address_and_lasts_a_minute(
        self, enforcing: Enforcing, path: str, body: dict[str, str]
    ) -> None:
        installation = enforcing()
        anonymous, clock = installation.client("anonymous"), installation.clock
        for number in range(10):
            assert figures(anonymous.post(path, json={**body, **_somebody(body, number)})) == (10, 9 - number)
        reply = anonymous.post(path, json=body)
        assert (reply.status_code, reply.headers["Retry-After"]) == (429, "60")
        clock.advance(minutes=1)
        assert anonymous.post(path, json=body).status_code in {400, 401}

    def test_is_that_of_an_account_from_wherever_it_is_tried(self, enforcing: Enforcing) -> None:
        installation = enforcing(limit_authentication=3)
        for network, known in ((1, "agent"), (2, "Nobody")):
            replies = [_log_in_from(installation, f"192.0.{network}.{number}", known) for number in range(3)]
            assert [(reply.status_code, *figures(reply)) for reply in replies] == [(401, 3, left) for left in (2, 1, 0)]
            reply = _log_in_from(installation, f"192.0.{network}.9", known.swapcase())
            assert (reply.status_code, figures(reply)) == (429, (3, 0))
        assert _log_in_from(installation, "192.0.2.9", "member").status_code == 401

    def test_refuses_before_a_password_is_hashed(self, enforcing: Enforcing, monkeypatch: pytest.MonkeyPatch) -> None:
        installation = enforcing(limit_authentication=1)
        _log_in_from(installation, "192.0.2.1", "agent")
        monkeypatch.setattr("helpdesk_core.accounts.passwords.Passwords.verify", None)
        assert _log_in_from(installation, "192.0.2.2", "agent").status_code == 429

    def test_of_an_account_costs_nothing_else_when_it_refuses(self, enforcing: Enforcing) -> None:
        installation = enforcing(limit_authentication=2, limit_anonymous=3)
        for number in range(2):
            _log_in_from(installation, f"192.0.2.{number}", "agent")
        for _ in range(5):
            assert _log_in_from(installation, "192.0.2.9", "agent").status_code == 429
        assert figures(_log_in_from(installation, "192.0.2.9", "member")) == (2, 1)

    def test_counts_registrations_by_address_of_mail(self, enforcing: Enforcing) -> None:
        installation = enforcing(limit_authentication=1)
        body = {"username": "new", "email": "new@example.com", "password": PASSWORD}
        body |= {"first_name": "Ada", "last_name": "Example"}
        first = _post_from(installation, "192.0.2.1", "/users/register/", body)
        assert first.status_code == 201, first.text
        second = _post_from(installation, "192.0.2.2", "/users/register/", {**body, "email": "NEW@example.com"})
        assert second.status_code == 429

    def test_stores_no_name_in_the_clear(self, enforcing: Enforcing) -> None:
        installation = enforcing()
        _log_in_from(installation, "192.0.2.1", "a-name-to-be-found")
        for file in installation.parts.settings.home.glob("limits.db*"):
            assert b"a-name-to-be-found" not in file.read_bytes()


class TestWithoutCounters:
    @pytest.fixture
    def installation(self, enforcing: Enforcing) -> Installation:
        installation = enforcing(limit_general=1, limit_anonymous=1, limit_authentication=3)

        class Down(SqliteStore):
            def _do(self, act: Any, *arguments: Any) -> Any:
                raise StoreUnavailable("down")

        limits = installation.parts.services.get(Limits)
        limits.close(installation.clock.now())
        limits._leases = Leases(Chain([Down(MEMORY), SqliteStore(MEMORY)]))
        return installation

    def test_requests_are_served_without_figures(self, installation: Installation) -> None:
        member = installation.client("member")
        for _ in range(3):
            reply = member.get("/users/profile/")
            assert (reply.status_code, LIMIT in reply.headers) == (200, False)

    def test_passwords_cannot_be_tried_all_the_same(self, installation: Installation) -> None:
        replies = [_log_in_from(installation, f"192.0.2.{number}", "agent") for number in range(4)]
        assert [reply.status_code for reply in replies] == [401, 401, 401, 429]
        assert [figures(reply)[1] for reply in replies] == [2, 1, 0, 0]

    def test_the_quota_is_what_is_stored(self, installation: Installation) -> None:
        shown = installation.client("member").get("/rate-limits/").json()
        assert (shown["buckets"], shown["quota"]["requests"]) == ([], 0)


def test_the_bucket_with_the_fewest_requests_left_is_told(enforcing: Enforcing) -> None:
    limits = enforcing().parts.services.get(Limits)
    cost = charge(limits.buckets.general, "user:1", 1_000)
    unlimited = Standing(cost._replace(limit=None, most=UNBOUNDED), 5, 1)
    from_hour, from_month = Standing(cost, 1, 4_600), Standing(cost._replace(limit=100_000), 50_000, 99_999)
    equal = Standing(cost, 1, 5_000)
    assert least([]) is None
    assert least([unlimited]) is None
    assert least([from_month, from_hour, unlimited]) is from_hour
    assert least([from_hour, equal]) is least([equal, from_hour]) is equal


def _somebody(body: dict[str, str], number: int) -> dict[str, str]:
    """Name another account, so that none of them runs out first."""
    return {"username": f"nobody{number}"} if "username" in body else {}


def _log_in_from(installation: Installation, address: str, name: str) -> Response:
    return _post_from(installation, address, "/users/login/", {"username": name, "password": "wrong"})


def _post_from(installation: Installation, address: str, path: str, body: dict[str, str]) -> Response:
    """Send a request from some address."""
    app = installation.http.app

    async def moved(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "client": (address, 1)}, receive, send)

    installation.http._transport.app, before = moved, installation.http._transport.app
    try:
        return installation.http.post(f"/api/v1{path}", json=body)
    finally:
        installation.http._transport.app = before
