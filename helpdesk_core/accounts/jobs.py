"""What the core does on a schedule."""

from datetime import timedelta

from sqlalchemy import delete, exists, select

from helpdesk_core.events import OutboxEvent
from helpdesk_core.jobs import JobContext, StoredJob, job
from helpdesk_core.settings import Settings

BATCH = 5000
"""Events that one run removes at most, so that nobody who writes waits for it."""


@job(schedule="17 * * * *", per="installation", timeout=timedelta(minutes=5))
def forget_events(ctx: JobContext) -> None:
    """Remove events that are older than the installation keeps them, and that no job refers to any more."""
    before = ctx.now - timedelta(days=ctx.get(Settings).event_days)
    oldest = (
        select(OutboxEvent.id)
        .where(
            OutboxEvent.created_at < before,
            OutboxEvent.due_at.is_(None),
            ~exists().where(StoredJob.event_id == OutboxEvent.id),
        )
        .order_by(OutboxEvent.id)
        .limit(BATCH)
    )
    keys = ctx.session.scalars(oldest).all()
    ctx.session.execute(
        delete(OutboxEvent).where(OutboxEvent.id.in_(keys)).execution_options(synchronize_session=False)
    )
    if len(keys) == BATCH:
        ctx.again(ctx.now, "there are more")


ALL = (forget_events,)
