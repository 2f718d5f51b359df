"""Runs automations: matches, acts with the rights of the author, and writes down what came of it.

Everything that a run does, and its row in the log, is one transaction; a run that fails is undone by a savepoint and
leaves its row alone. Whoever calls the engine commits.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from helpdesk_core.api import Actor, HelpdeskError, actor_of, api_time
from helpdesk_tickets.api import Ticket, tags_of
from helpdesk_workflow.actions import ActionContext
from helpdesk_workflow.actions.flow import STOP, WAIT, Wait
from helpdesk_workflow.drafts import Draft, Step
from helpdesk_workflow.facts import Occasion, StoredFacts
from helpdesk_workflow.library import Compiled, Get
from helpdesk_workflow.models import Run
from helpdesk_workflow.permissions import MANAGE

DEEPEST = 3
"""Changes made by automations set others off this many times in a row."""
MOST_ACTIONS = 100
"""Actions that one first event can lead to."""

DONE, FAILED, WAITING, UNMATCHED, STOPPED, SKIPPED = "done", "failed", "waiting", "unmatched", "stopped", "skipped"
EXECUTED = (DONE, FAILED, WAITING)
"""What counts as an execution."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the engine works with.

    Attributes:
        session: of the organisation; writes.
        now: the present instant.
        get: returns a service by its type.
    """

    session: Session
    now: datetime
    get: Get


@dataclass
class Outcome:
    """What came of an automation at an occasion.

    Attributes:
        automation: which one.
        matched: whether the conditions hold, or were not asked.
        status: see the constants above.
        reason: why it did not end well.
        conditions: each with what was expected and what was found.
        actions: each with what it changed.
        rest: place of the action to begin with, or to go on with when it waits.
        resume_at: until when it waits.
        ends_event: whether later automations are left out.
        problem: why the automation cannot run at all.
        milliseconds: how long it took.
    """

    automation: Compiled
    matched: bool
    status: str
    reason: str = ""
    conditions: Mapping[str, Any] = field(default_factory=dict)
    actions: list[dict[str, Any]] = field(default_factory=list)
    rest: int = 0
    resume_at: datetime | None = None
    ends_event: bool = False
    problem: str = ""
    milliseconds: int = 0

    @property
    def count(self) -> int:
        """Return how many actions were begun."""
        return len(self.actions)


class _Failed(Exception):
    """An action failed; the savepoint is rolled back."""


def attempt(
    machine: Machine,
    automation: Compiled,
    occasion: Occasion,
    facts: StoredFacts,
    *,
    asked: bool = True,
    explains: bool = True,
) -> Outcome:
    """Let an automation run, if its conditions hold.

    Args:
        machine: what to work with.
        automation: which one.
        occasion: what happened.
        facts: what the conditions are held against.
        asked: whether the conditions count; somebody who runs it by hand has decided already.
        explains: whether to say why they do not hold, which costs twenty times as much as to know it.
    """
    begun = time.perf_counter()
    draft = automation.draft
    if draft is None:
        return Outcome(automation, matched=False, status=SKIPPED, reason=automation.trouble, problem=automation.trouble)
    matched = draft.reading.root.holds(facts)
    if asked and not matched and not explains:
        return Outcome(automation, matched=False, status=UNMATCHED)
    explained = draft.reading.root.explained(facts)
    if asked and not matched:
        return Outcome(automation, matched=False, status=UNMATCHED, conditions=explained)
    outcome = Outcome(automation, matched=matched, status=DONE, conditions=explained)
    _run(machine, outcome, draft, occasion)
    outcome.milliseconds = int((time.perf_counter() - begun) * 1000)
    return outcome


def resume(machine: Machine, automation: Compiled, occasion: Occasion, place: int) -> Outcome:
    """Go on with the actions of an automation from `place`."""
    outcome = Outcome(automation, matched=True, status=DONE, rest=place)
    if automation.draft is None:
        outcome.status, outcome.reason = SKIPPED, automation.trouble
        return outcome
    _run(machine, outcome, automation.draft, occasion)
    return outcome


def _run(machine: Machine, outcome: Outcome, draft: Draft, occasion: Occasion) -> None:
    steps = draft.steps[outcome.rest :]
    refused = _limit(machine.session, occasion, len(steps))
    if refused:
        outcome.status, outcome.reason = STOPPED, refused
        return
    author = author_of(machine, outcome.automation.author_id)
    if author is None:
        outcome.status, outcome.problem = SKIPPED, NO_AUTHOR
        outcome.reason = NO_AUTHOR
        return
    if not _is_there(machine.session, steps, occasion.ticket_id):
        outcome.status, outcome.reason = SKIPPED, "The ticket is deleted."
        return
    try:
        with machine.session.begin_nested():
            _act(machine, outcome, steps, occasion, author)
    except _Failed:
        outcome.status = FAILED


NO_AUTHOR = "Whoever it acts for is deactivated, or may not manage automations any more. Save it as somebody who may."


def author_of(machine: Machine, user_id: int) -> Actor | None:
    """Return the author with the rights of this moment; nothing if they may not have automations act for them."""
    actor = actor_of(machine.session, user_id)
    return actor if actor is not None and actor.can(MANAGE) else None


def _act(machine: Machine, outcome: Outcome, steps: Sequence[Step], occasion: Occasion, author: Actor) -> None:
    """Do actions until one waits, ends everything, or fails."""
    context = ActionContext(
        machine.session,
        author,
        machine.now,
        outcome.automation.id,
        "",
        occasion.event_type,
        occasion.payload,
        occasion.ticket_id,
        machine.get,
    )
    before = state_of(machine.session, occasion.ticket_id)
    for place, step in enumerate(steps, outcome.rest):
        report: dict[str, Any] = {"type": step.action.name, "status": DONE, "changes": {}, "result": {}, "made": {}}
        outcome.actions.append(report)
        if step.action.name == WAIT and isinstance(step.parameters, Wait):
            outcome.resume_at = machine.now + step.parameters.duration
            outcome.status, outcome.rest = WAITING, place + 1
            report["result"] = {"until": api_time(outcome.resume_at)}
            return
        if step.action.name == STOP:
            outcome.ends_event = True
            return
        named = replace(context, key=f"automation {outcome.automation.id} {occasion.name} {place}")
        _do(named, step, outcome, report)
        after = state_of(machine.session, occasion.ticket_id)
        report["changes"] = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
        before = after


def _do(context: ActionContext, step: Step, outcome: Outcome, report: dict[str, Any]) -> None:
    context.session.expire_all()  # a verb locks its ticket and must see what is stored, not what was read before
    try:
        told = dict(step.action.run(context, step.parameters) or {})
        context.session.flush()
    except IntegrityError as error:
        _fail(outcome, report, "It would break what the database keeps together.", error)
    except DBAPIError:
        raise  # of the database, not of the action: the whole delivery is tried again
    except HelpdeskError as refusal:
        told_so = "; ".join(f"{each.field}: {each.message}" for each in refusal.errors)
        _fail(outcome, report, told_so or refusal.message, refusal)
    except Exception as error:  # noqa: BLE001 - an action of any plugin; its failure is this run's alone
        _fail(outcome, report, f"{type(error).__name__}: {error}", error)
    report["made"] = told.pop("made", {})
    report["result"] = told


def _fail(outcome: Outcome, report: dict[str, Any], message: str, error: Exception) -> None:
    report["status"] = FAILED
    report["error"] = message[:500]
    outcome.reason = f"{report['type']}: {message}"[:500]
    raise _Failed from error


def state_of(session: Session, ticket_id: int | None) -> dict[str, Any]:
    """Return what the log tells of a ticket before and after an action."""
    if ticket_id is None:
        return {}
    row = session.execute(select(*_STATE).where(Ticket.id == ticket_id)).first()
    if row is None:
        return {}
    state = {name: api_time(value) if isinstance(value, datetime) else value for name, value in row._mapping.items()}  # noqa: SLF001
    return {**state, "tags": [tag.name for tag in tags_of(session, ticket_id)]}


_STATE = (
    Ticket.subject,
    Ticket.description,
    Ticket.status,
    Ticket.priority,
    Ticket.category_id.label("category"),
    Ticket.customer_id.label("customer"),
    Ticket.assigned_agent_id.label("assigned_agent"),
    Ticket.due_date,
    Ticket.resolution,
    Ticket.comment_count,
)


def _is_there(session: Session, steps: Sequence[Step], ticket_id: int | None) -> bool:
    """Tell whether the ticket is there, or none of the actions needs it to be."""
    if ticket_id is None or not any(step.action.changes_ticket for step in steps):
        return True
    wanted = select(Ticket.id).where(Ticket.id == ticket_id, Ticket.deleted_at.is_(None))
    return session.scalar(wanted) is not None


def _limit(session: Session, occasion: Occasion, coming: int) -> str:
    """Return why an automation must not run, if it must not: whatever was missed at save ends here."""
    if occasion.hops > DEEPEST:
        return f"Automations have set each other off {DEEPEST} times in a row."
    if occasion.root_id is None:
        return ""
    used = session.scalar(select(func.sum(Run.action_count)).where(Run.root_id == occasion.root_id)) or 0
    if used + coming > MOST_ACTIONS:
        return f"One event leads to at most {MOST_ACTIONS} actions."
    return ""


def hops_to(session: Session, root_id: int | None, depth: int) -> int:
    """Return how many automations led to an event, other handlers not counted.

    Of the events between the first one and this one there is one at each depth; those at which automations ran count.
    """
    if root_id is None or depth == 0:
        return 0
    ran = select(func.count(func.distinct(Run.depth))).where(
        Run.root_id == root_id, Run.depth < depth, Run.action_count > 0
    )
    return session.scalar(ran) or 0
