"""Whether an organisation has a plugin on: the one gate in front of every door."""

from collections.abc import Mapping
from typing import Any

from helpdesk_core.permissions import Actor
from helpdesk_core.plugins.manifest import TIERS, Manifest


class Gate:
    """Knows every active plugin's manifest."""

    def __init__(self, manifests: Mapping[str, Manifest]) -> None:
        """Keep the manifests by id."""
        self._manifests = dict(manifests)

    def closed(self, plugin: str, actor: Actor) -> dict[str, Any] | None:
        """Return why `actor`'s organisation cannot use `plugin`; nothing when it can (decision D5)."""
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
