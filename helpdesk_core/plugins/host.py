"""The plugin host: every plugin of the process, how far it has come, and what it declared."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from helpdesk_core.events import Event, EventCatalogue
from helpdesk_core.permissions import RolePermissions
from helpdesk_core.plugins.discovery import BUILT_IN
from helpdesk_core.plugins.gate import Gate
from helpdesk_core.plugins.manifest import Manifest
from helpdesk_core.plugins.organization_settings import OrganizationSettings
from helpdesk_core.plugins.outages import Outages
from helpdesk_core.plugins.states import State

log = logging.getLogger("helpdesk.plugins")


@dataclass
class Plugin:
    """One plugin in this process.

    Attributes:
        id: its id.
        package: import name.
        folder: where its package lies.
        manifest: nothing when it could not be read.
        state: how far it has come.
        phase: where it failed, one of `Phase`.
        reason: why it does not run, in one sentence.
        version: of its distribution.
        declared: what its hooks returned, by hook.
        life_cycle: its hooks that are called when something happens to it, by name.
        seconds: that its import and registration took.
    """

    id: str
    package: str
    folder: Path
    manifest: Manifest | None
    state: State = State.ACTIVE
    phase: str | None = None
    reason: str | None = None
    version: str = ""
    declared: dict[str, list[Any]] = field(default_factory=dict)
    life_cycle: dict[str, Callable[..., None]] = field(default_factory=dict)
    seconds: float = 0.0

    def fail(self, phase: str, reason: str) -> None:
        """Take the plugin out, with the phase and the reason."""
        self.state, self.phase, self.reason = State.FAILED, phase, reason
        self.declared, self.life_cycle = {}, {}
        log.error("plugin failed", extra={"plugin": self.id, "phase": phase, "reason": reason})


class PluginHost:
    """Every plugin of the process, and what the active ones declared."""

    def __init__(self, plugins: Sequence[Plugin]) -> None:
        """Keep the plugins in dependency order."""
        self.plugins = tuple(plugins)
        self.outages: Outages = {}

    @property
    def active(self) -> Iterator[Plugin]:
        """Iterate over plugins that run, in dependency order."""
        return (plugin for plugin in self.plugins if plugin.state is State.ACTIVE)

    def state_of(self, plugin: Plugin) -> tuple[State, str | None, str | None]:
        """Return the present state of a plugin, where it failed and why."""
        outage = self.outages.get(plugin.id) if plugin.state is State.ACTIVE else None
        return (outage.state, outage.phase, outage.reason) if outage else (plugin.state, plugin.phase, plugin.reason)

    def declared(self, hook: str) -> Iterator[tuple[Plugin, Any]]:
        """Iterate over everything that active plugins returned from `hook`."""
        return ((plugin, item) for plugin in self.active for item in plugin.declared.get(hook, ()))

    @cached_property
    def gate(self) -> Gate:
        """The gate over the active plugins."""
        return Gate({plugin.id: plugin.manifest for plugin in self.active if plugin.manifest}, self.outages)

    @cached_property
    def roles(self) -> RolePermissions:
        """The permissions of each role."""
        return RolePermissions.of(permission for _, permission in self.declared("register_permissions"))

    @cached_property
    def catalogue(self) -> EventCatalogue:
        """Every event type, described."""
        return EventCatalogue((plugin.id, event) for plugin, event in self.declared("register_events"))

    @cached_property
    def organization_settings(self) -> OrganizationSettings:
        """What organisations can set: the core's keys, and those of each plugin under its id."""
        top, below = [], {}
        for plugin in self.active:
            schemas = plugin.declared["register_organization_settings"]
            if plugin.id in BUILT_IN:
                top += schemas
            else:
                below[plugin.id] = schemas
        return OrganizationSettings(top, below)

    @cached_property
    def event_types(self) -> dict[str, type[Event]]:
        """Declared events by their type."""
        return {event.type: event for _, event in self.declared("register_events")}
