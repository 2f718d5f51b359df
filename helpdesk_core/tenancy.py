"""Tenancy: one session works for one organisation for life, and sees nothing of any other.

Enforced below the ORM and failing closed: every ORM statement on a `TenantScoped` model is filtered, every
flush is checked, and a session that was never told its organisation can do neither. What this cannot see
are Core statements on `Model.__table__` and text SQL; the test suite forbids both in plugins, and on PostgreSQL
`row_security` holds them to the same.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
EVERYONE = "*"
"""The scope of a session that sees every organisation."""


def set_organization(session: Session, organization_id: int) -> None:
    """Fix the organisation that `session` works for; once."""
    if "organization" in session.info:
        raise TenancyViolation("this session already has its organisation")
    session.info["organization"] = organization_id
    session.info.pop("reach", None)
    _tell_scope(session)


def set_unscoped(session: Session) -> None:
    """Let `session` see every organisation: sign-in, event delivery, commands of the operator."""
    if "organization" in session.info:
        raise TenancyViolation("this session already has its organisation")
    session.info["organization"] = _UNSCOPED
    session.info.pop("reach", None)
    _tell_scope(session)


def begin_identifying(session: Session) -> None:
    """Let `session`, which has no organisation yet, look for whose a credential is.

    It ends with `set_organization`, with `set_unscoped`, or where nobody was found with `end_identifying`.
    """
    session.info["reach"] = EVERYONE
    _tell_scope(session)


def end_identifying(session: Session) -> None:
    """Leave a session without an organisation that has none by now."""
    if session.info.pop("reach", None):
        _tell_scope(session)


@contextmanager
def reaching(session: Session, organization_id: int | None = None) -> Iterator[None]:
    """Let Core statements, which say themselves whose rows they mean, reach others than those of the session.

    For as long as the block lasts, which should be short: to find out whose a link is, or to write into the history of
    another organisation. ORM statements are filtered as ever.

    Args:
        session: of whichever organisation, or of none yet.
        organization_id: whose rows; those of all when it is left out.
    """
    before, wanted = session.info.get("reach"), EVERYONE if organization_id is None else str(organization_id)
    if scope_of(session) in {EVERYONE, wanted}:
        yield
        return
    session.flush()  # what is the session's own is written as such
    session.info["reach"] = wanted
    _tell_scope(session)
    try:
        yield
    finally:
        session.info["reach"] = before
        _tell_scope(session)


def scope_of(session: Session) -> str:
    """Return whose rows `session` may see: the id of an organisation, `*` for those of all, or nothing for none."""
    organization = session.info.get("organization")
    reach: str | None = session.info.get("reach")
    if reach or organization is _UNSCOPED:
        return reach or EVERYONE
    return "" if organization is None else str(organization)


def _tell_scope(session: Session) -> None:
    """Tell the database, where it has row security."""
    told = session.info.get("scope_changed")
    if told is not None:
        told(session)


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
