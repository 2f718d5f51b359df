"""What others can follow of this plugin."""

from helpdesk_core.api import Resource
from helpdesk_integrations.permissions import VIEW_APIS, VIEW_WEBHOOKS
from helpdesk_integrations.queries.apis import apis
from helpdesk_integrations.queries.webhooks import webhooks

ALL = (
    Resource("webhook", webhooks, VIEW_WEBHOOKS, path="/integration-platform/webhooks/{id}/"),
    Resource("api_integration", apis, VIEW_APIS, path="/integration-platform/api-integrations/{id}/"),
)
