"""What the core does on a schedule."""

from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from helpdesk_core.events import OutboxEvent
from helpdesk_core.jobs import JobContext, StoredJob, job
from helpdesk_core.settings import Settings

BATCH = 5000
"""Events that one run removes at most, so that nobody who writes waits for it."""


@job(schedule="17 * * * *", per="installation", timeout=timedelta(minutes=5))
def forget_events(ctx: JobContext) -> None:
    """Remove events that are older than the installation keeps them, and that no job refers to any more."""
    before = ctx.now - timedelta(days=ctx.get(Settings).event_days)
    after = 0
    while old := _old(ctx.session, before, after):
        gone = delete(OutboxEvent).where(OutboxEvent.id.in_(old), OutboxEvent.due_at.is_(None), ~_REFERRED_TO)
        found = ctx.session.execute(gone.returning(OutboxEvent.id).execution_options(synchronize_session=False))
        if found.first():
            ctx.again(ctx.now, "there may be more")  # in a transaction of its own: others want to write, too
            return
        after = old[-1]


_REFERRED_TO = exists().where(StoredJob.event_id == OutboxEvent.id)


def _old(session: Session, before: datetime, after: int) -> list[int]:
    """Return the keys of the next events that are old, nothing once a batch has none: keys go up with time."""
    following = select(OutboxEvent.id, OutboxEvent.created_at).where(OutboxEvent.id > after)
    rows = session.execute(following.order_by(OutboxEvent.id).limit(BATCH))
    return [key for key, created_at in rows if created_at < before]


ALL = (forget_events,)
