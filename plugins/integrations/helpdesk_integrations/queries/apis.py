"""What can be read of API integrations."""

from typing import Any

from helpdesk_core.api import Column, Computed, ReadModel, at_least, at_most, equals, words_in
from helpdesk_integrations.models import ApiIntegration, Call
from helpdesk_integrations.schemas.apis import ApiIntegrationDetails, ApiIntegrationRead, CallRead


def _rate_limits(_: Any, per_minute: int, per_day: int) -> dict[str, int]:
    return {"requests_per_minute": per_minute, "requests_per_day": per_day}


def _documentation(_: Any, swagger_url: str | None, version: str) -> dict[str, str | None]:
    return {"swagger_url": swagger_url, "version": version}


def _average(_: Any, answered: int, total_ms: int) -> float:
    return round(total_ms / answered, 2) if answered else 0


_COUNTERS = ("total_requests", "successful_requests", "failed_requests")

apis = ReadModel(
    ApiIntegration,
    schema=ApiIntegrationRead,
    optional=ApiIntegrationDetails,
    fields={
        "rate_limits": Computed(_rate_limits, ApiIntegration.requests_per_minute, ApiIntegration.requests_per_day),
        "api_documentation": Computed(_documentation, ApiIntegration.swagger_url, ApiIntegration.documentation_version),
        "average_response_time": Computed(
            _average, ApiIntegration.answered_requests, ApiIntegration.total_duration_ms, volatile=True
        ),
        **{name: Column(getattr(ApiIntegration, name), volatile=True) for name in (*_COUNTERS, "open_until")},
    },
    filters={"api_type": equals(ApiIntegration.api_type), "is_active": equals(ApiIntegration.is_active)},
    ordering={
        "created_at": ApiIntegration.created_at,
        "updated_at": ApiIntegration.updated_at,
        "name": ApiIntegration.name,
    },
    default_order="-created_at",
    search=words_in(ApiIntegration.name, ApiIntegration.base_url),
)

calls = ReadModel(
    Call,
    schema=CallRead,
    filters={
        "api": equals(Call.api_id),
        "method": equals(Call.method),
        "status": equals(Call.response_status),
        "created_after": at_least(Call.created_at),
        "created_before": at_most(Call.created_at),
    },
    ordering={"id": Call.id, "created_at": Call.created_at, "duration_ms": Call.duration_ms},
    default_order="-id",
)
