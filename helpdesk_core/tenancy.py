"""Tenancy: one session works for one organisation for life, and sees nothing of any other.

Enforced below the ORM and failing closed: every ORM statement on a `TenantScoped` model is filtered, every flush and
all values that are inserted or set are checked, and a session that was never told its organisation can do neither. What
this cannot see are Core statements on `Model.__table__` and text SQL, which the test suite forbids in plugins, and
values that the database works out, as from the SELECT of an INSERT; on PostgreSQL `row_security` keeps these out too.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, UniqueConstraint, event, false
from sqlalchemy.exc import SQLAlchemyError
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
    except BaseException:
        session.info["reach"] = before
        with suppress(SQLAlchemyError):  # a transaction that has failed can be told nothing, and is undone anyway
            _tell_scope(session)
        raise
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
    if state.is_insert or state.is_update:
        _check_values(state, organization)
    state.statement = state.statement.options(
        with_loader_criteria(TenantScoped, lambda model: model.organization_id == organization, include_aliases=True)
    )


def _refuse_scoped(mappers: Sequence[Mapper[Any]]) -> None:
    scoped = [mapper.class_.__name__ for mapper in mappers if issubclass(mapper.class_, TenantScoped)]
    if scoped:
        raise TenancyViolation(f"{', '.join(scoped)} used in a session without an organisation")


def _check_values(state: ORMExecuteState, organization: int) -> None:
    """Refuse what no filter sees: rows that are given to another organisation, or updated by their keys alone."""
    mapper = state.bind_mapper
    if mapper is None or not issubclass(mapper.class_, TenantScoped):
        return
    name = mapper.class_.__name__
    if state.is_update and state.is_executemany:
        raise TenancyViolation(f"{name} updated by keys that may be those of another organisation")
    for row in _written(state):
        for column, value in row.items():
            given = getattr(value, "value", value)
            if getattr(column, "key", column) == "organization_id" and isinstance(given, int) and given != organization:
                raise TenancyViolation(f"{name} of another organisation in this session")


def _written(state: ORMExecuteState) -> Iterator[Mapping[Any, Any]]:
    """Iterate over what a statement writes, by column or its name; SQLAlchemy has no public word for its values."""
    parameters: Any = state.parameters or ()
    yield from (parameters,) if isinstance(parameters, Mapping) else parameters
    statement: Any = getattr(state.statement, "element", state.statement)  # what `from_statement` holds
    yield statement._values or {}  # noqa: SLF001
    yield from chain.from_iterable(statement._multi_values)  # noqa: SLF001


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
