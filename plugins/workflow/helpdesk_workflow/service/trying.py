"""Trying automations out: on a ticket, on events of the past, and by hand."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core.api import (
    Event,
    EventCatalogue,
    Happened,
    Invalid,
    Unprocessable,
    organization_of,
    past_event,
    past_events,
)
from helpdesk_tickets.api import Comment, TicketChange
from helpdesk_workflow import log
from helpdesk_workflow.calling import keep, occasion_of
from helpdesk_workflow.engine import Machine, Outcome, attempt
from helpdesk_workflow.errors import TicketNeeded
from helpdesk_workflow.facts import HISTORY, Occasion, StoredFacts
from helpdesk_workflow.library import Compiled, actions_of, compiled, triggers_of
from helpdesk_workflow.models import Automation
from helpdesk_workflow.schemas.trying import Backtest, BacktestRequest, DryRun, DryRunRequest, Match
from helpdesk_workflow.triggers import TIME, Trigger

MOST_MATCHES = 100


class MakesNoSense(Unprocessable):
    """What this automation says makes no sense any more. Change it first."""


def dry_run(machine: Machine, row: Automation, data: DryRunRequest, ticket_id: int | None) -> DryRun:
    """Tell what an automation would do: it is done, and undone.

    Raises:
        TicketNeeded: no ticket is named, and the automation is about one (422).
        Invalid: there is no such event (400).
    """
    automation = _ready(machine, row)
    if data.event_id is not None:
        occasion, as_of = _past(machine, automation, data.event_id)
    else:
        occasion, as_of = _supposed(machine, automation, ticket_id, data.event or {}), None
    facts = StoredFacts(machine.session, occasion, as_of or machine.now, as_of=as_of)
    undone = machine.session.begin_nested()
    try:
        outcome = attempt(machine, automation, occasion, facts, asked=not data.ignore_conditions)
    finally:
        undone.rollback()
    for each in outcome.actions:
        each["made"] = dict.fromkeys(each["made"])  # what was made is gone, and its key with it
    return DryRun(
        matched=outcome.matched,
        status=outcome.status,
        reason=outcome.reason,
        conditions=dict(outcome.conditions),
        actions=outcome.actions,
    )


def execute(machine: Machine, row: Automation, ticket_id: int | None, user_id: int) -> int:
    """Run an automation now, whatever its conditions say, and return the key of its row in the log."""
    automation = _ready(machine, row)
    occasion = _supposed(machine, automation, ticket_id, {}, name=f"hand {uuid4().hex}")
    facts = StoredFacts(machine.session, occasion, machine.now)
    outcome: Outcome = attempt(machine, automation, occasion, facts, asked=False)
    key = keep(machine, outcome, occasion, user_id)
    log.settle(machine, [outcome])
    return key


def backtest(machine: Machine, row: Automation, data: BacktestRequest) -> Backtest:
    """Hold an automation against what has happened; tickets are looked at as they were then."""
    automation = _ready(machine, row)
    if automation.draft is None or automation.event_type in TIME:
        raise Unprocessable("Only automations that events set off can be held against the past.")
    until = data.until or machine.now
    if until < data.since:
        raise Invalid.field("until", "This is before since.")
    events = past_events(machine.session, automation.event_type, data.since, until, limit=data.limit + 1)
    looked_at = events[: data.limit]
    matches = []
    for happened in looked_at:
        occasion = occasion_of(happened)
        facts = StoredFacts(machine.session, occasion, happened.at, as_of=happened.at)
        if automation.draft.reading.root.holds(facts):
            matches.append(Match(event_id=happened.id, ticket_id=occasion.ticket_id, at=happened.at))
    return Backtest(
        events=len(looked_at),
        matched=len(matches),
        truncated=len(events) > len(looked_at),
        matches=matches[:MOST_MATCHES],
    )


def _ready(machine: Machine, row: Automation) -> Compiled:
    ready = compiled(row, triggers_of(machine.get), actions_of(machine.session, machine.get))
    if ready.draft is None:
        raise MakesNoSense(details={"reason": ready.trouble})
    return ready


def _past(machine: Machine, automation: Compiled, event_id: int) -> tuple[Occasion, datetime]:
    happened = past_event(machine.session, event_id)
    if happened is None:
        raise Invalid.field("event_id", "There is no such event.")
    if happened.type != automation.event_type:
        raise Invalid.field("event_id", f"This event is {happened.type}, which does not set the automation off.")
    return occasion_of(happened), happened.at


def _supposed(
    machine: Machine, automation: Compiled, ticket_id: int | None, given: Mapping[str, Any], name: str = "trial"
) -> Occasion:
    """Return the occasion as if what sets the automation off happened now."""
    if automation.draft is None:
        raise MakesNoSense
    if ticket_id is None and automation.draft.per_ticket:
        raise TicketNeeded
    trigger = automation.draft.trigger
    payload: dict[str, Any] = {}
    if automation.event_type not in TIME:
        payload = {**trigger.sample, **_as_now(machine, trigger, ticket_id)}
        payload = _payload(machine, automation.event_type, {**payload, **given})
    return Occasion(
        name=name,
        cause="hand",
        event_type=automation.event_type,
        at=machine.now,
        payload=payload,
        ticket_id=ticket_id,
        comment_id=payload.get("comment_id"),
    )


def _payload(machine: Machine, event_type: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a payload as the event would have it; `Invalid` when it cannot have it."""
    text = orjson.dumps(dict(given), default=str).decode()
    happened = Happened(
        id=0,
        position="",
        organization_id=organization_of(machine.session),
        type=event_type,
        version=machine.get(EventCatalogue).get(event_type).version,
        payload=text,
        at=machine.now,
    )
    try:
        event: Event | None = machine.get(EventCatalogue).read(happened)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(["event", *map(str, problem["loc"][:1])])
        raise Invalid.field(place[:100], f"{problem['msg']}.") from None
    return {} if event is None else event.model_dump(mode="json")


def _as_now(machine: Machine, trigger: Trigger, ticket_id: int | None) -> dict[str, Any]:
    """Return what the payload would be, as far as the ticket tells: its last changes count as what has happened."""
    if ticket_id is None:
        return {}
    occasion = Occasion("trial", "hand", trigger.type, machine.now, ticket_id=ticket_id)
    ticket = StoredFacts(machine.session, occasion, machine.now).ticket
    known = {} if ticket is None else {name: getattr(ticket, name) for name in trigger.sample if hasattr(ticket, name)}
    payload = {**known, "ticket_id": ticket_id}
    if "comment_id" in trigger.sample:
        payload |= _last_comment(machine.session, ticket_id)
    if trigger.type == "ticket.updated":
        payload["fields"] = list(HISTORY)
    for kind, name, before, after in (
        ("ticket.status_changed", "status", "before", "after"),
        ("ticket.assigned", "assigned_agent", "previous_agent_id", "assigned_agent_id"),
    ):
        if trigger.type == kind:
            present = getattr(ticket, name, None)  # its first state had none before it
            change = (present if each is None else each for each in _last_change(machine.session, ticket_id, name))
            payload |= dict(zip((before, after), change, strict=True))
    return {name: value for name, value in payload.items() if name in trigger.sample}


def _last_change(session: Session, ticket_id: int, field: str) -> tuple[Any, Any]:
    wanted = select(TicketChange.before, TicketChange.after).where(
        TicketChange.ticket_id == ticket_id, TicketChange.field == field
    )
    row = session.execute(wanted.order_by(TicketChange.id.desc()).limit(1)).first()
    return (None, None) if row is None else (row.before, row.after)


def _last_comment(session: Session, ticket_id: int) -> dict[str, Any]:
    wanted = select(Comment.id, Comment.author_id, Comment.is_internal).where(Comment.ticket_id == ticket_id)
    row = session.execute(wanted.order_by(Comment.id.desc()).limit(1)).first()
    if row is None:
        raise Unprocessable("The ticket has no comment yet.")
    return {"comment_id": row.id, "author_id": row.author_id, "is_internal": row.is_internal}
