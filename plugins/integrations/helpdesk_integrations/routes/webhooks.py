"""`/integration-platform/webhooks/`"""

from typing import Any, cast

from helpdesk_core.api import (
    Context,
    Dialect,
    EventCatalogue,
    Invalid,
    Key,
    Outbound,
    Page,
    Router,
    Unresolved,
    UnsafeUrl,
    Vault,
)
from helpdesk_integrations.permissions import MANAGE_WEBHOOKS, VIEW_WEBHOOKS
from helpdesk_integrations.queries.webhooks import webhooks
from helpdesk_integrations.schemas.webhooks import (
    EventRead,
    SecretRotation,
    WebhookCreate,
    WebhookDetails,
    WebhookFilters,
    WebhookRead,
    WebhookUpdate,
)
from helpdesk_integrations.service import webhooks as service
from helpdesk_integrations.service.messages import example_of

router = Router("integration-platform", tag="Webhooks", document=Dialect.COMPREHENSIVE)


def refuse_unsafe(ctx: Context, field: str, url: str | None) -> None:
    """Refuse a URL that would not be called now; looking up its host may take a moment."""
    if not url:
        return
    try:
        ctx.services.get(Outbound).check(url)
    except Unresolved:
        return  # perhaps it is only known later, or to others; each request looks again
    except UnsafeUrl as unsafe:
        raise Invalid.field(field, unsafe.reason) from None


def check_url(ctx: Context, body: WebhookCreate, **_: Any) -> None:
    """Do before a transaction is open what talks to name servers."""
    refuse_unsafe(ctx, "url", body.url)


@router.get("/webhooks/", permission=VIEW_WEBHOOKS, include=WebhookDetails, limit="webhooks")
def list_webhooks(ctx: Context, query: WebhookFilters) -> Page[WebhookRead]:
    """Webhooks, newest first."""
    return ctx.page(webhooks, query)


@router.post(
    "/webhooks/", permission=MANAGE_WEBHOOKS, status=201, reveals=True, slow=True, prepare=check_url, limit="webhooks"
)
def create_webhook(ctx: Context, body: WebhookCreate, prepared: None) -> WebhookRead:  # noqa: ARG001 - addresses were checked
    """Add a webhook. Its secret is in this answer in full, and masked ever after."""
    vault, catalogue = ctx.services.get(Vault), ctx.services.get(EventCatalogue)
    webhook, secret = service.create_webhook(ctx.session, ctx.actor, body, vault=vault, catalogue=catalogue)
    return _with_secret(ctx, webhook.id, secret)


@router.get("/webhooks/events/", permission=VIEW_WEBHOOKS, limit="webhooks")
def list_webhook_events(ctx: Context) -> Page[EventRead]:
    """Every event that webhooks can be told of, with the schema of its payload and an example of a request."""
    described = [
        {
            "type": each.type,
            "version": each.version,
            "plugin": each.plugin,
            "description": each.description,
            "schema": each.schema,
            "sample": example_of(each),
        }
        for each in ctx.services.get(EventCatalogue).all
    ]
    return Page.model_construct(
        count=len(described), next=None, previous=None, results=cast("list[EventRead]", described)
    )


@router.get("/webhooks/{webhook_id}/", permission=VIEW_WEBHOOKS, include=WebhookDetails, limit="webhooks")
def retrieve_webhook(ctx: Context, webhook_id: Key) -> WebhookRead:
    """One webhook."""
    return ctx.one(webhooks, webhook_id)


@router.put(
    "/webhooks/{webhook_id}/", permission=MANAGE_WEBHOOKS, include=WebhookDetails, slow=True, prepare=check_url,
    limit="webhooks",
)  # fmt: skip
def update_webhook(ctx: Context, webhook_id: Key, body: WebhookUpdate, prepared: None) -> WebhookRead:  # noqa: ARG001 - addresses were checked
    """Change a webhook. The masked secret that was read, sent back, changes nothing."""
    vault, catalogue = ctx.services.get(Vault), ctx.services.get(EventCatalogue)
    service.update_webhook(ctx.session, webhook_id, body, vault=vault, catalogue=catalogue)
    return ctx.one(webhooks, webhook_id)


@router.delete("/webhooks/{webhook_id}/", permission=MANAGE_WEBHOOKS, limit="webhooks")
def delete_webhook(ctx: Context, webhook_id: Key) -> None:
    """Remove a webhook with the log of its deliveries."""
    service.delete_webhook(ctx.session, webhook_id)


@router.post("/webhooks/{webhook_id}/activate/", permission=MANAGE_WEBHOOKS, limit="webhooks")
def activate_webhook(ctx: Context, webhook_id: Key) -> WebhookRead:
    """Switch a webhook on; failures of before are forgotten."""
    service.switch_webhook(ctx.session, webhook_id, active=True)
    return ctx.one(webhooks, webhook_id)


@router.post("/webhooks/{webhook_id}/deactivate/", permission=MANAGE_WEBHOOKS, limit="webhooks")
def deactivate_webhook(ctx: Context, webhook_id: Key) -> WebhookRead:
    """Switch a webhook off: nothing more is queued for it, and what is queued is given up when its turn comes."""
    service.switch_webhook(ctx.session, webhook_id, active=False)
    return ctx.one(webhooks, webhook_id)


@router.post("/webhooks/{webhook_id}/rotate-secret/", permission=MANAGE_WEBHOOKS, reveals=True, limit="webhooks")
def rotate_webhook_secret(ctx: Context, webhook_id: Key, body: SecretRotation) -> WebhookRead:
    """Give a webhook another secret, shown this once; until the overlap ends, the one of before signs as well."""
    secret = service.rotate_secret(ctx.session, webhook_id, body, vault=ctx.services.get(Vault))
    return _with_secret(ctx, webhook_id, secret)


def _with_secret(ctx: Context, webhook_id: int, secret: str) -> WebhookRead:
    shown: dict[str, Any] = webhooks.load_one(ctx.session, ctx.viewer, webhook_id).data
    return cast("WebhookRead", {**shown, "secret": secret})
