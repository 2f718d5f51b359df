"""Monthly quotas: what counts, who is refused, what is stored of it and what is told."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from helpdesk_core.accounts.models import Organization, User
from helpdesk_core.accounts.service import delete_organization
from helpdesk_core.errors import Unavailable
from helpdesk_core.limits.choice import stores_of
from helpdesk_core.limits.leases import Leases
from helpdesk_core.limits.models import Usage
from helpdesk_core.limits.quota import Quota, month_of
from helpdesk_core.limits.stores import NOTHING, Chain
from helpdesk_core.plugins import PluginHost
from helpdesk_core.testing import Client, Installation, Response, running
from helpdesk_core.web.limits import Limits

Enforcing = Callable[..., Installation]
NEXT_MONTH = "2026-04-01T00:00:00Z"


@pytest.fixture
def enforcing(helpdesk_host: PluginHost, helpdesk_databases: Any, tmp_path: Path) -> Iterator[Enforcing]:
    """Run a helpdesk in which Acme has a free subscription of so many requests."""
    with ExitStack() as stack:

        def run(quota_free: int = 10, **limits: Any) -> Installation:
            settings = {"limits": "enforce", "quota_free": quota_free, **limits}
            home = tmp_path / str(len(list(tmp_path.iterdir())))
            installation = stack.enter_context(running(helpdesk_databases, helpdesk_host, home, "quotas", **settings))
            subscribe(installation, "free")
            return installation

        yield run


def subscribe(installation: Installation, tier: str) -> None:
    with installation.session() as session:
        session.execute(update(Organization).where(Organization.slug == "acme-corp").values(subscription_tier=tier))
        installation.commit(session)


def change_tier(installation: Installation, tier: str) -> None:
    """Let a platform administrator of another organisation do it, whose requests do not count here."""
    with installation.session() as session:
        outsider = installation.accounts["outsider"].id
        session.execute(update(User).where(User.id == outsider).values(is_platform_admin=True))
        installation.commit(session)
    acme = installation.client("member").organization_id
    path = f"/organizations/{acme}/change-tier/"
    changed = installation.client("outsider").post(path, json={"subscription_tier": tier})
    assert changed.status_code == 200, changed.text


def quota(client: Client) -> dict[str, Any]:
    shown = client.get("/rate-limits/")
    assert shown.status_code == 200, shown.text
    found: dict[str, Any] = shown.json()["quota"]
    return found


def spend(client: Client, times: int) -> list[int]:
    return [client.get("/users/profile/").status_code for _ in range(times)]


def keep_up(installation: Installation) -> None:
    installation.clock.advance(minutes=1)
    installation.parts.upkeep.keep_up()


def stored(installation: Installation) -> list[tuple[int, str, int, int]]:
    with installation.session() as session:
        rows = session.scalars(select(Usage).order_by(Usage.organization_id, Usage.month))
        return [(row.organization_id, row.month, row.requests, row.warned) for row in rows]


def told(installation: Installation) -> list[tuple[int, str, int]]:
    return [
        (payload["percent"], payload["month"], payload["limit"])
        for kind, payload in installation.events()
        if kind == "organization.quota_reached"
    ]


def lose_counters(installation: Installation) -> None:
    store: Any = installation.parts.services.get(Limits)._leases._chain.first
    if hasattr(store, "_do"):
        store._do(lambda connection: connection.execute("DELETE FROM counter"))
    else:
        store._run("DELETE FROM helpdesk_limit_counter RETURNING key", [])


@contextmanager
def process_of(installation: Installation) -> Iterator[Quota]:
    """Give the part of another process of the same installation."""
    parts = installation.parts
    leases = Leases(Chain(stores_of(parts.settings)))
    yield Quota(parts.settings, parts.services.database, parts.services.bus, leases)
    leases.close(int(installation.clock.now().timestamp()))


class TestWhatCounts:
    def test_requests_of_every_member_do(self, enforcing: Enforcing) -> None:
        installation = enforcing()
        for name in ("owner", "member", "member", "outsider"):
            spend(installation.client(name), 1)
        assert quota(installation.client("member")) == {
            "month": "2026-03", "requests": 3, "limit": 10, "remaining": 7, "reset_time": NEXT_MONTH
        }  # fmt: skip

    def test_refusals_of_ours_do_and_failures_do_not(self, enforcing: Enforcing, monkeypatch: Any) -> None:
        installation = enforcing()
        member = installation.client("member")
        assert member.get("/nothing/").status_code == 404
        assert member.get("/tickets/999999/").status_code == 404
        assert member.patch("/users/profile/", json={"nothing": 1}).status_code == 400
        with monkeypatch.context() as broken:
            broken.setattr("helpdesk_core.web.context.Context.one", None)
            reply = member.get("/users/profile/")
            assert reply.status_code == 500
        assert quota(member)["requests"] == 3

    def test_requests_that_a_bucket_refuses_do_not(self, enforcing: Enforcing) -> None:
        installation = enforcing(limit_general=2)
        assert spend(installation.client("member"), 4) == [200, 200, 429, 429]
        assert quota(installation.client("owner"))["requests"] == 2

    def test_requests_without_a_credential_do_not(self, enforcing: Enforcing) -> None:
        installation = enforcing()
        member = installation.client("member")
        installation.client("anonymous").get("/subscription-tiers/")
        assert quota(member)["requests"] == 0


class TestBeyondTheQuota:
    def test_everybody_is_refused_with_the_monthly_figures(self, enforcing: Enforcing) -> None:
        installation = enforcing(3)
        member = installation.client("member")
        assert spend(member, 3) == [200] * 3
        reply: Response = installation.client("owner").get("/users/profile/")
        assert reply.status_code == 429
        assert reply.json()["error"]["details"] == {"limit": 3, "remaining": 0, "reset_time": NEXT_MONTH}
        headers = reply.headers
        assert (headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]) == ("3", "0")
        assert headers["RateLimit-Policy"] == f'"quota";q=3;w={31 * 86_400}'
        assert spend(installation.client("outsider"), 1) == [200], "Globex has a subscription of its own"

    def test_one_can_still_log_in_and_look_at_the_limits(self, enforcing: Enforcing) -> None:
        installation = enforcing(1)
        spend(installation.client("owner"), 1)
        shown = installation.client("member").get("/rate-limits/").json()
        assert shown["quota"]["remaining"] == 0
        assert next(each["remaining"] for each in shown["buckets"] if each["name"] == "general") == 1000

    def test_the_next_month_begins_anew(self, enforcing: Enforcing) -> None:
        installation = enforcing(1, limit_general=5)
        member = installation.client("member")
        assert spend(member, 2) == [200, 429]
        installation.clock.advance(days=29, hours=13, minutes=59, seconds=59)
        assert spend(member, 1) == [429]
        installation.clock.advance(seconds=1)
        assert spend(member, 2) == [200, 429]
        assert quota(member)["month"] == "2026-04"

    def test_another_subscription_counts_at_once(self, enforcing: Enforcing) -> None:
        installation = enforcing(2, quota_basic=3)
        member = installation.client("member")
        assert spend(member, 3) == [200, 200, 429]
        subscribe(installation, "basic")
        assert spend(member, 2) == [200, 429]
        subscribe(installation, "enterprise")
        assert spend(member, 2) == [200, 200]
        assert quota(member) == {
            "month": "2026-03", "requests": 5, "limit": None, "remaining": None, "reset_time": NEXT_MONTH
        }  # fmt: skip
        subscribe(installation, "free")
        assert spend(member, 1) == [429]
        assert quota(member)["requests"] == 5

    @pytest.mark.parametrize("minutes", [0, 1, 2])
    def test_nothing_is_given_back_with_another_subscription(self, enforcing: Enforcing, minutes: int) -> None:
        installation = enforcing(10, quota_basic=100)
        member = installation.client("member")
        for tier, times in (("free", 3), ("enterprise", 5), ("basic", 1), ("enterprise", 4), ("free", 0)):
            before = quota(member)["requests"]
            subscribe(installation, tier)
            assert quota(member)["requests"] == before
            assert spend(member, times) == [200] * times
            for _ in range(minutes):
                keep_up(installation)
            assert quota(member)["requests"] == before + times
        assert spend(member, 1) == [429]
        keep_up(installation)
        assert stored(installation)[0][:3] == (member.organization_id, "2026-03", 13)

    def test_what_was_only_taken_in_advance_does_not_count(self, enforcing: Enforcing) -> None:
        installation = enforcing(10_000)
        member = installation.client("member")
        assert spend(member, 5) == [200] * 5
        subscribe(installation, "enterprise")
        assert spend(member, 5) == [200] * 5
        installation.parts.services.get(Limits)._quota.persist()
        assert stored(installation)[0][2] == 10

    def test_what_another_process_has_counted_is_not_given_back_either(self, enforcing: Enforcing) -> None:
        installation = enforcing(10)
        member = installation.client("member")
        assert spend(member, 3) == [200] * 3
        subscribe(installation, "enterprise")
        with process_of(installation) as other:
            for _ in range(6):
                other.count_free(member.organization_id, int(installation.clock.now().timestamp()))
            other.persist()
        subscribe(installation, "free")
        assert spend(member, 2) == [200, 429]
        assert quota(member)["requests"] == 10

    def test_nothing_is_lost_when_counters_do_not_answer(self, enforcing: Enforcing, monkeypatch: Any) -> None:
        installation = enforcing(10)
        member = installation.client("member")
        subscribe(installation, "enterprise")
        assert spend(member, 4) == [200] * 4
        with monkeypatch.context() as down:
            down.setattr(Chain, "spend", lambda *_: NOTHING)
            subscribe(installation, "free")
            assert spend(member, 1) == [200]
            keep_up(installation)
        assert stored(installation) == [(member.organization_id, "2026-03", 4, 0)]

    def test_nobody_is_refused_when_requests_are_only_counted(self, enforcing: Enforcing) -> None:
        member = enforcing(1, limits="count").client("member")
        assert spend(member, 3) == [200] * 3
        assert quota(member)["requests"] == 3


class TestWhatIsStored:
    def test_is_written_once_a_minute_and_only_grows(self, enforcing: Enforcing) -> None:
        installation = enforcing()
        owner = installation.client("owner")
        acme = owner.organization_id
        spend(owner, 2)
        installation.parts.upkeep.keep_up()
        assert stored(installation) == []
        keep_up(installation)
        assert stored(installation) == [(acme, "2026-03", 2, 0)]
        with installation.session() as session:
            session.execute(update(Usage).values(requests=7))
            installation.commit(session)
        spend(owner, 1)
        keep_up(installation)
        assert stored(installation) == [(acme, "2026-03", 7, 0)]

    def test_is_where_a_lost_counter_goes_on_in_the_same_process(self, enforcing: Enforcing) -> None:
        installation = enforcing(4)
        member = installation.client("member")
        spend(member, 3)
        keep_up(installation)
        lose_counters(installation)
        assert spend(member, 2) == [200, 429]

    def test_is_where_a_lost_counter_goes_on_in_another_process(self, enforcing: Enforcing) -> None:
        installation = enforcing(4)
        member = installation.client("member")
        with installation.session(member.organization_id) as session:
            session.add(Usage(month="2026-03", requests=3))
            session.add(Usage(month="2026-02", requests=1000))
            installation.commit(session)
        assert spend(member, 2) == [200, 429]
        assert quota(member)["requests"] == 4

    def test_goes_away_with_the_organization(self, enforcing: Enforcing) -> None:
        installation = enforcing()
        owner = installation.client("owner")
        with installation.session() as session:
            session.execute(update(Organization).values(is_active=True))
            row = session.scalars(select(Organization).limit(1)).one()
            empty = Organization(
                **{
                    column.key: getattr(row, column.key)
                    for column in Organization.__table__.columns
                    if column.key != "id"
                }
                | {"slug": "empty", "domain": None}
            )
            session.add(empty)
            session.flush()
            session.add(Usage(organization_id=empty.id, month="2026-03", requests=1))
            key = empty.id
            installation.commit(session)
        with installation.session(key) as session:
            delete_organization(session, session.get_one(Organization, key))
            installation.commit(session)
        assert stored(installation) == []
        assert owner.get("/users/profile/").status_code == 200


class TestWarnings:
    def test_are_published_once_for_each_mark(self, enforcing: Enforcing) -> None:
        installation = enforcing(10)
        member = installation.client("member")
        spend(member, 7)
        keep_up(installation)
        assert told(installation) == []
        spend(member, 1)
        keep_up(installation)
        assert told(installation) == [(80, "2026-03", 10)]
        spend(member, 1)
        keep_up(installation)
        assert told(installation) == [(80, "2026-03", 10)]
        spend(member, 3)
        keep_up(installation)
        keep_up(installation)
        assert told(installation) == [(80, "2026-03", 10), (100, "2026-03", 10)]

    def test_are_not_published_again_by_another_process(self, enforcing: Enforcing) -> None:
        installation = enforcing(10)
        member = installation.client("member")
        spend(member, 9)
        keep_up(installation)
        limits = installation.parts.services.get(Limits)
        limits._quota._warned.clear()
        spend(member, 1)
        keep_up(installation)
        assert told(installation) == [(80, "2026-03", 10), (100, "2026-03", 10)]

    def test_come_anew_with_another_limit(self, enforcing: Enforcing) -> None:
        installation = enforcing(2, quota_basic=5)
        member = installation.client("member")
        spend(member, 2)
        keep_up(installation)
        change_tier(installation, "basic")
        spend(member, 1)
        keep_up(installation)
        free = [(80, "2026-03", 2), (100, "2026-03", 2)]
        assert told(installation) == free
        spend(member, 1)
        keep_up(installation)
        spend(member, 1)
        keep_up(installation)
        spend(member, 1)
        keep_up(installation)
        assert told(installation) == [*free, (80, "2026-03", 5), (100, "2026-03", 5)]
        change_tier(installation, "free")
        spend(member, 1)
        keep_up(installation)
        keep_up(installation)
        assert told(installation)[4:] == free

    def test_of_a_limit_that_is_past_are_not_published(self, enforcing: Enforcing) -> None:
        installation = enforcing(2, quota_basic=5)
        member = installation.client("member")
        spend(member, 2)
        change_tier(installation, "basic")
        keep_up(installation)
        assert told(installation) == []
        assert stored(installation)[0][2:] == (2, 0)
        spend(member, 2)
        keep_up(installation)
        assert told(installation) == [(80, "2026-03", 5)]

    def test_belong_to_the_organization(self, enforcing: Enforcing) -> None:
        installation = enforcing(1)
        member = installation.client("member")
        spend(member, 2)
        keep_up(installation)
        events = [payload for kind, payload in installation.events() if kind == "organization.quota_reached"]
        assert {each["organization_id"] for each in events} == {member.organization_id}

    def test_come_anew_in_the_next_month(self, enforcing: Enforcing) -> None:
        installation = enforcing(1)
        member = installation.client("member")
        spend(member, 1)
        keep_up(installation)
        installation.clock.advance(days=30)
        spend(member, 1)
        keep_up(installation)
        assert [each[:2] for each in told(installation)] == [
            (80, "2026-03"), (100, "2026-03"), (80, "2026-04"), (100, "2026-04")
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("moment", "name", "days"), [(0, "1970-01", 31), (1_709_251_199, "2024-02", 29), (1_735_689_599, "2024-12", 31)]
)
def test_a_month_begins_and_ends_at_midnight_in_utc(moment: int, name: str, days: int) -> None:
    month = month_of(moment)
    assert (month.name, month.ends - month.starts) == (name, days * 86_400)
    assert month_of(month.ends - 1).name == name
    assert month_of(month.ends).starts == month.ends


def test_requests_without_a_quota_add_up_over_processes(enforcing: Enforcing) -> None:
    installation = enforcing()
    acme = installation.client("owner").organization_id
    now = int(installation.clock.now().timestamp())
    for requests in (3, 4):
        with process_of(installation) as process:
            for _ in range(requests):
                process.count_free(acme, now)
            process.persist()
    assert stored(installation) == [(acme, "2026-03", 7, 0)]


def test_failures_of_ours_do_not_count_without_a_quota_either(
    enforcing: Enforcing, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = enforcing()
    subscribe(installation, "enterprise")
    member = installation.client("member")
    before = quota(member)["requests"]

    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("on fire")

    with monkeypatch.context() as patched:
        patched.setattr("helpdesk_core.queries.readmodel.ReadModel.load_one", crash)
        assert member.get("/users/profile/").status_code == 500
    assert quota(member)["requests"] == before


def test_what_cannot_be_stored_now_is_stored_later(enforcing: Enforcing, monkeypatch: pytest.MonkeyPatch) -> None:
    installation = enforcing()
    subscribe(installation, "enterprise")
    member = installation.client("member")
    spend(member, 3)

    def busy(*_: object, **__: object) -> None:
        raise Unavailable

    with monkeypatch.context() as patched:
        patched.setattr(installation.parts.services.database, "session", busy)
        installation.clock.advance(minutes=1)
        with pytest.raises(Unavailable):
            installation.parts.services.get(Limits)._quota.persist()
    keep_up(installation)
    assert stored(installation) == [(member.organization_id, "2026-03", 3, 0)]
