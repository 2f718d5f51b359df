"""Plugins as an organisation has them."""

from typing import Literal

from helpdesk_core.accounts.schemas.types import Tier
from helpdesk_core.schemas import Schema, UtcDateTime

PluginState = Literal[
    "discovered",
    "invalid",
    "incompatible",
    "blocked",
    "imported",
    "registered",
    "needs_migration",
    "active",
    "suspended",
    "failed",
]


class PluginRead(Schema):
    """A plugin of the installation, and whether the organisation has it on."""

    id: str
    name: str
    version: str
    required_tier: Tier
    """The lowest subscription tier that has it."""
    scope: Literal["organization", "system"]
    """Those of the `system` are always on."""
    requires: list[str]
    """Ids of the plugins that it needs."""
    state: PluginState
    """`active`, or why it answers nobody at present."""
    enabled: bool
    reason: Literal["tier_too_low", "switched_off", "requires_off"] | None
    """Why it is not on."""


class FaultRead(Schema):
    """What has failed in a plugin during the last week."""

    phase: Literal["request", "page", "event", "job", "command", "switch"]
    """What the plugin was doing."""
    times: int
    reason: str
    """The kind of the last error and where it was raised; the log has its message."""
    last_at: UtcDateTime


class InstalledPluginRead(Schema):
    """A plugin as the installation has it."""

    id: str
    name: str | None
    """Of its manifest, if that can be read."""
    version: str
    package: str
    state: PluginState
    phase: str | None
    """Where it failed."""
    reason: str | None
    """Why it is not active."""
    until: UtcDateTime | None
    """When a suspended plugin is tried again."""
    required_tier: Tier | None
    scope: Literal["organization", "system"] | None
    requires: list[str]
    prefixes: list[str]
    """First segments of its paths below `/api/v1/`."""
    start_milliseconds: float
    """What its import and registration took in the process that answers."""
    faults: list[FaultRead]
