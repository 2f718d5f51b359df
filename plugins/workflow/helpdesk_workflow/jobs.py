"""What automations do by the clock, and what is forgotten."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, delete, or_, select
from sqlalchemy.orm import Session

from helpdesk_core.api import JobContext, api_time, enqueue, job, last_slot
from helpdesk_tickets.api import Ticket
from helpdesk_workflow.calling import call, timed
from helpdesk_workflow.engine import Machine
from helpdesk_workflow.library import Compiled, Library
from helpdesk_workflow.log import settings_of
from helpdesk_workflow.models import Automation, Run
from helpdesk_workflow.triggers import NO_CHANGE, SCHEDULE
from helpdesk_workflow.waiting import continue_run

BATCH = 100
"""Tickets that one job looks at: it is one transaction."""
FORGOTTEN_AT_ONCE = 5_000


@job(schedule="* * * * *", per="organization")
def follow_schedules(ctx: JobContext) -> None:
    """Start the automations whose time has come; what was missed while nobody ran is made up for once."""
    with ctx.reading() as session:
        if not _timed(session, SCHEDULE):
            return
    machine = Machine(ctx.session, ctx.now, ctx.get)
    for automation in _active(machine, SCHEDULE):
        row = machine.session.get_one(Automation, automation.id)
        slot = last_slot(row.trigger["cron"], ctx.now)
        if row.slot_at is not None and slot <= row.slot_at:
            continue
        row.slot_at = slot
        machine.session.flush()
        enqueue(machine.session, run_schedule, automation_id=row.id, slot=api_time(slot))


@job()
def run_schedule(ctx: JobContext, automation_id: int, slot: str, after: str = "", after_id: int = 0) -> None:
    """Run an automation for its time: once, or for a batch of open tickets and then the next one."""
    machine = Machine(ctx.session, ctx.now, ctx.get)
    automation = next((each for each in _active(machine, SCHEDULE) if each.id == automation_id), None)
    if automation is None or automation.draft is None:
        return
    at = datetime.fromisoformat(slot)
    if not automation.draft.per_ticket:
        _call_once(machine, automation, timed(SCHEDULE, f"time {slot}", at, None))
        return
    tickets = _open_tickets(machine.session, datetime.fromisoformat(after) if after else None, after_id)
    for ticket in tickets:
        _call_once(machine, automation, timed(SCHEDULE, f"time {slot} ticket {ticket.id}", at, ticket.id))
    if len(tickets) == BATCH:
        last = {"after": api_time(tickets[-1].created_at), "after_id": tickets[-1].id}
        enqueue(machine.session, run_schedule, automation_id=automation_id, slot=slot, **last)


@job(schedule="*/5 * * * *", per="organization")
def find_unchanged_tickets(ctx: JobContext) -> None:
    """Run automations for tickets that have not changed for their hours; each once until it changes again."""
    with ctx.reading() as session:
        if not _timed(session, NO_CHANGE):
            return
    machine = Machine(ctx.session, ctx.now, ctx.get)
    for automation in _active(machine, NO_CHANGE):
        row = machine.session.get_one(Automation, automation.id)
        tickets = _unchanged(machine.session, row, ctx.now - timedelta(hours=row.trigger["hours"]))
        for ticket in tickets:
            since = api_time(ticket.updated_at)
            name = f"unchanged {since} ticket {ticket.id}"
            _call_once(machine, automation, timed(NO_CHANGE, name, ctx.now, ticket.id, unchanged_since=since))
        if tickets:
            row.seen_until, row.seen_id = tickets[-1].updated_at, tickets[-1].id
            machine.session.flush()


@job(schedule="41 3 * * *", per="organization")
def forget_runs(ctx: JobContext) -> None:
    """Remove from the log what is older than the organisation wants to keep."""
    with ctx.reading() as session:
        if session.scalar(select(Run.id).limit(1)) is None:
            return
    settings = settings_of(ctx.session)
    for matched, days in ((False, settings.days_of_misses), (True, settings.days_of_runs)):
        old = and_(Run.matched.is_(matched), Run.created_at < ctx.now - timedelta(days=days), Run.status != "waiting")
        keys = ctx.session.scalars(select(Run.id).where(old).order_by(Run.created_at).limit(FORGOTTEN_AT_ONCE)).all()
        if keys:
            gone = delete(Run).where(Run.id.in_(keys))
            ctx.session.execute(gone.execution_options(synchronize_session=False))


ALL = (follow_schedules, run_schedule, find_unchanged_tickets, continue_run, forget_runs)


def _timed(session: Session, kind: str) -> bool:
    wanted = select(Automation.id).where(
        Automation.event_type == kind, Automation.is_active, Automation.deleted_at.is_(None)
    )
    return session.scalar(wanted.limit(1)) is not None


def _active(machine: Machine, kind: str) -> Iterator[Compiled]:
    return iter(machine.get(Library).active(machine.session, machine.get).get(kind, ()))


def _call_once(machine: Machine, automation: Compiled, occasion: Any) -> None:
    """Call an automation unless it was called for the same before; that it did not match is not written down."""
    done = select(Run.id).where(Run.automation_id == automation.id, Run.occasion == occasion.name)
    if machine.session.scalar(done) is None:
        call(machine, [automation], occasion, misses=False)


def _open_tickets(session: Session, after: datetime | None, after_id: int) -> list[Row[Any]]:
    wanted = select(Ticket.id, Ticket.created_at).where(Ticket.deleted_at.is_(None), Ticket.status != "closed")
    if after is not None:
        further = or_(Ticket.created_at > after, Ticket.id > after_id)
        wanted = wanted.where(Ticket.created_at >= after, further)
    return list(session.execute(wanted.order_by(Ticket.created_at, Ticket.id).limit(BATCH)))


def _unchanged(session: Session, row: Automation, until: datetime) -> list[Row[Any]]:
    """Return the next tickets that last changed until then, by the index of changes."""
    wanted = select(Ticket.id, Ticket.updated_at).where(
        Ticket.deleted_at.is_(None), Ticket.status != "closed", Ticket.updated_at <= until
    )
    if row.seen_until is not None:
        further = or_(Ticket.updated_at > row.seen_until, Ticket.id > row.seen_id)
        wanted = wanted.where(Ticket.updated_at >= row.seen_until, further)
    return list(session.execute(wanted.order_by(Ticket.updated_at, Ticket.id).limit(BATCH)))
