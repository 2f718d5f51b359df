"""What plugins contribute to hooks that other plugins declare, and whether an organisation has a plugin on."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from helpdesk_core.events import now
from helpdesk_core.plugins.host import PluginHost

Plan = Callable[[Session], tuple[str, frozenset[str]]]
"""Returns the tier of a session's organisation, and the ids of plugins that it has switched off."""


class Contributions:
    """Answers for the active plugins; plugins get it as a service."""

    def __init__(self, host: PluginHost, plan: Plan) -> None:
        """Keep the plugins, and what tells the plan of an organisation."""
        self._host = host
        self._plan = plan
        self._manifests = {plugin.id: plugin.manifest for plugin in host.active}

    def all(self, hook: str) -> list[tuple[str, Any]]:
        """Return everything that was returned from `hook`, with the id of the plugin, in plugin order."""
        return [(plugin.id, item) for plugin, item in self._host.declared(hook)]

    def of(self, hook: str, session: Session) -> list[Any]:
        """Return what plugins returned from `hook` that answer the organisation of `session`, in plugin order."""
        return [item for plugin, item in self.all(hook) if self.answers(session, plugin)]

    def needed(self, hook: str, session: Session) -> list[Any]:
        """Return what `of` does, for what cannot do without it; nothing if no plugin that is on has any.

        Raises:
            PluginUnavailable: only plugins that do not run at present have.
        """
        found = self.of(hook, session)
        for plugin in [plugin for plugin, _ in self.all(hook) if not found and self.enabled(session, plugin)]:
            self._host.gate.refuse_during_outage(plugin, now(session))
        return found

    def answers(self, session: Session, plugin: str) -> bool:
        """Tell whether the organisation of `session` has a plugin on, and the plugin runs at present."""
        return plugin not in self._host.outages and self.enabled(session, plugin)

    def enabled(self, session: Session, plugin: str) -> bool:
        """Tell whether the organisation of `session` has a plugin on; asks the database once for each session."""
        manifest = self._manifests.get(plugin)
        if manifest is None or manifest.scope == "system":
            return plugin in self._manifests
        if "plan" not in session.info:
            session.info["plan"] = self._plan(session)
        tier, disabled = session.info["plan"]
        return self._host.gate.closed_for(manifest, tier, disabled) is None
