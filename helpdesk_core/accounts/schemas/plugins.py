"""Plugins as an organisation has them."""

from typing import Literal

from helpdesk_core.accounts.schemas.types import Tier
from helpdesk_core.schemas import Schema


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
    enabled: bool
    reason: Literal["tier_too_low", "switched_off", "requires_off"] | None
    """Why it is not on."""
