"""Who sees what a person keeps and may share with colleagues: templates, saved filters."""

from typing import Any

from sqlalchemy import ColumnElement, bindparam, or_
from sqlalchemy.orm import InstrumentedAttribute

from helpdesk_core.api import Actor, Permission, Visibility


class OwnOrShared(Visibility):
    """One's own rows, and those that others made public for all who have a permission."""

    def __init__(
        self, permission: Permission, owner: InstrumentedAttribute[Any], shared: InstrumentedAttribute[bool]
    ) -> None:
        """Say who sees what others share, whose a row is, and whether it is shared."""
        self._permission = permission
        self._owner = owner
        self._shared = shared

    def variant(self, actor: Actor) -> str:
        """Return `shared` or `own`."""
        return "shared" if actor.can(self._permission) else "own"

    def criterion(self, variant: str) -> ColumnElement[bool]:
        """Return the comparison with the actor."""
        own = self._owner == bindparam("actor_id")
        return or_(own, self._shared.is_(True)) if variant == "shared" else own
