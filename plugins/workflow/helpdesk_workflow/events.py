"""What this plugin tells others."""

from collections.abc import Mapping
from typing import ClassVar

from helpdesk_core.api import Event


class AutomationEvent(Event):
    """Something happened to an automation."""

    about: ClassVar[Mapping[str, str]] = {"automation": "automation_id"}

    automation_id: int
    """The automation."""
    name: str
    """What it is called."""


class AutomationCreated(AutomationEvent):
    """An automation was made."""

    type: ClassVar[str] = "automation.created"


class AutomationUpdated(AutomationEvent):
    """An automation was changed, switched on or off, or restored to what it was."""

    type: ClassVar[str] = "automation.updated"

    is_active: bool
    """Whether it runs from now on."""
    automation_version: int
    """Number of what it is now."""


class AutomationDeleted(AutomationEvent):
    """An automation was removed; the log of what it did stays."""

    type: ClassVar[str] = "automation.deleted"


class AutomationDisabled(AutomationEvent):
    """An automation was switched off because it failed again and again."""

    type: ClassVar[str] = "automation.disabled"

    failures: int
    """How often in a row."""


ALL = (AutomationCreated, AutomationUpdated, AutomationDeleted, AutomationDisabled)
