"""`/integration-platform/webhooks/{webhook_id}/deliveries/`, and what sends again."""

from helpdesk_core.api import Context, Dialect, Invalid, Key, NotFound, Outbound, Page, Router, Vault
from helpdesk_integrations import jobs
from helpdesk_integrations.models import Delivery, Webhook
from helpdesk_integrations.permissions import MANAGE_WEBHOOKS, VIEW_WEBHOOKS
from helpdesk_integrations.queries.deliveries import deliveries, delivery_details
from helpdesk_integrations.queries.webhooks import webhooks
from helpdesk_integrations.schemas.webhooks import (
    DeliveryDetail,
    DeliveryFilters,
    DeliveryRead,
    Replay,
    ReplayQueued,
)
from helpdesk_integrations.service import deliveries as service
from helpdesk_integrations.service.sending import Letter, Outcome, send_letter

Sent = tuple[Letter, dict[str, str], Outcome]
router = Router("integration-platform", tag="Webhooks", document=Dialect.COMPREHENSIVE)


@router.get("/webhooks/{webhook_id}/deliveries/", permission=VIEW_WEBHOOKS, limit="webhooks")
def list_deliveries(ctx: Context, webhook_id: Key, query: DeliveryFilters) -> Page[DeliveryRead]:
    """What was sent to a webhook, newest first."""
    webhooks.find_one(ctx.session, ctx.viewer, webhooks.key, webhook_id)
    return ctx.page(deliveries, query, webhook=webhook_id)


@router.get("/webhooks/{webhook_id}/deliveries/{delivery_id}/", permission=VIEW_WEBHOOKS, limit="webhooks")
def retrieve_delivery(ctx: Context, webhook_id: Key, delivery_id: Key) -> DeliveryDetail:
    """One delivery: what was sent, and every try with what was answered."""
    delivery = ctx.session.get(Delivery, delivery_id)
    if delivery is None or delivery.webhook_id != webhook_id:
        raise NotFound
    return ctx.one(delivery_details, delivery_id)


@router.post("/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver/", permission=MANAGE_WEBHOOKS, limit="webhooks")
def redeliver(ctx: Context, webhook_id: Key, delivery_id: Key) -> DeliveryDetail:
    """Send a delivery again, with the same `webhook-id`, and all tries anew if it fails."""
    jobs.queue(ctx.session, service.requeue_delivery(ctx.session, webhook_id, delivery_id))
    return ctx.one(delivery_details, delivery_id)


@router.post("/webhooks/{webhook_id}/replay/", permission=MANAGE_WEBHOOKS, status=202, limit="webhooks")
def replay(ctx: Context, webhook_id: Key, body: Replay) -> ReplayQueued:
    """Send everything of a period again that was given up, or that arrived."""
    since, until = body.since, body.until or ctx.now
    if until < since:
        raise Invalid.field("until", "This is before the beginning.")
    found = service.begin_replay(ctx.session, webhook_id, since, until, body.states)
    jobs.queue_replay(ctx.session, webhook_id, since, until, body.states)
    return ReplayQueued(message="The deliveries are being made again.", deliveries=found)


def send_test(ctx: Context, webhook_id: Key) -> Sent:
    """Send a test; no transaction is open meanwhile."""
    key = webhooks.find_one(ctx.session, ctx.viewer, webhooks.key, webhook_id)
    letter = service.trial_letter(ctx.session.get_one(Webhook, key), ctx.now, ctx.services.get(Vault))
    ctx.session.rollback()
    headers = letter.headers(ctx.now)
    return letter, headers, send_letter(ctx.services.get(Outbound), letter, headers)


@router.post("/webhooks/{webhook_id}/test/", permission=MANAGE_WEBHOOKS, slow=True, prepare=send_test, limit="webhooks")
def test_webhook(ctx: Context, webhook_id: Key, prepared: Sent) -> DeliveryDetail:
    """Send a signed `webhook.test`, also to a webhook that is switched off, and tell what was answered."""
    delivery = service.record_test(ctx.session, webhook_id, *prepared)
    return ctx.one(delivery_details, delivery.id)
