"""Plugins: found by entry point, read by manifest, checked, registered, contained."""

from helpdesk_core.plugins.contributions import Contributions, Plan
from helpdesk_core.plugins.gate import Gate, PluginUnavailable
from helpdesk_core.plugins.health import Hung, PluginHealth
from helpdesk_core.plugins.host import Plugin, PluginHost
from helpdesk_core.plugins.life_cycle import LifeCycleContext, PluginNames
from helpdesk_core.plugins.loading import EssentialPluginFailed, load_plugins
from helpdesk_core.plugins.manifest import TIERS, Manifest
from helpdesk_core.plugins.organization_settings import OrganizationSettings
from helpdesk_core.plugins.states import Phase, State
from helpdesk_core.plugins.watchdog import Watchdog

__all__ = [
    "TIERS",
    "Contributions",
    "EssentialPluginFailed",
    "Gate",
    "Hung",
    "LifeCycleContext",
    "Manifest",
    "OrganizationSettings",
    "Phase",
    "Plan",
    "Plugin",
    "PluginHealth",
    "PluginHost",
    "PluginNames",
    "PluginUnavailable",
    "State",
    "Watchdog",
    "load_plugins",
]
