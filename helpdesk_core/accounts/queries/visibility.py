"""Whose rows somebody sees."""

from typing import Any

from sqlalchemy import ColumnElement, bindparam
from sqlalchemy.orm import InstrumentedAttribute

from helpdesk_core.permissions import Actor, Permission, Visibility


class OwnOrganizationOr(Visibility):
    """Rows of one's own organisation, or all with a permission."""

    def __init__(self, permission: Permission, column: InstrumentedAttribute[int]) -> None:
        """Say which column holds the organisation."""
        self._permission = permission
        self._column = column

    def variant(self, actor: Actor) -> str:
        """Return `all` or `own`."""
        return "all" if actor.can(self._permission) else "own"

    def criterion(self, variant: str) -> ColumnElement[bool] | None:
        """Return the comparison with the actor's organisation."""
        return None if variant == "all" else self._column == bindparam("organization_id")


class Own(Visibility):
    """One's own rows, whoever one is."""

    def __init__(self, owner: InstrumentedAttribute[Any]) -> None:
        """Say which column holds the user whose row it is."""
        self._owner = owner

    def variant(self, actor: Actor) -> str:
        """Return `own`: nobody sees those of others, nor hears that they vanish."""
        return "own"

    def criterion(self, variant: str) -> ColumnElement[bool] | None:
        """Return the comparison with the actor."""
        return self._owner == bindparam("actor_id")
