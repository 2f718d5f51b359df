"""Whether an organisation has a plugin on: the one gate in front of every door."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from helpdesk_core.errors import Unavailable
from helpdesk_core.permissions import Actor
from helpdesk_core.plugins.manifest import TIERS, Manifest
from helpdesk_core.plugins.outages import Outage, Outages

ASK_AGAIN_SECONDS = 30
"""Where nobody knows how long an outage lasts."""


class PluginUnavailable(Unavailable):
    """This feature is not available right now. Try again shortly."""

    code = "PLUGIN_UNAVAILABLE"

    def __init__(self, outage: Outage, plugin: str, now: datetime) -> None:
        """Say which plugin it is, and when to ask again."""
        wait = max(1, int((outage.until - now).total_seconds())) if outage.until else ASK_AGAIN_SECONDS
        details = {"plugin": plugin, "state": outage.state.value}
        super().__init__(details=details, headers={"Retry-After": str(wait)})


class Gate:
    """Knows every active plugin's manifest, and which of them do not answer at present."""

    def __init__(self, manifests: Mapping[str, Manifest], outages: Outages) -> None:
        """Keep the manifests by id, and the outages, which change."""
        self._manifests = dict(manifests)
        self._outages = outages

    def refuse_during_outage(self, plugin: str, now: datetime) -> None:
        """Raise `PluginUnavailable` if a plugin answers nobody at present, whatever the organisation has on."""
        outage = self._outages.get(plugin)
        if outage is not None:
            raise PluginUnavailable(outage, plugin, now)

    def closed(self, plugin: str, actor: Actor) -> dict[str, Any] | None:
        """Return why `actor`'s organisation cannot use `plugin`; nothing when it can (decision D5)."""
        outage = self._outages.get(plugin)  # once: another thread may end it meanwhile
        if outage is not None:
            return {"plugin": plugin, "state": outage.state}
        manifest = self._manifests.get(plugin)
        if manifest is None or manifest.scope == "system":
            return None
        return self.closed_for(manifest, actor.tier, actor.disabled_plugins)

    def closed_for(self, manifest: Manifest, tier: str, disabled: frozenset[str]) -> dict[str, Any] | None:
        """Return why an organisation of `tier` with these plugins switched off cannot use the plugin."""
        if TIERS.index(tier) < TIERS.index(manifest.tier):
            return {"plugin": manifest.id, "required_tier": manifest.tier}
        if manifest.id in disabled:
            return {"plugin": manifest.id}
        off = next((name for name in manifest.requires if self._off(name, tier, disabled)), None)
        return {"plugin": manifest.id, "requires": off} if off else None

    def _off(self, plugin: str, tier: str, disabled: frozenset[str]) -> bool:
        manifest = self._manifests.get(plugin)
        return manifest is not None and self.closed_for(manifest, tier, disabled) is not None
