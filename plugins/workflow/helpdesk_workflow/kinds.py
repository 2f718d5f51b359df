"""What this plugin tells people."""

from helpdesk_core.api import NotificationKind, Wording

ESCALATED = NotificationKind(
    name="ticket_escalated",
    title="A ticket was escalated",
    subject="{ticket_number} was escalated: {ticket_subject}",
    text="The priority of {ticket_number}, {ticket_subject}, is {ticket_priority} now.",
    variables=(
        *("ticket_number", "ticket_subject", "ticket_status", "ticket_priority", "category", "due_date"),
        *("customer_name", "customer_email", "agent_name"),
    ),
    translations={
        "de": Wording(
            title="Ein Ticket wurde eskaliert",
            subject="{ticket_number} wurde eskaliert: {ticket_subject}",
            text="{ticket_number}, {ticket_subject}, hat jetzt die Priorität {ticket_priority}.",
        )
    },
)

DISABLED = NotificationKind(
    name="automation_disabled",
    title="An automation was switched off",
    subject="The automation {automation_name} was switched off",
    text="It failed {failures} times in a row, the last time because: {reason}\n\n"
    "It stays off until somebody activates it again.",
    variables=("automation_name", "failures", "reason"),
    translations={
        "de": Wording(
            title="Eine Automatisierung wurde abgeschaltet",
            subject="Die Automatisierung {automation_name} wurde abgeschaltet",
            text="Sie ist {failures} Mal hintereinander fehlgeschlagen, zuletzt weil: {reason}\n\n"
            "Sie bleibt aus, bis jemand sie wieder einschaltet.",
        )
    },
)

ALL = (ESCALATED, DISABLED)
