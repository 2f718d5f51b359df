"""The settings of an organisation on their own."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, cast

import orjson

from helpdesk_core.accounts import permissions, service
from helpdesk_core.accounts.routes.answers import organization_at
from helpdesk_core.accounts.schemas.settings import SettingsRead, SettingsUpdate
from helpdesk_core.plugins import PluginHost
from helpdesk_core.queries import Loaded
from helpdesk_core.schemas import Dialect
from helpdesk_core.web.context import Context
from helpdesk_core.web.routing import Key, Router

router = Router("organizations", tag="Organizations", document=Dialect.COMPREHENSIVE)
HERE = "organization_id"


def checked_settings(ctx: Context, settings: Mapping[str, Any], *, within: str = "settings") -> dict[str, Any]:
    """Return settings as they are stored, once they have proved right; errors name keys below the field `within`."""
    return ctx.services.get(PluginHost).organization_settings.checked(settings, within=within)


@router.get("/{organization_id}/settings/", permission=permissions.CHANGE_ORGANIZATION, within=HERE)
def retrieve_settings(ctx: Context, organization_id: Key) -> SettingsRead:
    """The settings as they apply, defaults included; those of a plugin are under its id."""
    return _shown(ctx, organization_id)


@router.patch("/{organization_id}/settings/", permission=permissions.CHANGE_ORGANIZATION, within=HERE)
def update_settings(ctx: Context, organization_id: Key, body: SettingsUpdate) -> SettingsRead:
    """Change settings; keys that are not sent keep their values, null puts a declared one back to its default."""
    organization = organization_at(ctx, organization_id, lock=True)
    declared = {name: getattr(body, name) for name in SettingsUpdate.model_fields if name in body.model_fields_set}
    merged = {**organization.settings, **declared, **(body.model_extra or {})}
    values = {"settings": checked_settings(ctx, merged, within="")}
    service.change_organization(ctx.session, ctx.actor, organization, values)
    return _shown(ctx, organization_id)


def _shown(ctx: Context, organization_id: int) -> SettingsRead:
    stored = organization_at(ctx, organization_id).settings
    data = ctx.services.get(PluginHost).organization_settings.effective(stored)
    text = orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
    return cast("SettingsRead", Loaded(data, f'"{blake2b(text, digest_size=12).hexdigest()}"'))
