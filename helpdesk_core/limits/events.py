"""What happens to quotas."""

from typing import ClassVar

from helpdesk_core.events import Event


class QuotaReached(Event):
    """An organisation has used up so much of its monthly quota; told once a month for each mark of a quota."""

    type: ClassVar[str] = "organization.quota_reached"

    organization_id: int
    """The organisation."""
    percent: int
    """The mark that was reached: 80 or 100."""
    month: str
    """The month in UTC, `2024-01`."""
    limit: int
    """Requests that the quota grants."""
