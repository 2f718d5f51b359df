"""The active automations of each organisation, read once for each change of any of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core.api import Contributions, EventCatalogue, Invalid, next_number, organization_of
from helpdesk_workflow.actions import Action, Actions
from helpdesk_workflow.actions.flow import FLOW_ACTIONS
from helpdesk_workflow.actions.telling import TELLING_ACTIONS
from helpdesk_workflow.actions.tickets import TICKET_ACTIONS
from helpdesk_workflow.drafts import Draft, read_draft
from helpdesk_workflow.models import Automation, Edition
from helpdesk_workflow.triggers import Triggers

MOST_KEPT = 1_000
"""Organisations whose automations are kept ready."""

Get = Callable[[type[Any]], Any]


@dataclass(frozen=True, slots=True)
class Compiled:
    """An automation, ready to be followed.

    Attributes:
        id: its key.
        name: what it is called.
        version: number of what it says.
        event_type: what sets it off.
        author_id: with whose rights it acts.
        changed_at: when it last changed.
        draft: what it says; nothing when that makes no sense any more.
        trouble: why not.
    """

    id: int
    name: str
    version: int
    event_type: str
    author_id: int
    changed_at: datetime
    draft: Draft | None
    trouble: str = ""


_Kept = tuple[tuple[int, frozenset[str]], Mapping[str, tuple[Compiled, ...]]]


class Library:
    """A service: one for each process."""

    def __init__(self, *_: Any) -> None:
        """Begin empty; the parameters are those that every service is made with."""
        self._kept: dict[int, _Kept] = {}

    def active(self, session: Session, get: Get) -> Mapping[str, tuple[Compiled, ...]]:
        """Return the active automations by what sets them off, each list with the oldest first."""
        organization, actions = organization_of(session), actions_of(session, get)
        edition = session.scalar(select(Edition.last)) or 0
        stamp = (edition, frozenset(actions))
        kept = self._kept.get(organization)
        if kept is None or kept[0] != stamp:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            kept = self._kept[organization] = (stamp, _read(session, triggers_of(get), actions))
        return kept[1]


def actions_of(session: Session, get: Get) -> Mapping[str, Action]:
    """Return the actions that the organisation of `session` has."""
    return Actions((*TICKET_ACTIONS, *TELLING_ACTIONS, *FLOW_ACTIONS), get(Contributions)).of(session)


def triggers_of(get: Get) -> Triggers:
    """Return the triggers that there are."""
    triggers: Triggers = get(TriggerShelf).of(get(EventCatalogue))
    return triggers


class TriggerShelf:
    """A service that keeps the triggers, which are the same for all organisations."""

    def __init__(self, *_: Any) -> None:
        """Begin empty; the parameters are those that every service is made with."""
        self._triggers: Triggers | None = None

    def of(self, catalogue: EventCatalogue) -> Triggers:
        """Return the triggers for the events of the process."""
        if self._triggers is None:
            self._triggers = Triggers(catalogue)
        return self._triggers


def compiled(row: Automation, triggers: Triggers, actions: Mapping[str, Action]) -> Compiled:
    """Return an automation ready to be followed, or with what stands in the way."""
    draft, trouble = None, ""
    try:
        draft = read_draft(triggers, actions, row.trigger, row.actions)
    except Invalid as refusal:
        trouble = "; ".join(f"{each.field}: {each.message}" for each in refusal.errors)[:500]
    return Compiled(row.id, row.name, row.version, row.event_type, row.author_id, row.updated_at, draft, trouble)


def announce_change(session: Session) -> None:
    """Have every process read the automations of the organisation anew, once this is committed."""
    next_number(session, Edition)


def _read(session: Session, triggers: Triggers, actions: Mapping[str, Action]) -> Mapping[str, tuple[Compiled, ...]]:
    wanted = select(Automation).where(Automation.is_active, Automation.deleted_at.is_(None)).order_by(Automation.id)
    found: dict[str, list[Compiled]] = {}
    for row in session.scalars(wanted):
        found.setdefault(row.event_type, []).append(compiled(row, triggers, actions))
    return {kind: tuple(each) for kind, each in found.items()}
