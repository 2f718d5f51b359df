"""API keys: those of one's own, and for administrators those of others to look at and to revoke.

No key can do anything here: whoever has found one must not be able to make more of them.
"""

from datetime import timedelta
from typing import Any, cast

from helpdesk_core.accounts import permissions, queries, service
from helpdesk_core.accounts.models import ApiKey
from helpdesk_core.accounts.routes.users import subordinate
from helpdesk_core.accounts.schemas.api_keys import (
    ApiKeyCreate,
    ApiKeyCreated,
    ApiKeyFilters,
    ApiKeyRead,
    ApiKeyRotation,
    ApiKeyUpdate,
)
from helpdesk_core.errors import PermissionDenied
from helpdesk_core.schemas import Dialect, Page, changes
from helpdesk_core.web.context import Context
from helpdesk_core.web.routing import Key, Router

router = Router("users", tag="API keys", document=Dialect.COMPREHENSIVE)


@router.get("/api-keys/", permission=permissions.USE, personal=True)
def list_api_keys(ctx: Context, query: ApiKeyFilters) -> Page[ApiKeyRead]:
    """One's own API keys that are not revoked, newest first; those of another `user` for those who manage users."""
    return ctx.page(queries.api_keys, query, user=query.user or ctx.actor.user_id)


@router.post("/api-keys/", permission=permissions.USE, personal=True, status=201, reveals=True)
def create_api_key(ctx: Context, body: ApiKeyCreate) -> ApiKeyCreated:
    """Make a key that acts as oneself, for `X-API-Key`. It is in this answer in full, and never again."""
    key, text = service.create_key(ctx.session, ctx.actor.user_id, body, ctx.services.roles.declared)
    return _with_text(ctx, key, text)


@router.get("/api-keys/{key_id}/", permission=permissions.USE, personal=True)
def retrieve_api_key(ctx: Context, key_id: Key) -> ApiKeyRead:
    """One API key, without its secret."""
    return ctx.one(queries.api_keys, key_id)


@router.patch("/api-keys/{key_id}/", permission=permissions.USE, personal=True)
def change_api_key(ctx: Context, key_id: Key, body: ApiKeyUpdate) -> ApiKeyRead:
    """Change the name, the scopes, the expiry or the addresses of one of one's own keys."""
    service.change_key(ctx.session, _own(ctx, key_id), changes(body), ctx.services.roles.declared)
    return ctx.one(queries.api_keys, key_id)


@router.delete("/api-keys/{key_id}/", permission=permissions.USE, personal=True)
def revoke_api_key(ctx: Context, key_id: Key) -> None:
    """Revoke a key: it stops working at once. Those who manage users can revoke the keys of others."""
    key = _visible(ctx, key_id)
    if key.user_id != ctx.actor.user_id:
        subordinate(ctx, key.user_id)
    service.revoke_key(ctx.session, key)


@router.post("/api-keys/{key_id}/rotate/", permission=permissions.USE, personal=True, reveals=True)
def rotate_api_key(ctx: Context, key_id: Key, body: ApiKeyRotation) -> ApiKeyCreated:
    """Give one of one's own keys another secret; the one of before works until `previous_until`."""
    key = _own(ctx, key_id)
    return _with_text(ctx, key, service.rotate_key(ctx.session, key, timedelta(seconds=body.overlap_seconds)))


def _visible(ctx: Context, key_id: int) -> ApiKey:
    found = queries.api_keys.find_one(ctx.session, ctx.viewer, queries.api_keys.key, key_id)
    return ctx.session.get_one(ApiKey, found)


def _own(ctx: Context, key_id: int) -> ApiKey:
    key = _visible(ctx, key_id)
    if key.user_id != ctx.actor.user_id:
        raise PermissionDenied("Only its owner can do this with a key.")
    return key


def _with_text(ctx: Context, key: ApiKey, text: str) -> ApiKeyCreated:
    shown: dict[str, Any] = queries.api_keys.load_one(ctx.session, ctx.viewer, key.id).data
    return cast("ApiKeyCreated", {**shown, "key": text})
