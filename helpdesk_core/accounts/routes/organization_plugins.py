"""Which plugins an organisation has on."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Any

from helpdesk_core.accounts import permissions, service
from helpdesk_core.accounts.models import Organization
from helpdesk_core.accounts.routes.answers import organization_at
from helpdesk_core.accounts.schemas.plugins import InstalledPluginRead, PluginRead
from helpdesk_core.plugins import Manifest, Plugin, PluginHost
from helpdesk_core.plugins.health import Fault, faults
from helpdesk_core.schemas import Dialect
from helpdesk_core.web.context import Context
from helpdesk_core.web.routing import Key, PathPattern, Router

router = Router("organizations", tag="Organizations", document=Dialect.COMPREHENSIVE)
HERE = "organization_id"

installed = Router("plugins", tag="Installation", document=Dialect.COMPREHENSIVE)

PluginId = Annotated[str, PathPattern(r"[a-z][a-z0-9]{1,19}")]


@installed.get("/", permission=permissions.VIEW_PLUGINS)
def list_installed_plugins(ctx: Context) -> list[InstalledPluginRead]:
    """Every plugin that was found, in the order in which they start, with what is wrong with it."""
    host = ctx.services.get(PluginHost)
    found = faults(ctx.session)
    return [InstalledPluginRead.model_validate(_installed(host, each, found.get(each.id, ()))) for each in host.plugins]


@router.get("/{organization_id}/plugins/", permission=permissions.VIEW_ORGANIZATION, within=HERE)
def list_plugins(ctx: Context, organization_id: Key) -> list[PluginRead]:
    """The plugins of the installation, and which of them the organization has on."""
    organization, host = organization_at(ctx, organization_id), ctx.services.get(PluginHost)
    return [_shown(host, organization, plugin, plugin.manifest) for plugin in host.active if plugin.manifest]


@router.post("/{organization_id}/plugins/{plugin}/enable/", permission=permissions.CHANGE_ORGANIZATION, within=HERE)
def enable_plugin(ctx: Context, organization_id: Key, plugin: PluginId) -> PluginRead:
    """Switch a plugin on, from the next request on."""
    organization, host = organization_at(ctx, organization_id, lock=True), ctx.services.get(PluginHost)
    service.enable_plugin(ctx.session, host, organization, plugin)
    return _one(host, organization, plugin)


@router.post("/{organization_id}/plugins/{plugin}/disable/", permission=permissions.CHANGE_ORGANIZATION, within=HERE)
def disable_plugin(ctx: Context, organization_id: Key, plugin: PluginId) -> PluginRead:
    """Switch a plugin off, from the next request on; its data stays."""
    organization, host = organization_at(ctx, organization_id, lock=True), ctx.services.get(PluginHost)
    service.disable_plugin(ctx.session, host, organization, plugin)
    return _one(host, organization, plugin)


def _one(host: PluginHost, organization: Organization, plugin_id: str) -> PluginRead:
    return next(
        _shown(host, organization, plugin, plugin.manifest)
        for plugin in host.active
        if plugin.manifest and plugin.id == plugin_id
    )


def _shown(host: PluginHost, organization: Organization, plugin: Plugin, manifest: Manifest) -> PluginRead:
    reason = service.why_off(host, organization, manifest)
    return PluginRead.model_validate(
        {
            "id": plugin.id,
            "name": manifest.name,
            "version": plugin.version,
            "required_tier": manifest.tier,
            "scope": manifest.scope,
            "requires": list(manifest.requires),
            "state": host.state_of(plugin)[0].value,
            "enabled": reason is None,
            "reason": reason,
        }
    )


def _installed(host: PluginHost, plugin: Plugin, found: Iterable[Fault]) -> dict[str, Any]:
    state, phase, reason = host.state_of(plugin)
    manifest, outage = plugin.manifest, host.outages.get(plugin.id)
    return {
        "id": plugin.id,
        "name": manifest.name if manifest else None,
        "version": plugin.version,
        "package": plugin.package,
        "state": state.value,
        "phase": phase,
        "reason": reason,
        "until": outage.until if outage else None,
        "required_tier": manifest.tier if manifest else None,
        "scope": manifest.scope if manifest else None,
        "requires": list(manifest.requires) if manifest else [],
        "prefixes": list(manifest.prefixes) if manifest else [],
        "start_milliseconds": round(plugin.seconds * 1000, 1),
        "faults": [asdict(each) for each in found],
    }
