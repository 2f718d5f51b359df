"""Limits, quotas and what is used of them."""

from pydantic import Field

from helpdesk_core.accounts.schemas.types import Tier
from helpdesk_core.schemas import Schema, UtcDateTime


class BucketRead(Schema):
    """One bucket of the caller."""

    name: str
    limit: int
    """Requests that a window grants."""
    remaining: int
    reset_time: UtcDateTime
    """When the window ends; of one that has not begun, when it would if it began now."""
    window_seconds: int


class QuotaRead(Schema):
    """What an organisation has used of its monthly quota."""

    month: str = Field(pattern=r"^\d{4}-\d{2}$", examples=["2024-01"])
    """In UTC."""
    requests: int
    """Requests with a credential of one of its members; those refused by a limit and those that failed on our side do
    not count."""
    limit: int | None
    """Nothing when the subscription has no quota."""
    remaining: int | None
    reset_time: UtcDateTime
    """When the next month begins."""


class RateLimits(Schema):
    """How the limits of the caller stand."""

    buckets: list[BucketRead]
    """Empty when nothing is counted."""
    quota: QuotaRead


class TierRead(Schema):
    """What a subscription tier grants."""

    tier: Tier
    monthly_requests: int | None
    """Nothing when there is no quota."""
    plugins: list[str]
    """Ids of the installed plugins that can be used with it."""


class MonthRead(Schema):
    """Requests of a month that is over."""

    month: str = Field(pattern=r"^\d{4}-\d{2}$", examples=["2024-01"])
    requests: int


class UsageRead(QuotaRead):
    """What an organisation uses."""

    warnings: list[int]
    """Percentages of the quota that were reached in this month and told to its administrators: 80, 100."""
    users: int
    """Active accounts."""
    history: list[MonthRead]
    """Up to two years, the newest month first."""
