"""Writes down what came of automations, and what follows from it for the automations themselves."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from helpdesk_core.api import insertion, notify, organization_settings, publish
from helpdesk_workflow.actions.people import administrators
from helpdesk_workflow.engine import EXECUTED, FAILED, Machine, Outcome
from helpdesk_workflow.events import AutomationDisabled
from helpdesk_workflow.facts import Occasion
from helpdesk_workflow.kinds import DISABLED
from helpdesk_workflow.library import Compiled, announce_change
from helpdesk_workflow.models import Automation, Run

MOST_MISSES = 100
"""Of the automations that an event does not match, so many are written down: those that were changed last."""

_add_run = insertion(Run)
_add_and_return = insertion(Run, returning="id")


class WorkflowSettings(BaseModel):
    """What an organisation can set."""

    model_config = ConfigDict(extra="forbid")

    failures_until_disabled: int = Field(default=10, ge=1, le=1000)
    """An automation that fails so often in a row is switched off."""
    days_of_runs: int = Field(default=365, ge=1, le=3650)
    """How long the log of what automations did is kept."""
    days_of_misses: int = Field(default=7, ge=0, le=365)
    """How long it is kept that and why an automation did not match."""


def settings_of(session: Session) -> WorkflowSettings:
    """Return the settings of the session's organisation."""
    return organization_settings(session, "workflow", WorkflowSettings)


def row_of(outcome: Outcome, occasion: Occasion, machine: Machine, executed_by: int | None = None) -> dict[str, Any]:
    """Return the row that tells of an outcome."""
    return {
        "automation_id": outcome.automation.id,
        "version": outcome.automation.version,
        "occasion": occasion.name,
        "cause": occasion.cause,
        "event_id": occasion.event_id,
        "event_type": occasion.event_type,
        "payload": dict(occasion.payload),
        "root_id": occasion.root_id,
        "depth": occasion.depth,
        "hops": occasion.hops,
        "ticket_id": occasion.ticket_id,
        "matched": outcome.matched,
        "status": outcome.status,
        "reason": outcome.reason,
        "conditions": dict(outcome.conditions),
        "actions": outcome.actions,
        "action_count": outcome.count if outcome.status in EXECUTED else 0,
        "executed_by_id": executed_by,
        "duration_ms": outcome.milliseconds,
        "created_at": machine.now,
    }


def record(machine: Machine, outcome: Outcome, occasion: Occasion, executed_by: int | None = None) -> int:
    """Write an outcome down, and return the key of its row."""
    return int(_add_and_return.rows(machine.session, row_of(outcome, occasion, machine, executed_by))[0][0])


def worth_explaining(automations: Sequence[Compiled]) -> Collection[int]:
    """Return the keys of the automations of which it is written down why they do not match."""
    newest = sorted(automations, key=lambda each: each.changed_at, reverse=True)[:MOST_MISSES]
    return {each.id for each in newest}


def record_misses(machine: Machine, outcomes: Sequence[Outcome], occasion: Occasion) -> None:
    """Write down why automations did not match."""
    if outcomes:
        _add_run.run(machine.session, *(row_of(each, occasion, machine) for each in outcomes))


def settle(machine: Machine, outcomes: Iterable[Outcome]) -> None:
    """Count executions and failures, in the order of keys: two transactions must not wait for each other."""
    for outcome in sorted(outcomes, key=lambda each: each.automation.id):
        if outcome.problem:
            _flag(machine.session, outcome)
        elif outcome.status in EXECUTED:
            _count(machine, outcome)


def _flag(session: Session, outcome: Outcome) -> None:
    changed = update(Automation).where(
        Automation.id == outcome.automation.id, Automation.problem != outcome.problem[:500]
    )
    session.execute(changed.values(problem=outcome.problem[:500]).execution_options(synchronize_session=False))


def _count(machine: Machine, outcome: Outcome) -> None:
    failed = outcome.status == FAILED
    counted = update(Automation).where(Automation.id == outcome.automation.id)
    counted = counted.values(
        execution_count=Automation.execution_count + 1,
        last_executed=machine.now,
        failure_count=Automation.failure_count + 1 if failed else 0,
        problem=case((Automation.is_active, ""), else_=Automation.problem),
    )
    machine.session.execute(counted.execution_options(synchronize_session=False))
    if failed:
        note_failure(machine, outcome)


def note_failure(machine: Machine, outcome: Outcome) -> None:
    """Switch an automation off that has failed too often in a row, and tell the administrators."""
    session, key = machine.session, outcome.automation.id
    failures = session.scalar(select(Automation.failure_count).where(Automation.id == key)) or 0
    if failures < settings_of(session).failures_until_disabled:
        return
    problem = f"Switched off after {failures} failures in a row. The last one: {outcome.reason}"[:500]
    off = update(Automation).where(Automation.id == key, Automation.is_active)
    off = off.values(is_active=False, problem=problem).returning(Automation.id)
    if not session.execute(off.execution_options(synchronize_session=False)).all():
        return
    announce_change(session)
    publish(session, AutomationDisabled(automation_id=key, name=outcome.automation.name, failures=failures))
    values = {"automation_name": outcome.automation.name, "failures": str(failures), "reason": outcome.reason}
    told = f"automation {key} off {machine.now.isoformat()}"
    notify(session, administrators(session), DISABLED.name, key=told, about=f"automation:{key}", values=values)
