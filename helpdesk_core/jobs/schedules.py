"""Schedules: whoever moves a schedule's slot on enqueues its jobs, in the same transaction."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core.database import Database, commit
from helpdesk_core.events import Bus, attribute_session
from helpdesk_core.jobs.declared import Job, last_slot
from helpdesk_core.jobs.queue import ScheduleSlot, add_unless_stored
from helpdesk_core.jobs.registry import Registered, Registry, Tenants
from helpdesk_core.statements import upsert
from helpdesk_core.tenancy import set_organization, set_unscoped


def enqueue_due(database: Database, registry: Registry, bus: Bus, tenants: Tenants) -> None:
    """Enqueue every scheduled job whose time has come since it was last enqueued.

    Times that were missed, because no worker ran, count as one. A run that still waits is not joined by another.
    """
    now = bus.clock.now()
    scheduled = [each for each in registry.by_name.values() if isinstance(each.what, Job) and each.what.schedule]
    with database.session(writes=False) as session:
        set_unscoped(session)
        slots = {row.name: row.slot for row in session.scalars(select(ScheduleSlot))}
    for each in scheduled:
        slot = last_slot(each.what.schedule, now)  # type: ignore[union-attr]
        if each.name not in slots or slots[each.name] < slot:
            _enqueue(database, each, slot, bus, tenants)


def _enqueue(database: Database, scheduled: Registered, slot: datetime, bus: Bus, tenants: Tenants) -> None:
    what: Any = scheduled.what
    owners = [None] if what.per == "installation" else _organizations(database, scheduled.plugin, tenants)
    with database.session(writes=True) as session:
        set_unscoped(session)
        attribute_session(session, bus, None)
        if not _move_on(session, scheduled.name, slot):
            return
        rows = [_row(what, owner, bus.clock.now()) for owner in owners]
        if rows:
            add_unless_stored.run(session, *rows)
        commit(session)


def _organizations(database: Database, plugin: str, tenants: Tenants) -> list[int]:
    with database.session(writes=False) as session:
        set_unscoped(session)
        active = tenants.active(session)
    return [key for key in active if _has_on(database, key, plugin, tenants)]


def _has_on(database: Database, organization_id: int, plugin: str, tenants: Tenants) -> bool:
    with database.session(writes=False) as session:
        set_organization(session, organization_id)
        return tenants.enabled(session, plugin)


def _move_on(session: Session, name: str, slot: datetime) -> bool:
    """Move the slot of a schedule on; tell whether it was this call that did."""
    insert = upsert(session.info["database"], ScheduleSlot).values(name=name, slot=slot)
    moved = insert.on_conflict_do_update(
        index_elements=["name"], set_={"slot": slot}, where=ScheduleSlot.slot < slot
    ).returning(ScheduleSlot.__table__.c.name)
    return session.connection().execute(moved).first() is not None


def _row(what: Job, organization_id: int | None, now: datetime) -> dict[str, Any]:
    return {
        "organization_id": organization_id,
        "name": what.name,
        "arguments": "{}",
        "once_key": f"{what.name}|schedule|{organization_id or ''}",
        "slow": what.slow,
        "due_at": now,
        "created_at": now,
    }
