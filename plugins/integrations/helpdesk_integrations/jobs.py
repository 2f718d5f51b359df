"""What happens later: sending, sending again, forgetting what is old."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from helpdesk_core.api import Job, JobContext, Metrics, Outbound, Vault, api_time, enqueue, job, organization_settings
from helpdesk_integrations import metrics
from helpdesk_integrations.models import Delivery, Message
from helpdesk_integrations.service.calls import purge_calls
from helpdesk_integrations.service.deliveries import order_of, purge_deliveries, requeue_batch
from helpdesk_integrations.service.sending import Claim, Outcome, Wait, claim_delivery, send_letter, settle_delivery
from helpdesk_integrations.settings import IntegrationSettings


@job(slow=True, timeout=timedelta(seconds=60))
def send_webhook(ctx: JobContext, delivery_id: int) -> None:
    """Try one delivery, and come back when the next try is due."""
    with ctx.apart() as session:
        claim = claim_delivery(session, delivery_id, ctx.get(Vault))
    wait = claim if isinstance(claim, Wait) else None
    if isinstance(claim, Claim):
        outcome = send_letter(ctx.get(Outbound), claim.letter, claim.headers)
        _measure(ctx.get(Metrics), outcome)
        wait = settle_delivery(ctx.session, claim, outcome)
    if wait is not None:
        ctx.again(wait.until, wait.reason)


def _measure(counted: Metrics, outcome: Outcome) -> None:
    answered = "refused" if outcome.status is not None else "unreachable"
    counted.count(metrics.attempts, outcome="delivered" if outcome.arrived else answered)
    counted.observe(metrics.attempt_seconds, outcome.duration_ms / 1000)


@job()
def replay_deliveries(
    ctx: JobContext, webhook_id: int, since: str, until: str, *, states: list[str], after: int = 0
) -> None:
    """Make the next hundred deliveries of a period again, and leave the others to the next job."""
    period = datetime.fromisoformat(since), datetime.fromisoformat(until)
    batch = requeue_batch(ctx.session, webhook_id, *period, states=states, after=after)
    for delivery in batch:
        queue(ctx.session, delivery)
    if batch:
        queue_replay(ctx.session, webhook_id, *period, states, after=batch[-1].id)


@job(schedule="17 * * * *")
def forget_old_deliveries(ctx: JobContext) -> None:
    """Remove deliveries and calls that are older than the organisation keeps them, a thousand at a time."""
    days = organization_settings(ctx.session, "integrations", IntegrationSettings).log_days
    before = ctx.now - timedelta(days=days)
    if purge_deliveries(ctx.session, before) + purge_calls(ctx.session, before):
        ctx.again(ctx.now, "There may be more.")


ALL: Sequence[Job] = (send_webhook, replay_deliveries, forget_old_deliveries)


def queue(session: Session, delivery: Delivery) -> None:
    """Have a delivery tried, after those before it of the same thing to the same webhook."""
    message = session.get_one(Message, delivery.message_id)
    enqueue(session, send_webhook, order=order_of(delivery, message), delivery_id=delivery.id)


def queue_replay(
    session: Session, webhook_id: int, since: datetime, until: datetime, states: Sequence[str], *, after: int = 0
) -> None:
    """Have the deliveries of a period made again."""
    enqueue(
        session,
        replay_deliveries,
        webhook_id=webhook_id,
        since=api_time(since),
        until=api_time(until),
        states=list(states),
        after=after,
    )
