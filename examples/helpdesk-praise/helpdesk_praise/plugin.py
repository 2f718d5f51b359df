"""Lets automations praise whoever a ticket is assigned to: an action more, by a hook that `workflow` declares."""

from typing import Any

from helpdesk_core.api import Line, NotificationKind, Schema, hookimpl, notify
from helpdesk_tickets.api import Ticket

GIVEN = NotificationKind(
    "praise_given",
    title="Somebody praises you",
    subject="Well done: {subject}",
    text="{words}",
    variables=("subject", "words"),
)


class Words(Schema):
    """What an automation says."""

    words: Line = "Thank you!"


class Praise:
    """The action, `{"type": "praise", "parameters": {"words": "..."}}`."""

    name = "praise"
    title = "Praise whoever the ticket is assigned to"
    parameters = Words
    changes_ticket = False

    def run(self, context: Any, parameters: Words) -> dict[str, Any]:
        """Tell them, once for each run of the automation."""
        ticket = context.session.get_one(Ticket, context.ticket_id)
        values = {"subject": ticket.subject, "words": parameters.words}
        notify(context.session, [ticket.assigned_agent_id], GIVEN.name, key=context.key, values=values)
        return {"praised": ticket.assigned_agent_id}


@hookimpl
def register_notification_kinds() -> list[NotificationKind]:
    """Return what people are told."""
    return [GIVEN]


@hookimpl(optionalhook=True)
def register_automation_actions() -> list[Praise]:
    """Return the action; the hook is not the core's, but declared by `workflow`."""
    return [Praise()]
