"""Tables of webhooks with what is delivered to them, and of API integrations with the log of their calls."""

from helpdesk_integrations.models.apis import ApiIntegration, Call, Consent, Credential
from helpdesk_integrations.models.base import Base
from helpdesk_integrations.models.deliveries import STATES, Attempt, Delivery, Message
from helpdesk_integrations.models.webhooks import Webhook

__all__ = [
    "STATES",
    "ApiIntegration",
    "Attempt",
    "Base",
    "Call",
    "Consent",
    "Credential",
    "Delivery",
    "Message",
    "Webhook",
]
