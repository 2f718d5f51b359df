"""Refusals of the business."""

from collections.abc import Sequence

from helpdesk_core.api import FieldError, Unprocessable


class AutomationLoop(Unprocessable):
    """These automations would trigger each other without end."""

    code = "AUTOMATION_LOOP"

    def __init__(self, names: Sequence[str], keys: Sequence[int | None]) -> None:
        """Name them, in the order in which they would run."""
        circle = " → ".join([*names, names[0]])
        message = f"These automations would trigger each other without end: {circle}."
        details = {"automations": [{"id": key, "name": name} for key, name in zip(keys, names, strict=True)]}
        super().__init__(message, details=details, errors=[FieldError("actions", message)])


class TicketNeeded(Unprocessable):
    """This automation is about a ticket; name one."""
