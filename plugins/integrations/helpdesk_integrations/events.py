"""What this plugin tells others: keys and words, no addresses and no secrets."""

from collections.abc import Mapping
from typing import ClassVar

from helpdesk_core.api import Event


class WebhookEvent(Event):
    """Something happened to a webhook."""

    about: ClassVar[Mapping[str, str]] = {"webhook": "webhook_id"}

    webhook_id: int
    """Key of the webhook."""
    name: str
    """What it is called."""


class WebhookCreated(WebhookEvent):
    """A webhook was added."""

    type: ClassVar[str] = "webhook.created"


class WebhookUpdated(WebhookEvent):
    """A webhook was changed, switched on or switched off."""

    type: ClassVar[str] = "webhook.updated"

    fields: tuple[str, ...]
    """Names of the fields that changed."""


class WebhookSecretRotated(WebhookEvent):
    """A webhook got another secret."""

    type: ClassVar[str] = "webhook.secret_rotated"

    overlap_seconds: int
    """How long the one of before signs as well."""


class WebhookDisabled(WebhookEvent):
    """A webhook was switched off by itself, because its receiver wants nothing more or does not answer."""

    type: ClassVar[str] = "webhook.disabled"

    reason: str
    """In a sentence."""


class WebhookDeleted(WebhookEvent):
    """A webhook was removed, with the log of its deliveries."""

    type: ClassVar[str] = "webhook.deleted"


class ApiIntegrationEvent(Event):
    """Something happened to an API integration."""

    about: ClassVar[Mapping[str, str]] = {"api_integration": "api_integration_id"}

    api_integration_id: int
    """Key of the integration."""
    name: str
    """What it is called."""


class ApiIntegrationCreated(ApiIntegrationEvent):
    """An API integration was added."""

    type: ClassVar[str] = "api_integration.created"


class ApiIntegrationUpdated(ApiIntegrationEvent):
    """An API integration was changed, switched on or switched off."""

    type: ClassVar[str] = "api_integration.updated"

    fields: tuple[str, ...]
    """Names of the fields that changed."""


class ApiIntegrationCredentialsChanged(ApiIntegrationEvent):
    """An API integration got other credentials, was authorised, or lost them."""

    type: ClassVar[str] = "api_integration.credentials_changed"

    kind: str | None
    """`api_key`, `basic`, `bearer` or `oauth2`; none if it has no credentials now."""


class ApiIntegrationDeleted(ApiIntegrationEvent):
    """An API integration was removed, with the log of its calls."""

    type: ClassVar[str] = "api_integration.deleted"


ALL = (
    WebhookCreated,
    WebhookUpdated,
    WebhookSecretRotated,
    WebhookDisabled,
    WebhookDeleted,
    ApiIntegrationCreated,
    ApiIntegrationUpdated,
    ApiIntegrationCredentialsChanged,
    ApiIntegrationDeleted,
)
