"""Looking at limits, subscriptions and usage."""

from itertools import pairwise

import pytest

from helpdesk_core.limits.models import Usage
from tests.contract.steps import refused, served


class TestRateLimits:
    def test_nobody_sees_them_without_a_credential(self, anonymous):
        refused(anonymous.get("/rate-limits/"), 401)

    def test_show_every_bucket_of_ones_own(self, member, clock):
        member.get("/users/profile/")
        clock.advance(minutes=5)
        shown = served(member.get("/rate-limits/"))["buckets"]
        assert [(each["name"], each["limit"], each["remaining"], each["window_seconds"]) for each in shown] == [
            ("authentication", 10, 10, 60),
            ("general", 1000, 999, 3600),
            ("uploads", 100, 100, 3600),
            ("webhooks", 500, 500, 3600),
        ]
        resets = {each["name"]: each["reset_time"] for each in shown}
        assert resets["general"] == "2026-03-02T11:00:00Z"
        assert resets["uploads"] == "2026-03-02T11:05:00Z", "it has not begun"

    def test_cost_nothing(self, member):
        replies = [member.get("/rate-limits/") for _ in range(3)]
        assert {reply.headers["X-RateLimit-Remaining"] for reply in replies} == {"1000"}
        assert [served(reply)["quota"]["requests"] for reply in replies] == [0] * 3

    def test_show_the_quota_of_ones_organization(self, outsider, member):
        outsider.get("/users/profile/")
        assert served(outsider.get("/rate-limits/"))["quota"]["requests"] == 1
        assert served(member.get("/rate-limits/"))["quota"] == {
            "month": "2026-03", "requests": 0, "limit": None, "remaining": None, "reset_time": "2026-04-01T00:00:00Z"
        }  # fmt: skip


def test_subscription_tiers_are_shown_to_everybody(anonymous):
    tiers = served(anonymous.get("/subscription-tiers/"))["results"]
    assert [(each["tier"], each["monthly_requests"]) for each in tiers] == [
        ("free", 1_000), ("basic", 10_000), ("professional", 100_000), ("enterprise", None)
    ]  # fmt: skip
    allowed = [set(each["plugins"]) for each in tiers]
    assert "accounts" in allowed[0]
    assert all(lower <= higher for lower, higher in pairwise(allowed))


class TestUsage:
    def path(self, client):
        return f"/organizations/{client.organization_id}/usage/"

    def test_is_for_administrators_of_the_organization(self, outsider, member, owner, platform):
        refused(outsider.get(self.path(owner)), 404)
        refused(member.get(self.path(owner)), 403)
        served(owner.get(self.path(owner)))
        served(platform.get(self.path(outsider)))

    def test_shows_this_month(self, owner, member):
        member.get("/users/profile/")
        assert served(owner.get(self.path(owner))) == {
            "month": "2026-03", "requests": 2, "limit": None, "remaining": None,
            "reset_time": "2026-04-01T00:00:00Z", "warnings": [], "users": 5, "history": [],
        }  # fmt: skip

    def test_shows_the_months_before(self, installation, owner, outsider):
        with installation.session(owner.organization_id) as session:
            for month, requests in (("2025-12", 7), ("2026-02", 9), ("2026-03", 40)):
                session.add(Usage(month=month, requests=requests, warned=80 if month == "2026-03" else 0))
            installation.commit(session)
        shown = served(owner.get(self.path(owner)))
        assert (shown["requests"], shown["warnings"]) == (41, [80])
        assert shown["history"] == [{"month": "2026-02", "requests": 9}, {"month": "2025-12", "requests": 7}]
        assert served(outsider.get(self.path(outsider)))["history"] == []

    @pytest.mark.parametrize("tier", ["free", "basic"])
    def test_knows_the_quota(self, owner, platform, tier):
        served(platform.post(f"/organizations/{owner.organization_id}/change-tier/", json={"subscription_tier": tier}))
        limit = {"free": 1_000, "basic": 10_000}[tier]
        shown = served(owner.get(self.path(owner)))
        assert (shown["limit"], shown["remaining"]) == (limit, limit - shown["requests"])
