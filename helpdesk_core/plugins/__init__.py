"""Plugins: found by entry point, read by manifest, checked, registered, contained."""

from helpdesk_core.plugins.contributions import Contributions, Plan
from helpdesk_core.plugins.gate import Gate
from helpdesk_core.plugins.host import Plugin, PluginHost, State, load_plugins
from helpdesk_core.plugins.manifest import TIERS, Manifest
from helpdesk_core.plugins.organization_settings import OrganizationSettings

__all__ = [
    "TIERS",
    "Contributions",
    "Gate",
    "Manifest",
    "OrganizationSettings",
    "Plan",
    "Plugin",
    "PluginHost",
    "State",
    "load_plugins",
]
