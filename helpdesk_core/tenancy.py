"""Tenancy: one session works for one organisation for life, and sees nothing of any other.

Enforced below the ORM and failing closed: every ORM statement on a `TenantScoped` model is filtered, every
flush is checked, and a session that was never told its organisation can do neither. What this cannot see
are Core statements on `Model.__table__` and text SQL; the test suite forbids both in plugins.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, UniqueConstraint, event, false
from sqlalchemy.orm import (
    Mapped,
    Mapper,
    ORMExecuteState,
    Session,
    mapped_column,
    sessionmaker,
    with_loader_criteria,
)


class TenancyViolation(RuntimeError):
    """Code tried to reach across organisations. Always a mistake of ours, hence never shown to a caller."""


class TenantScoped:
    """Marks a model whose rows belong to one organisation."""

    organization_id: Mapped[int] = mapped_column(ForeignKey("core_organization.id"))


def tenant_key(*columns: str) -> UniqueConstraint:
    """Return the key that lets other tables refer to this one *within an organisation*."""
    return UniqueConstraint("organization_id", *(columns or ("id",)))


def tenant_reference(column: str, target: str, *, ondelete: str | None = None) -> ForeignKeyConstraint:
    """Return a foreign key that carries the organisation, so that it cannot point into another one.

    Args:
        column: the referring column, `ticket_id`.
        target: the key referred to, `tickets_ticket.id`; its table needs `tenant_key()`.
        ondelete: `CASCADE` or nothing; `SET NULL` would clear the organisation as well.
    """
    table, _, key = target.partition(".")
    return ForeignKeyConstraint(
        ["organization_id", column], [f"{table}.organization_id", f"{table}.{key}"], ondelete=ondelete
    )


_UNSCOPED = object()


def set_organization(session: Session, organization_id: int) -> None:
    """Fix the organisation that `session` works for; once."""
    if "organization" in session.info:
        raise TenancyViolation("this session already has its organisation")
    session.info["organization"] = organization_id


def set_unscoped(session: Session) -> None:
    """Let `session` see every organisation: sign-in, event delivery, commands of the operator."""
    if "organization" in session.info:
        raise TenancyViolation("this session already has its organisation")
    session.info["organization"] = _UNSCOPED


def organization_of(session: Session) -> int:
    """Return the id of the organisation that `session` works for."""
    organization = session.info.get("organization")
    if not isinstance(organization, int):
        raise TenancyViolation("this session has no organisation")
    return organization


def guard_tenancy(sessions: "sessionmaker[Session]") -> None:
    """Put every session that `sessions` will open under the rules of this module."""
    event.listen(sessions, "do_orm_execute", _filter)
    event.listen(sessions, "before_flush", _check)


def _filter(state: ORMExecuteState) -> None:
    if state.is_column_load or state.is_relationship_load:
        return  # rows at hand were filtered when they were read; lazy loads inherit the criteria
    organization = state.session.info.get("organization")
    if organization is _UNSCOPED:
        return
    if organization is None:
        _refuse_scoped(state.all_mappers)
        state.statement = state.statement.options(
            with_loader_criteria(TenantScoped, lambda _: false(), include_aliases=True)
        )
        return
    state.statement = state.statement.options(
        with_loader_criteria(TenantScoped, lambda model: model.organization_id == organization, include_aliases=True)
    )


def _refuse_scoped(mappers: Sequence[Mapper[Any]]) -> None:
    scoped = [mapper.class_.__name__ for mapper in mappers if issubclass(mapper.class_, TenantScoped)]
    if scoped:
        raise TenancyViolation(f"{', '.join(scoped)} used in a session without an organisation")


def _check(session: Session, _context: Any, _instances: Any) -> None:
    organization = session.info.get("organization")
    if organization is _UNSCOPED:
        return
    for row in (*session.new, *session.dirty, *session.deleted):
        if not isinstance(row, TenantScoped):
            continue
        if organization is None:
            raise TenancyViolation(f"{type(row).__name__} written in a session without an organisation")
        if row.organization_id is None:
            row.organization_id = organization
        elif row.organization_id != organization:
            raise TenancyViolation(f"{type(row).__name__} of another organisation in this session")
