"""Saved filters: parameters of the list of tickets, kept in the words of their author."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core.api import (
    Actor,
    Dialect,
    FieldError,
    Invalid,
    NotFound,
    PermissionDenied,
    Unprocessable,
    changes,
    now,
    read_query,
)
from helpdesk_tickets.models import SavedFilter
from helpdesk_tickets.permissions import SHARE_FILTERS
from helpdesk_tickets.queries.filters import VISIBLE
from helpdesk_tickets.schemas.filters import SavedFilterCreate, SavedFilterUpdate
from helpdesk_tickets.schemas.tickets import TicketFilters

NOT_SAVED = ("page", "filter")
"""Parameters of the list that say nothing about which tickets are wanted, or would never end."""


class FilterOutdated(Unprocessable):
    """This saved filter uses parameters that the list of tickets no longer has."""


@dataclass(frozen=True, slots=True)
class SavedParameters:
    """What a saved filter asks the list of tickets for.

    Attributes:
        query: validated.
        dialect: the document in whose words it was written.
    """

    query: TicketFilters
    dialect: Dialect


def create_filter(session: Session, actor: Actor, data: SavedFilterCreate, dialect: Dialect) -> SavedFilter:
    """Keep parameters under a name.

    Raises:
        Invalid: the list of tickets has no such parameters.
    """
    if data.is_public:
        actor.require(SHARE_FILTERS)
    read_parameters(data.filter_params, dialect)
    moment = now(session)
    saved = SavedFilter(
        **data.model_dump(), owner_id=actor.user_id, dialect=dialect.value, created_at=moment, updated_at=moment
    )
    session.add(saved)
    session.flush()
    return saved


def update_filter(
    session: Session, actor: Actor, filter_id: int, data: SavedFilterUpdate, dialect: Dialect
) -> SavedFilter:
    """Change a filter of the actor's; new parameters are in the words of `dialect`."""
    saved = _own_filter(session, actor, filter_id)
    changed = changes(data)
    if changed.get("is_public"):
        actor.require(SHARE_FILTERS)
    if "filter_params" in changed and changed["filter_params"] != saved.filter_params:
        read_parameters(data.filter_params, dialect)
        changed["dialect"] = dialect.value
    for name, value in changed.items():
        setattr(saved, name, value)
    saved.updated_at = now(session)
    session.flush()
    return saved


def delete_filter(session: Session, actor: Actor, filter_id: int) -> None:
    """Remove a filter of the actor's."""
    session.delete(_own_filter(session, actor, filter_id))
    session.flush()


def parameters_of(session: Session, actor: Actor, filter_id: int) -> SavedParameters:
    """Return what a filter that the actor may see asks for.

    Raises:
        NotFound: there is none.
        FilterOutdated: the list of tickets has changed since it was saved.
    """
    saved = _visible_filter(session, actor, filter_id)
    dialect = Dialect(saved.dialect)
    try:
        return SavedParameters(read_parameters(saved.filter_params, dialect), dialect)
    except Invalid as error:
        raise FilterOutdated(errors=error.errors) from None


def read_parameters(parameters: Mapping[str, Any], dialect: Dialect) -> TicketFilters:
    """Validate parameters as the list of tickets itself would; errors name them below `filter_params`."""
    written = {name: _written(name, value) for name, value in parameters.items() if value is not None}
    for name in NOT_SAVED:
        if name in written:
            raise _invalid(name, "This cannot be saved.")
    try:
        return read_query(TicketFilters, written, dialect)
    except Invalid as error:
        errors = [FieldError(f"filter_params.{each.field}", each.message) for each in error.errors]
        raise Invalid(errors=errors) from None


def _written(name: str, value: Any) -> str:
    """Return a JSON value as a query string would have it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        return str(value)
    if isinstance(value, list) and value and not any(isinstance(part, (list, dict)) for part in value):
        return ",".join(_written(name, part) for part in value)
    raise _invalid(name, "Enter a text, a number, or a list of them.")


def _invalid(name: str, message: str) -> Invalid:
    return Invalid.field(f"filter_params.{name}", message)


def _visible_filter(session: Session, actor: Actor, filter_id: int) -> SavedFilter:
    wanted = select(SavedFilter).where(SavedFilter.id == filter_id, VISIBLE.criterion(VISIBLE.variant(actor)))
    saved = session.scalars(wanted, {"actor_id": actor.user_id}).one_or_none()
    if saved is None:
        raise NotFound
    return saved


def _own_filter(session: Session, actor: Actor, filter_id: int) -> SavedFilter:
    saved = _visible_filter(session, actor, filter_id)
    if saved.owner_id != actor.user_id:
        raise PermissionDenied("Only its owner can change a saved filter.")
    return saved
