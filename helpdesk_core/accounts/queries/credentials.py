"""What can be read of second factors and API keys."""

from helpdesk_core.accounts import permissions
from helpdesk_core.accounts.models import (
    ApiKey,
    SecondFactor,
)
from helpdesk_core.accounts.queries.visibility import Own
from helpdesk_core.accounts.schemas.api_keys import ApiKeyRead
from helpdesk_core.accounts.schemas.second_factors import DeviceRead
from helpdesk_core.clock import api_time
from helpdesk_core.permissions import own_or
from helpdesk_core.queries import Column, Computed, ReadModel, Viewer, equals, words_in

devices = ReadModel(
    SecondFactor,
    schema=DeviceRead,
    ordering=["created_at", "name", "last_used_at"],
    default_order="-created_at",
    visible=Own(SecondFactor.user_id),
)


def _has_not_expired(viewer: Viewer, expires_at: str | None) -> bool:
    return expires_at is None or expires_at > api_time(viewer.now)


api_keys = ReadModel(
    ApiKey,
    schema=ApiKeyRead,
    fields={
        "is_active": Computed(_has_not_expired, ApiKey.expires_at),
        "last_used_at": Column(ApiKey.last_used_at, volatile=True),
        "last_used_address": Column(ApiKey.last_used_address, volatile=True),
    },
    filters={"user": equals(ApiKey.user_id)},
    ordering=["created_at", "name", "expires_at", "last_used_at"],
    default_order="-created_at",
    search=words_in(ApiKey.name, ApiKey.prefix),
    visible=own_or(permissions.MANAGE_USERS, ApiKey.user_id),
    where=ApiKey.revoked_at.is_(None),
)
