"""What this plugin tells others."""

from typing import ClassVar

from helpdesk_core.api import Event


class AutomationEvent(Event):
    """Something happened to an automation.

    Attributes:
        automation_id: key of the automation.
        name: what it is called.
    """

    automation_id: int
    name: str


class AutomationCreated(AutomationEvent):
    """An automation was made."""

    type: ClassVar[str] = "automation.created"


class AutomationUpdated(AutomationEvent):
    """An automation was changed, switched on or off, or restored to what it was.

    Attributes:
        is_active: whether it runs from now on.
        automation_version: number of what it is now.
    """

    type: ClassVar[str] = "automation.updated"

    is_active: bool
    automation_version: int


class AutomationDeleted(AutomationEvent):
    """An automation was removed."""

    type: ClassVar[str] = "automation.deleted"


class AutomationDisabled(AutomationEvent):
    """An automation was switched off because it failed again and again.

    Attributes:
        failures: how often in a row.
    """

    type: ClassVar[str] = "automation.disabled"

    failures: int


ALL = (AutomationCreated, AutomationUpdated, AutomationDeleted, AutomationDisabled)
