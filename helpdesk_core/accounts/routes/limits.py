"""Limits and quotas: how one's own stand, what subscriptions grant, and what an organisation has used."""

from datetime import UTC, datetime
from typing import Any

from helpdesk_core.accounts import permissions, queries
from helpdesk_core.accounts.models import Organization
from helpdesk_core.accounts.schemas.limits import BucketRead, MonthRead, QuotaRead, RateLimits, TierRead, UsageRead
from helpdesk_core.clock import api_time
from helpdesk_core.errors import NotFound
from helpdesk_core.limits.buckets import Standing
from helpdesk_core.limits.quota import MARKS, month_of, quotas_of
from helpdesk_core.plugins import PluginHost
from helpdesk_core.schemas import Dialect, Page
from helpdesk_core.web.context import Context
from helpdesk_core.web.limits import Limits
from helpdesk_core.web.routing import Key, Router

router = Router("rate-limits", tag="Limits", document=Dialect.COMPREHENSIVE)
tiers = Router("subscription-tiers", tag="Limits", document=Dialect.COMPREHENSIVE)
organizations = Router("organizations", tag="Limits", document=Dialect.COMPREHENSIVE)


@router.get("/", permission=permissions.USE, limit="none")
def retrieve_rate_limits(ctx: Context) -> RateLimits:
    """How every bucket of one's own and the quota of one's organization stand; asking costs nothing."""
    limits = ctx.services.get(Limits)
    quota = limits.quota(ctx, ctx.actor.organization_id, ctx.actor.tier)
    return RateLimits(
        buckets=[BucketRead.model_validate(_bucket(each)) for each in limits.standings(ctx)],
        quota=QuotaRead.model_validate(_quota(quota, ctx.now)),
    )


@tiers.get("/", public=True)
def list_subscription_tiers(ctx: Context) -> Page[TierRead]:
    """The subscription tiers, from the lowest, with what each grants."""
    host = ctx.services.get(PluginHost)
    manifests = [plugin.manifest for plugin in host.active if plugin.manifest is not None]
    found = [
        TierRead(
            tier=tier,  # type: ignore[arg-type]
            monthly_requests=quota,
            plugins=[each.id for each in manifests if host.gate.closed_for(each, tier, frozenset()) is None],
        )
        for tier, quota in quotas_of(ctx.services.settings).items()
    ]
    return Page(count=len(found), next=None, previous=None, results=found)


@organizations.get("/{organization_id}/usage/", permission=permissions.CHANGE_ORGANIZATION, within="organization_id")
def retrieve_usage(ctx: Context, organization_id: Key) -> UsageRead:
    """Requests of an organization in this month and in those before, and what it has left of its quota."""
    organization = ctx.session.get(Organization, organization_id)
    if organization is None:
        raise NotFound
    standing = ctx.services.get(Limits).quota(ctx, organization.id, organization.subscription_tier)
    present = _quota(standing, ctx.now)
    stored = queries.usage(ctx.session)
    warned = next((row.warned for row in stored if row.month == present["month"]), 0)
    return UsageRead.model_validate(
        {
            **present,
            "warnings": [mark for mark in MARKS if mark <= warned],
            "users": queries.count_users(ctx.session),
            "history": [
                MonthRead(month=row.month, requests=row.requests) for row in stored if row.month < present["month"]
            ],
        }
    )


def _bucket(standing: Standing) -> dict[str, Any]:
    charge = standing.charge
    return {
        "name": charge.name,
        "limit": charge.limit,
        "remaining": standing.remaining,
        "reset_time": _instant(standing.reset_at),
        "window_seconds": charge.seconds,
    }


def _quota(standing: Standing, now: datetime) -> dict[str, Any]:
    limit = standing.charge.limit
    return {
        "month": month_of(int(now.timestamp())).name,
        "requests": standing.used,
        "limit": limit,
        "remaining": None if limit is None else standing.remaining,
        "reset_time": _instant(standing.reset_at),
    }


def _instant(seconds: int) -> str:
    return api_time(datetime.fromtimestamp(seconds, UTC))
