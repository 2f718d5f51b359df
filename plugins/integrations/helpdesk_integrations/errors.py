"""What is refused here."""

from helpdesk_core.api import Conflict, Unprocessable


class TooManyWebhooks(Conflict):
    """An organization can have at most 100 webhooks."""


class WebhookInactive(Conflict):
    """The webhook is switched off. Activate it first."""


class DeliveryPending(Conflict):
    """This delivery is still on its way."""


class TooManyIntegrations(Conflict):
    """An organization can have at most 100 API integrations."""


class IntegrationInactive(Conflict):
    """The integration is switched off. Activate it first."""


class CircuitOpen(Conflict):
    """The other system failed several times in a row; calls pause for a moment."""


class NoCredentials(Conflict):
    """The integration has no credentials that can be used for this."""


class NotAuthorized(Conflict):
    """Nobody has given consent at the other system yet, or it has run out. Authorize the integration first."""


class NoAnswer(Unprocessable):
    """The other system did not answer."""

    code = "NO_ANSWER"
    keeps_writes = True


class UnreadableDocument(Unprocessable):
    """The API's document could not be read."""

    code = "UNREADABLE_DOCUMENT"


class TokenNotRenewed(Conflict):
    """The other system gave no token."""
