"""Whom automations choose: whose turn it is, who has least to do, who is told."""

from collections.abc import Sequence

from sqlalchemy import Select, and_, func, select, update
from sqlalchemy.orm import Session

from helpdesk_core.api import STAFF, Unprocessable, User
from helpdesk_tickets.api import FINAL_STATUSES, STATUSES, Ticket
from helpdesk_workflow.models import Automation

UNRESOLVED = tuple(status for status in STATUSES if status not in FINAL_STATUSES)


class NobodyToAssign(Unprocessable):
    """There is nobody whom the ticket could be given to."""


def candidates(among: Sequence[int] | None) -> Select[int]:
    """Return the statement for the keys of those who can be given tickets: the agents, or some of the staff."""
    wanted = select(User.id).where(User.is_active)
    if among is None:
        return wanted.where(User.role == "agent")
    return wanted.where(User.id.in_(among), User.role.in_(STAFF))


def staff_with_least(session: Session, among: Sequence[int] | None) -> int:
    """Return the key of whoever has the fewest unresolved tickets, the eldest account among equals."""
    open_ticket = and_(
        Ticket.assigned_agent_id == User.id,
        Ticket.organization_id == User.organization_id,
        Ticket.deleted_at.is_(None),
        Ticket.status.in_(UNRESOLVED),
    )
    wanted = candidates(among).outerjoin(Ticket, open_ticket).group_by(User.id)
    found = session.scalar(wanted.order_by(func.count(Ticket.id), User.id).limit(1))
    if found is None:
        raise NobodyToAssign
    return found


def next_in_turn(session: Session, automation_id: int, among: Sequence[int] | None) -> int:
    """Return the key of whose turn it is, and remember it."""
    last = session.scalar(select(Automation.last_agent_id).where(Automation.id == automation_id).with_for_update()) or 0
    everybody = session.scalars(candidates(among).order_by(User.id)).all()
    if not everybody:
        raise NobodyToAssign
    chosen = next((key for key in everybody if key > last), everybody[0])
    session.execute(
        update(Automation)
        .where(Automation.id == automation_id)
        .values(last_agent_id=chosen)
        .execution_options(synchronize_session=False)
    )
    return chosen


def administrators(session: Session) -> list[int]:
    """Return the keys of the active administrators."""
    return list(session.scalars(select(User.id).where(User.role == "admin", User.is_active).order_by(User.id)))
