"""Making, changing and removing automations; what they say is checked whenever it changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpdesk_core.api import Actor, Invalid, NotFound, Unprocessable, User, changes, now, publish
from helpdesk_workflow.drafts import LARGEST_ACTIONS, Draft, check_references, checking, read_draft
from helpdesk_workflow.errors import AutomationLoop
from helpdesk_workflow.events import AutomationCreated, AutomationDeleted, AutomationUpdated
from helpdesk_workflow.library import Compiled, Get, Library, actions_of, announce_change, triggers_of
from helpdesk_workflow.loops import Suspect, find_loop
from helpdesk_workflow.models import Automation, AutomationVersion
from helpdesk_workflow.schemas.automations import AutomationCreate, AutomationUpdate

MOST_AUTOMATIONS = 1_000
SAYS = ("trigger", "actions")
SHOWS = ("name", "description", *SAYS, "is_active")


class TooManyAutomations(Unprocessable):
    """An organization has at most 1000 automations."""


@dataclass(frozen=True, slots=True)
class Desk:
    """With what automations are written.

    Attributes:
        session: of the organisation.
        actor: who writes.
        get: returns a service by its type.
    """

    session: Session
    actor: Actor
    get: Get


def create_automation(desk: Desk, data: AutomationCreate) -> int:
    """Add an automation that acts with the actor's rights, and return its key.

    Raises:
        Invalid: part of it makes no sense; its place is named (400).
        AutomationLoop: it and others would trigger each other without end (422).
        TooManyAutomations: (422).
    """
    sent = {**data.model_dump(), **_stored(data)}
    return _add(desk, {name: sent[name] for name in SHOWS})


def clone_automation(desk: Desk, automation_id: int, name: str | None) -> int:
    """Add a copy that is not active yet, and return its key."""
    row = automation_to_use(desk.session, automation_id)
    values = {each: getattr(row, each) for each in SHOWS}
    return _add(desk, {**values, "name": name or f"Copy of {row.name}"[:255], "is_active": False})


def update_automation(desk: Desk, automation_id: int, data: AutomationUpdate) -> None:
    """Change an automation; from then on it acts with the actor's rights. Raises what `create_automation` does."""
    sent = {**changes(data), **_stored(data)}
    _change(desk, automation_to_change(desk.session, automation_id), sent)


def set_active(desk: Desk, automation_id: int, *, active: bool) -> None:
    """Switch an automation on, with all checks and the actor's rights, or off."""
    row = automation_to_change(desk.session, automation_id)
    if row.is_active != active or (active and row.problem):
        _change(desk, row, {"is_active": active}, anew=active)


def restore_version(desk: Desk, automation_id: int, number: int) -> None:
    """Let an automation say again what it said in a version; that is a new version."""
    row = automation_to_change(desk.session, automation_id)
    wanted = select(AutomationVersion).where(
        AutomationVersion.automation_id == row.id, AutomationVersion.number == number
    )
    version = desk.session.scalars(wanted).one_or_none()
    if version is None:
        raise Invalid.field("version", "There is no such version.")
    _change(desk, row, {name: getattr(version, name) for name in ("name", "description", *SAYS)})


def delete_automation(session: Session, automation_id: int) -> None:
    """Remove an automation; the log of what it did stays."""
    row = automation_to_change(session, automation_id)
    row.deleted_at = now(session)
    row.is_active = False
    session.flush()
    announce_change(session)
    publish(session, AutomationDeleted(automation_id=row.id, name=row.name))


def automation_to_use(session: Session, automation_id: int) -> Automation:
    """Return an automation; `NotFound` when there is none."""
    wanted = select(Automation).where(Automation.id == automation_id, Automation.deleted_at.is_(None))
    row = session.scalars(wanted).one_or_none()
    if row is None:
        raise NotFound
    return row


def automation_to_change(session: Session, automation_id: int) -> Automation:
    """Return an automation that nobody else can change until the transaction ends."""
    wanted = select(Automation).where(Automation.id == automation_id, Automation.deleted_at.is_(None))
    row = session.scalars(wanted.with_for_update()).one_or_none()
    if row is None:
        raise NotFound
    return row


def _add(desk: Desk, values: Mapping[str, Any]) -> int:
    session = desk.session
    count = session.scalar(select(func.count()).select_from(Automation).where(Automation.deleted_at.is_(None))) or 0
    if count >= MOST_AUTOMATIONS:
        raise TooManyAutomations
    moment = now(session)
    draft = _checked(desk, values["trigger"], values["actions"])
    row = Automation(
        **values,
        event_type=draft.trigger.type,
        author_id=desk.actor.user_id,
        slot_at=moment,
        created_at=moment,
        updated_at=moment,
    )
    if row.is_active:
        _refuse_loops(desk, row, draft)
    session.add(row)
    session.flush()
    _keep_version(session, row, desk.actor.user_id)
    announce_change(session)
    publish(session, AutomationCreated(automation_id=row.id, name=row.name))
    return row.id


def _change(desk: Desk, row: Automation, sent: Mapping[str, Any], *, anew: bool = False) -> None:
    """Change what is different; `anew` counts as a change although nothing is."""
    session, moment = desk.session, now(desk.session)
    changed = {name: value for name, value in sent.items() if getattr(row, name) != value}
    if not changed and not anew:
        return
    trigger, actions = changed.get("trigger", row.trigger), changed.get("actions", row.actions)
    active = changed.get("is_active", row.is_active)
    if active or changed.keys() & set(SAYS):
        draft = _checked(desk, trigger, actions)
        if active:
            _refuse_loops(desk, row, draft, name=changed.get("name"))
        row.event_type = draft.trigger.type
        row.author_id = desk.actor.user_id
        row.problem, row.failure_count = "", 0
    if "trigger" in changed:
        row.slot_at, row.seen_until, row.seen_id = moment, None, 0
    elif changed.get("is_active"):
        row.slot_at = moment  # what was missed while it was off stays missed
    for name, value in changed.items():
        setattr(row, name, value)
    row.version += 1
    row.updated_at = moment
    session.flush()
    _keep_version(session, row, desk.actor.user_id)
    announce_change(session)
    told = AutomationUpdated(
        automation_id=row.id, name=row.name, is_active=row.is_active, automation_version=row.version
    )
    publish(session, told)


def _keep_version(session: Session, row: Automation, user_id: int) -> None:
    values = {name: getattr(row, name) for name in SHOWS}
    session.add(
        AutomationVersion(
            automation_id=row.id, number=row.version, changed_by_id=user_id, created_at=row.updated_at, **values
        )
    )
    session.flush()


def _checked(desk: Desk, trigger: Mapping[str, Any], actions: Sequence[Mapping[str, Any]]) -> Draft:
    if len(orjson.dumps(actions)) > LARGEST_ACTIONS:
        raise Invalid.field("actions", f"Actions take at most {LARGEST_ACTIONS} bytes.")
    draft = read_draft(triggers_of(desk.get), actions_of(desk.session, desk.get), trigger, actions)
    check_references(draft, checking(desk.session, desk.actor, now(desk.session), desk.get))
    return draft


def _refuse_loops(desk: Desk, row: Automation, draft: Draft, name: str | None = None) -> None:
    active = desk.get(Library).active(desk.session, desk.get)
    others = [each for kind in active.values() for each in kind if each.id != row.id]
    authors = {desk.actor.user_id, *(each.author_id for each in others)}
    rows = desk.session.execute(select(User.id, User.role).where(User.id.in_(authors)))
    roles = {row.id: row.role for row in rows}
    new = Compiled(row.id, name or row.name, 0, draft.trigger.type, desk.actor.user_id, now(desk.session), draft)
    suspects = [Suspect(each, roles.get(each.author_id, "")) for each in others]
    loop = find_loop(Suspect(new, desk.actor.role), suspects)
    if loop:
        raise AutomationLoop([each.name for each in loop], [each.id for each in loop])


def _stored(data: AutomationCreate | AutomationUpdate) -> dict[str, Any]:
    """Return trigger and actions as they are kept and shown: as they were sent."""
    stored: dict[str, Any] = {}
    if "trigger" in data.model_fields_set:
        sent = data.trigger.model_dump(exclude_unset=True)
        stored["trigger"] = {**sent, "conditions": sent.get("conditions", {})}
    if "actions" in data.model_fields_set:
        stored["actions"] = [{"type": each.type, "parameters": each.parameters} for each in data.actions]
    return stored
