"""What an automation says, read and checked: its trigger, its conditions and its actions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core.api import Actor, FieldError, Invalid, User
from helpdesk_workflow.actions import Action, ActionContext
from helpdesk_workflow.actions.registry import checked
from helpdesk_workflow.actions.resolving import find_category
from helpdesk_workflow.conditions import Kind, Reading, read_conditions
from helpdesk_workflow.facts import TICKET_FIELDS
from helpdesk_workflow.triggers import SCHEDULE, Trigger, Triggers, check_time

LARGEST_ACTIONS = 65_536


@dataclass(frozen=True, slots=True)
class Step:
    """One action with its parameters."""

    action: Action
    parameters: BaseModel


@dataclass(frozen=True, slots=True)
class Draft:
    """What an automation says, ready to be followed.

    Attributes:
        trigger: what sets it off.
        reading: its conditions.
        steps: its actions, in order.
    """

    trigger: Trigger
    reading: Reading
    steps: tuple[Step, ...]

    @property
    def per_ticket(self) -> bool:
        """Tell whether each call is about a ticket; a schedule may be about none."""
        if self.trigger.type != SCHEDULE:
            return self.trigger.has_ticket
        return any(step.action.needs_ticket for step in self.steps) or bool(self.reading.names & TICKET_FIELDS.keys())


def read_draft(
    triggers: Triggers,
    actions: Mapping[str, Action],
    trigger: Mapping[str, Any],
    steps: Sequence[Mapping[str, Any]],
) -> Draft:
    """Return what stored or sent JSON says; `Invalid` names every part that is wrong."""
    errors: list[FieldError] = []
    found = _collected(errors, lambda: _trigger(triggers, trigger))
    reading = (
        _collected(errors, lambda: read_conditions(trigger.get("conditions") or {}, found.fields)) if found else None
    )
    read = [
        _collected(errors, lambda place=place, each=each: _step(actions, each, f"actions.{place}", found))  # type: ignore[misc]
        for place, each in enumerate(steps)
    ]
    if errors or found is None or reading is None:
        raise Invalid(errors=errors)
    return Draft(found, reading, tuple(step for step in read if step is not None))


def check_references(draft: Draft, context: ActionContext) -> None:
    """Raise `Invalid` where conditions or parameters refer to what is not there."""
    errors: list[FieldError] = []
    for path, kind, value in draft.reading.references:
        if not _exists(context.session, kind, value):
            thing = "category" if kind is Kind.CATEGORY else "user"
            errors.append(FieldError(path, f"There is no such {thing}."))
    for place, step in enumerate(draft.steps):
        path = f"actions.{place}.parameters"
        _collected(errors, lambda step=step, path=path: checked(step.action, context, step.parameters, path))  # type: ignore[misc]
    if errors:
        raise Invalid(errors=errors)


def checking(session: Session, actor: Actor, now: datetime, services: Callable[[type[Any]], Any]) -> ActionContext:
    """Return what actions get when they check their parameters."""
    return ActionContext(session, actor, now, 0, "check", "", {}, None, services)


def _trigger(triggers: Triggers, given: Mapping[str, Any]) -> Trigger:
    name = given.get("type", "")
    found = triggers.spelled(name) if isinstance(name, str) else None
    if found is None:
        raise Invalid.field("trigger.type", "There is no such trigger; /advanced-workflow/triggers/ lists them.")
    check_time(given, found.type)
    return found


def _step(actions: Mapping[str, Action], given: Mapping[str, Any], path: str, trigger: Trigger | None) -> Step:
    action = actions.get(given.get("type", ""))
    if action is None:
        raise Invalid.field(f"{path}.type", "There is no such action; /advanced-workflow/actions/ lists them.")
    if trigger is not None and action.needs_ticket and not trigger.has_ticket:
        raise Invalid.field(f"{path}.type", "This action is about a ticket, and the trigger is not.")
    return Step(action, action.read(given.get("parameters") or {}, f"{path}.parameters"))


def _exists(session: Session, kind: Kind, value: int | str) -> bool:
    if kind is Kind.CATEGORY:
        return find_category(session, value) is not None
    return session.scalar(select(User.id).where(User.id == value)) is not None


def _collected(errors: list[FieldError], read: Callable[[], Any]) -> Any:
    """Return what `read` returns; what it refuses is added to `errors`."""
    try:
        return read()
    except Invalid as refusal:
        errors.extend(refusal.errors)
        return None
