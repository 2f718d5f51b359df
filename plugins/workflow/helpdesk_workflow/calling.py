"""Calls automations: for an event, for a time, and for somebody who asks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select

from helpdesk_core.api import Happened, enqueue
from helpdesk_workflow import log
from helpdesk_workflow.engine import (
    EXECUTED,
    UNMATCHED,
    WAITING,
    Machine,
    Outcome,
    attempt,
    hops_to,
)
from helpdesk_workflow.facts import Occasion, StoredFacts
from helpdesk_workflow.library import Compiled, Library
from helpdesk_workflow.models import Run
from helpdesk_workflow.waiting import continue_run


def occasion_of(happened: Happened, hops: int = 0) -> Occasion:
    """Return the occasion that an event is."""
    payload = orjson.loads(happened.payload)
    return Occasion(
        name=f"event {happened.id}",
        cause="event",
        event_type=happened.type,
        at=happened.at,
        payload=payload,
        event_id=happened.id,
        root_id=happened.root_id,
        depth=happened.depth,
        hops=hops,
        ticket_id=payload.get("ticket_id"),
        comment_id=payload.get("comment_id"),
    )


def handle_event(machine: Machine, happened: Happened) -> None:
    """Let every active automation run that the event sets off, the oldest first; once, however often it is called."""
    session = machine.session
    automations = machine.get(Library).active(session, machine.get).get(happened.type, ())
    if not automations:
        return
    occasion = occasion_of(happened, hops_to(session, happened.root_id, happened.depth))
    before = set(session.scalars(select(Run.automation_id).where(Run.event_id == happened.id)))
    call(machine, [each for each in automations if each.id not in before], occasion)


def call(machine: Machine, automations: Sequence[Compiled], occasion: Occasion, *, misses: bool = True) -> int:
    """Let automations run one after the other, each seeing what those before it did; return how many matched.

    Args:
        machine: what to work with.
        automations: the oldest first.
        occasion: what happened.
        misses: whether to write down why some did not match.
    """
    facts = StoredFacts(machine.session, occasion, machine.now)
    ran: list[Outcome] = []
    missed: list[Outcome] = []
    explained = log.worth_explaining(automations) if misses else ()
    for automation in automations:
        outcome = attempt(machine, automation, occasion, facts, explains=automation.id in explained)
        if outcome.status == UNMATCHED:
            missed.extend([outcome] if automation.id in explained else [])
            continue
        ran.append(outcome)
        keep(machine, outcome, occasion)
        if outcome.ends_event:
            break
        if outcome.status in EXECUTED:
            facts = StoredFacts(machine.session, occasion, machine.now)
    log.record_misses(machine, missed, occasion)
    log.settle(machine, ran)
    return len(ran)


def keep(machine: Machine, outcome: Outcome, occasion: Occasion, executed_by: int | None = None) -> int:
    """Write an outcome down, and have the rest of the actions done later where it waits."""
    key = log.record(machine, outcome, occasion, executed_by)
    if outcome.status == WAITING and outcome.resume_at is not None:
        enqueue(machine.session, continue_run, at=outcome.resume_at, run_id=key, place=outcome.rest)
    return key


def timed(kind: str, name: str, at: datetime, ticket_id: int | None, **payload: Any) -> Occasion:
    """Return the occasion that a time is, for one ticket or for none."""
    return Occasion(name=name, cause="time", event_type=kind, at=at, payload=payload, ticket_id=ticket_id)
