"""What the core does on a schedule."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from helpdesk_core.events import ForgottenEvents, OutboxEvent
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
        named = gone.returning(OutboxEvent.organization_id, OutboxEvent.tx, OutboxEvent.id)
        found = ctx.session.execute(named.execution_options(synchronize_session=False)).all()
        if found:
            _note_forgotten(ctx.session, found)
            ctx.again(ctx.now, "there may be more")  # in a transaction of its own: others want to write, too
            return
        after = old[-1]


_REFERRED_TO = exists().where(StoredJob.event_id == OutboxEvent.id)


def _old(session: Session, before: datetime, after: int) -> list[int]:
    """Return the keys of the next events that are old, nothing once a batch has none: keys go up with time."""
    following = select(OutboxEvent.id, OutboxEvent.created_at).where(OutboxEvent.id > after)
    rows = session.execute(following.order_by(OutboxEvent.id).limit(BATCH))
    return [key for key, created_at in rows if created_at < before]


def _note_forgotten(session: Session, gone: Iterable[Any]) -> None:
    """Note up to where events of each organisation are gone, for those who follow them."""
    newest = {organization_id: (tx, key) for organization_id, tx, key in sorted(map(tuple, gone))}
    noted = {row.organization_id: row for row in session.scalars(select(ForgottenEvents))}
    for organization_id, (tx, key) in newest.items():
        row = noted.get(organization_id)
        if row is None:
            session.add(ForgottenEvents(organization_id=organization_id, tx=tx, event_id=key))
        elif (row.tx, row.event_id) < (tx, key):
            row.tx, row.event_id = tx, key
    session.flush()


ALL = (forget_events,)
