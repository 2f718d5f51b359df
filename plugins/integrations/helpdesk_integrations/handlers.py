"""Telling webhooks of everything that happens."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from helpdesk_core.api import Event, HandlerContext, Resources, User, notify, on
from helpdesk_integrations import jobs
from helpdesk_integrations.events import WebhookDisabled
from helpdesk_integrations.kinds import DISABLED
from helpdesk_integrations.models import Webhook
from helpdesk_integrations.permissions import VIEW_WEBHOOKS
from helpdesk_integrations.public import PublicUrl
from helpdesk_integrations.queries.webhooks import any_active, wanting
from helpdesk_integrations.service.deliveries import fan_out
from helpdesk_integrations.service.messages import message_of


def wanted(session: Session, event_type: str) -> bool:
    """Tell whether any webhook wants events of a type."""
    return any_active(session) and bool(wanting(session, event_type))


@on(Event, when=wanted)
def tell_webhooks(ctx: HandlerContext, event: Event) -> None:
    """Make one delivery for each webhook that wants to know."""
    webhooks = wanting(ctx.session, event.type)
    if not webhooks:
        return
    resources, public = ctx.get(Resources), ctx.get(PublicUrl)
    message = message_of(ctx.session, ctx.happened, event, resources=resources, public=public)
    if message is None:
        return
    for delivery in fan_out(ctx.session, message, webhooks):
        jobs.queue(ctx.session, delivery)


@on(WebhookDisabled)
def tell_administrators(ctx: HandlerContext, event: WebhookDisabled) -> None:
    """Tell administrators, and whoever made the webhook if they may still see it, that it was switched off."""
    maker = select(Webhook.created_by_id).where(Webhook.id == event.webhook_id).scalar_subquery()
    people = ctx.session.scalars(select(User.id).where(or_(User.role == "admin", User.id == maker))).all()
    notify(
        ctx.session,
        people,
        DISABLED.name,
        key=f"event {ctx.event_id}",
        about=f"webhook:{event.webhook_id}",
        values={"webhook_name": event.name, "reason": event.reason},
        link=f"/api/v1/integration-platform/webhooks/{event.webhook_id}/",
        needs=VIEW_WEBHOOKS,
    )
