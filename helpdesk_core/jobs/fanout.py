"""Making deliveries: one row for each handler of an event, in the transaction that marks the event as passed on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from helpdesk_core.database import Database, commit
from helpdesk_core.events import EVERY, OutboxEvent
from helpdesk_core.jobs.queue import add_jobs
from helpdesk_core.jobs.registry import Enabled, Registered
from helpdesk_core.tenancy import set_organization, set_unscoped

BATCH = 200
_ONE_AT_A_TIME = text("SELECT pg_try_advisory_xact_lock(hashtext('helpdesk deliveries'))")
"""On PostgreSQL two workers could store the deliveries of one aggregate in the wrong order."""


@dataclass(frozen=True, slots=True)
class _Due:
    id: int
    organization_id: int
    type: str
    aggregate: str
    payload: str
    version: int


def pass_on(database: Database, handlers: Mapping[str, Sequence[Registered]], enabled: Enabled, now: datetime) -> int:
    """Make the deliveries of the oldest events that have none yet, and return how many events those were."""
    with database.session(writes=False) as session:
        set_unscoped(session)
        due = _due(session)
    if not due:
        return 0
    wanted = _wanted(database, handlers, enabled, due)
    with database.session(writes=True) as session:
        set_unscoped(session)
        if database.kind == "postgresql" and not session.scalar(_ONE_AT_A_TIME):
            return 0
        left = {each.id for each in _due(session)}  # others may have been here since
        passed = [each for each in due if each.id in left]
        rows = [row for each in passed for row in _deliveries(each, wanted[each.organization_id, each.type], now)]
        if rows:
            add_jobs.run(session, *rows)
        done = update(OutboxEvent).where(OutboxEvent.id.in_([each.id for each in passed])).values(due_at=None)
        session.execute(done.execution_options(synchronize_session=False))
        commit(session)
    return len(passed)


_COLUMNS = (
    OutboxEvent.id,
    OutboxEvent.organization_id,
    OutboxEvent.type,
    OutboxEvent.aggregate,
    OutboxEvent.payload,
    OutboxEvent.version,
)


def _due(session: Session) -> list[_Due]:
    found = select(*_COLUMNS).where(OutboxEvent.due_at.is_not(None)).order_by(OutboxEvent.id).limit(BATCH)
    return [_Due(*row) for row in session.execute(found)]


def _wanted(
    database: Database, handlers: Mapping[str, Sequence[Registered]], enabled: Enabled, due: Iterable[_Due]
) -> dict[tuple[int, str], list[Registered]]:
    """Return who wants each type in each organisation: those whose plugin is on, and who ask for it."""
    types: dict[int, set[str]] = {}
    for each in due:
        types.setdefault(each.organization_id, set()).add(each.type)
    found = {}
    for organization_id, wanted in types.items():
        with database.session(writes=False) as session:
            set_organization(session, organization_id)
            for event_type in wanted:
                candidates = (*handlers.get(event_type, ()), *handlers.get(EVERY, ()))
                found[organization_id, event_type] = [
                    each for each in candidates if enabled(session, each.plugin) and each.asks_for(session, event_type)
                ]
    return found


def _deliveries(event: _Due, handlers: Iterable[Registered], now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "organization_id": event.organization_id,
            "name": each.name,
            "event_id": event.id,
            "order_key": f"{each.name}|{event.organization_id}|{event.aggregate}" if event.aggregate else "",
            "due_at": now,
            "created_at": now,
        }
        for each in handlers
        if each.has_to_do(event.payload, event.version)
    ]
