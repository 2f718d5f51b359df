"""The rest of what an automation does, after it has waited."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core.api import JobContext, enqueue, job
from helpdesk_workflow import log
from helpdesk_workflow.engine import EXECUTED, FAILED, SKIPPED, WAITING, Machine, Outcome, resume
from helpdesk_workflow.facts import Occasion
from helpdesk_workflow.library import Compiled, actions_of, compiled, triggers_of
from helpdesk_workflow.models import Automation, AutomationVersion, Run


@job()
def continue_run(ctx: JobContext, run_id: int, place: int) -> None:
    """Go on with a run that has waited, by the version that began it, unless the automation is off by now."""
    session = ctx.session
    run = session.scalars(select(Run).where(Run.id == run_id).with_for_update()).one_or_none()
    if run is None or run.status != WAITING:
        return
    machine = Machine(session, ctx.now, ctx.get)
    automation = _as_it_was(machine, run)
    if automation is None:
        run.status, run.reason = SKIPPED, "The automation was switched off or removed while it waited."
        session.flush()
        return
    _go_on(machine, run, automation, place)


def _go_on(machine: Machine, run: Run, automation: Compiled, place: int) -> None:
    occasion = Occasion(
        name=run.occasion,
        cause=run.cause,
        event_type=run.event_type,
        at=run.created_at,
        payload=run.payload,
        event_id=run.event_id,
        root_id=run.root_id,
        depth=run.depth,
        hops=run.hops,
        ticket_id=run.ticket_id,
    )
    outcome = resume(machine, automation, occasion, place)
    run.status, run.reason = outcome.status, outcome.reason
    run.actions = [*run.actions, *outcome.actions]
    if outcome.status in EXECUTED:
        run.action_count += outcome.count
    machine.session.flush()
    _settle(machine, outcome)
    if outcome.resume_at is not None and outcome.status == WAITING:
        enqueue(machine.session, continue_run, at=outcome.resume_at, run_id=run.id, place=outcome.rest)


def _settle(machine: Machine, outcome: Outcome) -> None:
    """Count a failure; that it ran was counted when it began."""
    session, key = machine.session, outcome.automation.id
    row = session.scalars(select(Automation).where(Automation.id == key).with_for_update()).one()
    session.refresh(row)
    if outcome.status == FAILED:
        row.failure_count += 1
    if outcome.problem:
        row.problem = outcome.problem[:500]
    session.flush()
    if outcome.status == FAILED:
        log.note_failure(machine, outcome)


def _as_it_was(machine: Machine, run: Run) -> Compiled | None:
    """Return the automation as it was when the run began, acting for whoever it acts for now."""
    session: Session = machine.session
    row = session.get(Automation, run.automation_id)
    if row is None or row.deleted_at is not None or not row.is_active:
        return None
    wanted = select(AutomationVersion).where(
        AutomationVersion.automation_id == run.automation_id, AutomationVersion.number == run.version
    )
    version = session.scalars(wanted).one_or_none()
    present = compiled(row, triggers_of(machine.get), actions_of(session, machine.get))
    if version is None or version.number == row.version:
        return present
    before = Automation(
        id=row.id,
        name=version.name,
        trigger=version.trigger,
        actions=version.actions,
        version=version.number,
        event_type=row.event_type,
        author_id=version.changed_by_id,
        updated_at=row.updated_at,
    )
    return compiled(before, triggers_of(machine.get), actions_of(session, machine.get))
