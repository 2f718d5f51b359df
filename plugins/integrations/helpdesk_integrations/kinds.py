"""What people are told."""

from helpdesk_core.api import NotificationKind, Wording

DISABLED = NotificationKind(
    name="webhook_disabled",
    title="A webhook was switched off",
    subject="The webhook {webhook_name} was switched off",
    text="{reason}\n\nIt stays off until somebody activates it again. What was not delivered can be replayed then.",
    variables=("webhook_name", "reason"),
    translations={
        "de": Wording(
            title="Ein Webhook wurde abgeschaltet",
            subject="Der Webhook {webhook_name} wurde abgeschaltet",
            text="{reason}\n\nEr bleibt aus, bis ihn jemand wieder einschaltet. "
            "Was nicht ankam, kann dann nachgeholt werden.",
        )
    },
)

ALL = (DISABLED,)
