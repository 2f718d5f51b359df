"""The verbs of plugins as one organisation has them."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core import audit
from helpdesk_core.accounts.errors import PluginNeeded, PluginSwitchFailed, RequiredPluginsOff, SystemPlugin
from helpdesk_core.accounts.events import PluginsChanged
from helpdesk_core.accounts.models import ApiKey, CustomRole, Organization
from helpdesk_core.errors import HelpdeskError, NotFound, PluginNotEnabled
from helpdesk_core.events import now, publish
from helpdesk_core.plugins import TIERS, LifeCycleContext, Manifest, Phase, PluginHealth, PluginHost, PluginNames


def why_off(host: PluginHost, organization: Organization, manifest: Manifest) -> str | None:
    """Return why an organisation has a plugin not on, in a word; nothing when it has."""
    if manifest.scope == "system":
        return None
    closed = host.gate.closed_for(manifest, organization.subscription_tier, frozenset(organization.disabled_plugins))
    if closed is None:
        return None
    if "required_tier" in closed:
        return "tier_too_low"
    return "requires_off" if "requires" in closed else "switched_off"


def enable_plugin(session: Session, host: PluginHost, organization: Organization, plugin: str) -> None:
    """Switch a plugin on, from the next request on; nothing happens when it is.

    Raises:
        NotFound: there is no such plugin (404).
        SystemPlugin: it cannot be switched (409).
        PluginNotEnabled: the subscription does not have it; `details.required_tier` says which has (403).
        RequiredPluginsOff: `details.requires` names plugins that must be on first (409).
        PluginSwitchFailed: the plugin's `on_enable` failed (500); roll back.
    """
    manifest = _switchable(host, plugin)
    if TIERS.index(organization.subscription_tier) < TIERS.index(manifest.tier):
        raise PluginNotEnabled(details={"plugin": plugin, "required_tier": manifest.tier})
    manifests = _manifests(host)
    off = [name for name in manifest.requires if why_off(host, organization, manifests[name]) is not None]
    if off:
        raise RequiredPluginsOff(details={"plugin": plugin, "requires": off})
    if plugin in organization.disabled_plugins:
        _switch(session, host, organization, plugin, enabled=True)


def disable_plugin(session: Session, host: PluginHost, organization: Organization, plugin: str) -> None:
    """Switch a plugin off, from the next request on; its data stays. Nothing happens when it is off.

    Raises:
        NotFound: there is no such plugin (404).
        SystemPlugin: it cannot be switched (409).
        PluginNeeded: `details.needed_by` names plugins that are on and need it (409).
        PluginSwitchFailed: the plugin's `on_disable` failed (500); roll back.
    """
    _switchable(host, plugin)
    if plugin in organization.disabled_plugins:
        return
    needing = [
        manifest.id
        for manifest in _manifests(host).values()
        if plugin in manifest.requires and why_off(host, organization, manifest) is None
    ]
    if needing:
        raise PluginNeeded(details={"plugin": plugin, "needed_by": needing})
    _switch(session, host, organization, plugin, enabled=False)


def forget_plugin(session: Session, names: PluginNames) -> None:
    """Remove a plugin from organisations, roles and API keys; `session` sees every organisation."""
    for organization in session.scalars(select(Organization)):
        organization.disabled_plugins = [plugin for plugin in organization.disabled_plugins if plugin != names.id]
        organization.settings = {key: value for key, value in organization.settings.items() if key != names.id}
    for role in session.scalars(select(CustomRole)):
        role.permissions = [code for code in role.permissions if not names.owns(code)]
    for key in session.scalars(select(ApiKey)):
        key.scopes = [code for code in key.scopes if not names.owns(code)]


def _manifests(host: PluginHost) -> dict[str, Manifest]:
    return {plugin.id: plugin.manifest for plugin in host.active if plugin.manifest}


def _switchable(host: PluginHost, plugin: str) -> Manifest:
    manifest = _manifests(host).get(plugin)
    if manifest is None:
        raise NotFound
    if manifest.scope == "system":
        raise SystemPlugin(details={"plugin": plugin})
    return manifest


def _switch(session: Session, host: PluginHost, organization: Organization, plugin: str, *, enabled: bool) -> None:
    disabled = {*organization.disabled_plugins} - {plugin}
    organization.disabled_plugins = sorted(disabled if enabled else disabled | {plugin})
    organization.updated_at = now(session)
    session.flush()
    _call_hook(session, host, organization, plugin, "on_enable" if enabled else "on_disable")
    act = "organization.plugin_enabled" if enabled else "organization.plugin_disabled"
    audit.record(session, act, "organization", organization.id, after={"plugin": plugin})
    publish(session, PluginsChanged(organization_id=organization.id, plugin=plugin, enabled=enabled))


def _call_hook(session: Session, host: PluginHost, organization: Organization, plugin: str, hook: str) -> None:
    """Have the plugin prepare or wind down, in the transaction of the switch, which an error of it undoes."""
    found = next(each.life_cycle.get(hook) for each in host.active if each.id == plugin)
    if found is None:
        return
    extra = session.info["bus"].extra
    try:
        found(ctx=LifeCycleContext(session, organization.id, now(session), extra))
        session.flush()
    except HelpdeskError:
        raise
    except (Exception, SystemExit) as error:
        extra[PluginHealth].failed(plugin, Phase.SWITCH, error)
        raise PluginSwitchFailed(details={"plugin": plugin, "hook": hook}) from error
