"""What can be read of webhooks, and which of them want an event."""

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from helpdesk_core.api import Column, Prepared, ReadModel, equals, words_in
from helpdesk_integrations.event_names import covers
from helpdesk_integrations.models import Webhook
from helpdesk_integrations.schemas.webhooks import WebhookDetails, WebhookRead

_CHANGING = ("delivery_count", "success_count", "failure_count", "last_delivery")
_ALSO_CHANGING = ("consecutive_failures", "failing_since", "resume_at")

webhooks = ReadModel(
    Webhook,
    schema=WebhookRead,
    optional=WebhookDetails,
    fields={
        "secret": Column(Webhook.secret_mask),
        "previous_secret_until": Column(Webhook.previous_until),
        # Every delivery moves these; whoever edits a webhook must not be told that it has changed.
        **{name: Column(getattr(Webhook, name), volatile=True) for name in (*_CHANGING, *_ALSO_CHANGING)},
    },
    filters={"is_active": equals(Webhook.is_active)},
    ordering={"created_at": Webhook.created_at, "updated_at": Webhook.updated_at, "name": Webhook.name},
    default_order="-created_at",
    search=words_in(Webhook.name, Webhook.url),
)


_ANY = Prepared(
    select(Webhook.id).where(Webhook.organization_id == bindparam("organization_id"), Webhook.is_active).limit(1)
)


def any_active(session: Session) -> bool:
    """Tell whether there is an active webhook; asked for every event there is, and much quicker than what they want."""
    return bool(_ANY.rows(session, {}))


def wanting(session: Session, event_type: str) -> list[int]:
    """Return the keys of the active webhooks that want events of a type."""
    active = session.execute(select(Webhook.id, Webhook.patterns).where(Webhook.is_active).order_by(Webhook.id))
    return [key for key, patterns in active if covers(patterns, event_type)]
