"""Who acts, what they may do, and what they may see, as SQL, so that "may I" and "list what I may" agree."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, bindparam, or_
from sqlalchemy.orm import InstrumentedAttribute

from helpdesk_core.errors import PermissionDenied

ROLES = ("customer", "technician", "agent", "admin")
"""The built-in roles of an organisation, from the least to the most trusted."""

STAFF = ("technician", "agent", "admin")
PLATFORM = "platform"
"""Pseudo-role of platform administrators: what crosses organisations is granted to it alone."""


@dataclass(frozen=True, slots=True)
class Permission:
    """Something that can be allowed.

    Attributes:
        code: `<plugin>:<resource>:<action>`, for instance `tickets:ticket:assign`.
        title: a short sentence for the people who edit roles.
        roles: the built-in roles that have it.
    """

    code: str
    title: str
    roles: tuple[str, ...] = ("admin",)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a request, or for whom a job runs.

    Attributes:
        user_id: key of the user.
        organization_id: key of their organisation.
        role: one of `ROLES`.
        is_platform_admin: may work across organisations.
        permissions: codes of everything that they may do.
        tier: subscription tier of the organisation.
        disabled_plugins: ids of plugins that the organisation has switched off.
        must_enroll: has to set up a second factor before anything else.
    """

    user_id: int
    organization_id: int
    role: str
    is_platform_admin: bool = False
    permissions: frozenset[str] = frozenset()
    tier: str = "free"
    disabled_plugins: frozenset[str] = frozenset()
    must_enroll: bool = False

    def can(self, permission: Permission) -> bool:
        """Tell whether the actor has `permission`."""
        return permission.code in self.permissions

    def require(self, permission: Permission, message: str | None = None) -> None:
        """Raise `PermissionDenied` unless the actor has `permission`."""
        if permission.code not in self.permissions:
            raise PermissionDenied(message, details={"permission": permission.code})


@dataclass(frozen=True)
class RolePermissions:
    """Every declared permission, and the codes each role has."""

    declared: Mapping[str, Permission] = field(default_factory=dict)

    @classmethod
    def of(cls, permissions: Iterable[Permission]) -> "RolePermissions":
        """Collect declarations; codes must be unique, which the plugin host has checked."""
        return cls({permission.code: permission for permission in permissions})

    def granted(self, codes: Iterable[str]) -> frozenset[str]:
        """Return those of `codes` that are declared and that an organisation can give."""
        return frozenset(code for code in codes if code in self.declared and self.declared[code].roles != (PLATFORM,))

    def for_role(self, role: str, *, platform: bool) -> frozenset[str]:
        """Return the codes that a role has; a platform administrator has those of `PLATFORM` as well."""
        roles = {role, PLATFORM} if platform else {role}
        return frozenset(code for code, permission in self.declared.items() if roles & set(permission.roles))


class Visibility:
    """Which rows of a model an actor may see."""

    def variant(self, actor: Actor) -> str:
        """Name the SQL that applies to `actor`: one statement is compiled for each name."""
        return "all"

    def criterion(self, variant: str) -> ColumnElement[bool] | None:
        """Return the condition of a variant, with `:actor_id` bound later; nothing when it allows every row."""
        return None

    def arms(self, variant: str) -> Sequence[ColumnElement[bool]]:
        """Return the alternatives that make the condition, each one range of an index; none if it is one itself."""
        return ()

    def oversees(self, variant: str) -> bool:
        """Tell whether those of a variant see the rows of everybody, and so hear of all that vanish."""
        return variant == "all"


class OwnOr(Visibility):
    """All rows for those who have a permission, one's own for everybody else."""

    def __init__(self, permission: Permission, *owners: InstrumentedAttribute[Any]) -> None:
        """Say which columns hold the user whose row it is."""
        self._permission = permission
        self._owners = owners

    def variant(self, actor: Actor) -> str:
        """Return `all` or `own`."""
        return "all" if actor.can(self._permission) else "own"

    def criterion(self, variant: str) -> ColumnElement[bool] | None:
        """Return the comparison with the actor."""
        return None if variant == "all" else or_(*self.arms(variant))

    def arms(self, variant: str) -> Sequence[ColumnElement[bool]]:
        """Return one comparison for each column that may hold the owner."""
        return () if variant == "all" else [owner == bindparam("actor_id") for owner in self._owners]


def own_or(permission: Permission, *owners: InstrumentedAttribute[Any]) -> OwnOr:
    """Return the visibility: all rows with `permission`, else those whose `owners` hold the actor's id."""
    return OwnOr(permission, *owners)


everyone_in_the_organization = Visibility()


class Unless(Visibility):
    """All rows for those who have a permission, those that satisfy a condition for everybody else."""

    def __init__(self, permission: Permission, condition: ColumnElement[bool]) -> None:
        """Say which rows need the permission by the condition that the others satisfy."""
        self._permission = permission
        self._condition = condition

    def variant(self, actor: Actor) -> str:
        """Return `all` or `limited`."""
        return "all" if actor.can(self._permission) else "limited"

    def criterion(self, variant: str) -> ColumnElement[bool] | None:
        """Return the condition."""
        return None if variant == "all" else self._condition


def unless(permission: Permission, condition: ColumnElement[bool]) -> Unless:
    """Return the visibility: all rows with `permission`, else only those that satisfy `condition`."""
    return Unless(permission, condition)
