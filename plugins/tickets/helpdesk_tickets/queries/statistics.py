"""Figures of tickets: from maintained counters where these know enough, else from one aggregate."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Integer, String, and_, bindparam, case, cast, extract, func, or_, select
from sqlalchemy.orm import Session

from helpdesk_core.api import STAFF, Among, Person, Prepared, ReadModel, User, Viewer, words_in
from helpdesk_tickets.models import (
    FINAL_STATUSES,
    NO_CATEGORY,
    PRIORITIES,
    STATUSES,
    Category,
    Ticket,
    TicketCount,
    TicketTally,
)
from helpdesk_tickets.queries.tickets import is_unresolved
from helpdesk_tickets.queries.visibility import visible_tickets
from helpdesk_tickets.schemas.statistics import Period


@dataclass
class Figures:
    """What both documents' statistics are made from.

    Attributes:
        groups: tickets by stored status, priority and category (0: none).
        overdue: past due and not resolved.
        seconds: from creation to resolution, summed over resolved tickets.
        resolved: how many that are.
        due: resolved tickets with a due time.
        met: those of them that kept it.
        created_today: tickets.
        resolved_today: tickets.
    """

    groups: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    overdue: int = 0
    seconds: int = 0
    resolved: int = 0
    due: int = 0
    met: int = 0
    created_today: int = 0
    resolved_today: int = 0

    @property
    def total(self) -> int:
        """Return how many tickets there are."""
        return self.groups.total()

    def by(self, place: int) -> Counter[Any]:
        """Return the tickets by status (0), priority (1) or category (2)."""
        found: Counter[Any] = Counter()
        for group, number in self.groups.items():
            found[group[place]] += number
        return found


@dataclass(frozen=True, slots=True)
class AgentFigures:
    """The tickets of one person.

    Attributes:
        total: all of them.
        unresolved: neither resolved nor closed.
        overdue: past due and not resolved.
        seconds: from creation to resolution, summed over resolved tickets.
        resolved: how many that are.
        due: resolved tickets with a due time.
        met: those of them that kept it.
    """

    total: int = 0
    unresolved: int = 0
    overdue: int = 0
    seconds: int = 0
    resolved: int = 0
    due: int = 0
    met: int = 0


def figures(session: Session, viewer: Viewer, period: Period) -> Figures:
    """Return the figures of the tickets that `viewer` may see and that were created in `period`."""
    everything = visible_tickets.variant(viewer.actor) == "all"
    if everything and period.created_after is None and period.created_before is None:
        return _from_counters(session, viewer.now)
    return _from_tickets(session, viewer, period)


def figures_by_agent(
    session: Session, agents: Sequence[int], period: Period, now: datetime
) -> Mapping[int, AgentFigures]:
    """Return the figures of the tickets, created in `period`, that each of `agents` works on."""
    given = _given(period)
    rows = _by_agent(tuple(given)).rows(session, agents, {"now": now, **given})
    return {agent: AgentFigures(*(int(value or 0) for value in sums)) for agent, *sums in rows}


def category_names(session: Session) -> Mapping[int, str]:
    """Return the names of the organisation's categories by key."""
    return {row[0]: row[1] for row in _CATEGORIES.rows(session, {})}


def _given(period: Period) -> dict[str, datetime]:
    bounds = {"after": period.created_after, "before": period.created_before}
    return {name: bound for name, bound in bounds.items() if bound is not None}


def _from_counters(session: Session, now: datetime) -> Figures:
    day = now.date().isoformat()
    found = Figures()
    for status, priority, category, total in _COUNTS.rows(session, {}):
        if total:
            found.groups[STATUSES[status], PRIORITIES[priority], category] = total
    tallies = {(kind, key): total for kind, key, total in _TALLIES.rows(session, {"day": day})}
    found.seconds = tallies.get(("resolution", "seconds"), 0)
    found.resolved = tallies.get(("resolution", "tickets"), 0)
    found.due = tallies.get(("target", "set"), 0)
    found.met = tallies.get(("target", "met"), 0)
    found.created_today = tallies.get(("created", day), 0)
    found.resolved_today = tallies.get(("resolved", day), 0)
    found.overdue = int(_DUE_BEFORE.rows(session, {"day": day})[0][0])
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    found.overdue += int(_DUE_BETWEEN.rows(session, {"start": midnight, "now": now})[0][0])
    return found


def _from_tickets(session: Session, viewer: Viewer, period: Period) -> Figures:
    given = _given(period)
    statement = _aggregate(visible_tickets.variant(viewer.actor), tuple(given))
    midnight = viewer.now.replace(hour=0, minute=0, second=0, microsecond=0)
    parameters = {"actor_id": viewer.actor.user_id, "now": viewer.now, "midnight": midnight, **given}
    found = Figures()
    for status, priority, category, number, *sums in statement.rows(session, parameters):
        found.groups[STATUSES[status], PRIORITIES[priority], category] = number
        for name, value in zip(_SUMMED, sums, strict=True):
            setattr(found, name, getattr(found, name) + int(value or 0))
    return found


_SUMMED = ("overdue", "seconds", "resolved", "due", "met", "created_today", "resolved_today")


def _number(condition: Any) -> Any:
    return func.sum(case((condition, 1), else_=0))


def _sums(kind: str, names: tuple[str, ...]) -> list[Any]:
    """Return the sums over a group of tickets, by the names of `Figures`."""
    now, midnight = (bindparam(name, type_=Ticket.created_at.type) for name in ("now", "midnight"))
    is_done = Ticket.resolved_at.is_not(None)
    known = {
        "total": func.count(),
        "unresolved": _number(Ticket.status.not_in(FINAL_STATUSES)),
        "overdue": _number(and_(Ticket.due_date < now, Ticket.status.not_in(FINAL_STATUSES))),
        "seconds": func.sum(_seconds(kind, Ticket.resolved_at) - _seconds(kind, Ticket.created_at)),
        "resolved": func.count(Ticket.resolved_at),
        "due": _number(and_(is_done, Ticket.target_at.is_not(None))),
        "met": _number(Ticket.resolved_at <= Ticket.target_at),
        "created_today": _number(Ticket.created_at >= midnight),
        "resolved_today": _number(Ticket.resolved_at >= midnight),
    }
    return [known[name] for name in names]


def _seconds(kind: str, column: Any) -> Any:
    if kind == "sqlite":
        return cast(func.strftime("%s", cast(column, String)), Integer)
    return cast(extract("epoch", column), Integer)


_CATEGORIES = Prepared(
    select(Category.id, Category.name)
    .where(Category.organization_id == bindparam("organization_id"))
    .order_by(Category.name_key)
)
_COUNTS = Prepared(
    select(TicketCount.status, TicketCount.priority, TicketCount.category_id, TicketCount.total).where(
        TicketCount.organization_id == bindparam("organization_id")
    )
)
_TALLIES = Prepared(
    select(TicketTally.kind, TicketTally.key, TicketTally.total).where(
        TicketTally.organization_id == bindparam("organization_id"),
        or_(
            TicketTally.kind.in_(("resolution", "target")),
            and_(TicketTally.kind.in_(("created", "resolved")), TicketTally.key == bindparam("day")),
        ),
    )
)
_DUE_BEFORE = Prepared(
    select(func.coalesce(func.sum(TicketTally.total), 0)).where(
        TicketTally.organization_id == bindparam("organization_id"),
        TicketTally.kind == "due",
        TicketTally.key < bindparam("day"),
    )
)
_DUE_BETWEEN = Prepared(
    select(func.count()).where(
        Ticket.organization_id == bindparam("organization_id"),
        Ticket.deleted_at.is_(None),
        is_unresolved(),
        Ticket.due_order >= bindparam("start"),
        Ticket.due_order < bindparam("now"),
    )
)


@cache
def _aggregate(variant: str, bounds: tuple[str, ...]) -> Prepared:
    """Return the one statement over tickets, for a variant of the visibility and the bounds that are given."""
    groups = (Ticket.status, Ticket.priority, func.coalesce(Ticket.category_id, NO_CATEGORY))

    def build(kind: str) -> Any:
        return select(*groups, func.count(), *_sums(kind, _SUMMED)).where(*_live(variant, bounds)).group_by(*groups)

    return Prepared(build)


@cache
def _by_agent(bounds: tuple[str, ...]) -> Among:
    names = tuple(field.name for field in fields(AgentFigures))

    def build(kind: str) -> Any:
        agent = Ticket.assigned_agent_id
        return select(agent, *_sums(kind, names)).where(*_live("all", bounds)).group_by(agent)

    return Among(build, Ticket.assigned_agent_id)


def _live(variant: str, bounds: tuple[str, ...]) -> list[Any]:
    conditions: list[Any] = [Ticket.organization_id == bindparam("organization_id"), Ticket.deleted_at.is_(None)]
    allowed = visible_tickets.criterion(variant)
    if allowed is not None:
        conditions.append(allowed)
    if "after" in bounds:
        conditions.append(Ticket.created_at >= bindparam("after"))
    if "before" in bounds:
        conditions.append(Ticket.created_at <= bindparam("before"))
    return conditions


staff = ReadModel(
    User,
    schema=Person,
    ordering={"full_name": User.full_name, "email": User.email_key, "created_at": User.created_at},
    default_order="full_name",
    search=words_in(User.full_name, User.email),
    where=User.role.in_(STAFF),
)
"""Who can work on tickets, as the figures by agent list them."""
