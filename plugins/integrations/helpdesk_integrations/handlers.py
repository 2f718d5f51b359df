"""Telling webhooks of everything that happens."""

from sqlalchemy.orm import Session

from helpdesk_core.api import Event, HandlerContext, Resources, on
from helpdesk_integrations import jobs
from helpdesk_integrations.public import PublicUrl
from helpdesk_integrations.queries.webhooks import wanting
from helpdesk_integrations.service.deliveries import fan_out
from helpdesk_integrations.service.messages import message_of


def wanted(session: Session, event_type: str) -> bool:
    """Tell whether any webhook wants events of a type."""
    return bool(wanting(session, event_type))


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
