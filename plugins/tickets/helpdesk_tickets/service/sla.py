"""SLA policies: by when tickets of a priority are to be resolved."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from helpdesk_core.api import AlreadyExists, Invalid, Prepared, changes, now
from helpdesk_tickets.models import SlaPolicy
from helpdesk_tickets.schemas.sla import SlaPolicyCreate, SlaPolicyUpdate
from helpdesk_tickets.service.rows import row_of

_RESOLUTION = Prepared(
    select(SlaPolicy.resolution_minutes).where(
        SlaPolicy.organization_id == bindparam("organization_id"),
        SlaPolicy.priority == bindparam("priority", type_=SlaPolicy.priority.type),
        SlaPolicy.is_active.is_(True),
    )
)


def target_for(session: Session, priority: str, created_at: datetime) -> datetime | None:
    """Return by when a ticket is to be resolved; nothing where no policy promises anything.

    A policy counts for tickets that are created or get its priority while it is active; changing it moves no
    promise that was made before.
    """
    rows = _RESOLUTION.rows(session, {"priority": priority})
    return created_at + timedelta(minutes=rows[0][0]) if rows else None


def create_policy(session: Session, data: SlaPolicyCreate) -> SlaPolicy:
    """Promise something for a priority that has no policy yet.

    Raises:
        AlreadyExists: the priority has one.
    """
    moment = now(session)
    policy = SlaPolicy(**data.model_dump(), created_at=moment, updated_at=moment)
    _check(session, policy)
    session.add(policy)
    session.flush()
    return policy


def update_policy(session: Session, policy_id: int, data: SlaPolicyUpdate) -> SlaPolicy:
    """Change a policy."""
    policy = row_of(session, SlaPolicy, policy_id)
    with session.no_autoflush:
        for name, value in changes(data).items():
            setattr(policy, name, value)
        _check(session, policy)
    policy.updated_at = now(session)
    session.flush()
    return policy


def delete_policy(session: Session, policy_id: int) -> None:
    """Remove a policy; tickets keep what it promised them."""
    session.delete(row_of(session, SlaPolicy, policy_id))
    session.flush()


def _check(session: Session, policy: SlaPolicy) -> None:
    if policy.first_response_minutes is not None and policy.first_response_minutes > policy.resolution_minutes:
        raise Invalid.field("first_response_minutes", "The first response cannot be due after the resolution.")
    other = session.scalar(select(SlaPolicy.id).where(SlaPolicy.priority == policy.priority))
    if other is not None and other != policy.id:
        raise AlreadyExists.field("priority", "This priority has a policy already.")
