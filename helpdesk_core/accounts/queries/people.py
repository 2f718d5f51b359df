"""What can be read of people and of their roles."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

from sqlalchemy import ColumnElement, String, and_, bindparam, func, or_, select, true
from sqlalchemy.orm import Session

from helpdesk_core.accounts import permissions
from helpdesk_core.accounts.models import (
    CustomRole,
    RoleAssignment,
    User,
)
from helpdesk_core.accounts.schemas.roles import CustomRoleRead, RoleRead
from helpdesk_core.accounts.schemas.types import Role, key_of
from helpdesk_core.accounts.schemas.users import UserExtras, UserRead
from helpdesk_core.permissions import Permission, RolePermissions, own_or
from helpdesk_core.queries import Column, Computed, Prepared, ReadModel, equals
from helpdesk_core.queries.filters import WordsIn
from helpdesk_core.tenancy import reaching


class PeopleSearch(WordsIn):
    """Finds people: every word begins a user name or either half of an address, or occurs in a name.

    A whole address therefore finds its account alone.
    """

    def criterion(self, name: str, arity: int) -> ColumnElement[bool]:
        """Look for each word."""
        username, email, full_name = (func.lower(column) for column in self.columns)
        words = [bindparam(f"{name}_{index}", type_=String()) for index in range(arity)]
        return and_(
            true(),
            *(
                or_(
                    username.startswith(word, escape="\\"),
                    email.startswith(word, escape="\\"),
                    email.contains("@" + word, escape="\\"),
                    full_name.contains(word, escape="\\"),
                )
                for word in words
            ),
        )


users = ReadModel(
    User,
    schema=UserRead,
    fields={
        "last_active_at": Column(User.last_active_at, volatile=True),
        "avatar": Computed(lambda _, key, stored: stored and f"/api/v1/users/{key}/avatar/", User.id, User.avatar),
        "is_agent": Computed(lambda _, role: role in {"agent", "admin"}, User.role),
        "is_customer": Computed(lambda _, role: role == "customer", User.role),
        "is_technician": Computed(lambda _, role: role == "technician", User.role),
    },
    optional=UserExtras,
    filters={"role": equals(User.role), "is_active": equals(User.is_active)},
    ordering=["created_at", "username", "email", "full_name", "last_active_at"],
    default_order="-created_at",
    search=PeopleSearch((User.username, User.email, User.full_name)),
    visible=own_or(permissions.VIEW_ALL_USERS, User.id),
)


roles = ReadModel(
    CustomRole,
    schema=CustomRoleRead,
    fields={"role": Column(CustomRole.base), "is_custom": Computed(lambda _: True)},
    ordering=["name"],
    default_order="name",
)


def names_of(session: Session, user_id: int) -> tuple[str, ...]:
    """Return what must not be the password of a user: their names and addresses."""
    columns = (User.username, User.email, User.first_name, User.last_name, User.full_name)
    row = session.execute(select(*columns).where(User.id == user_id)).one()
    return tuple(row)


def taken_names(session: Session, *, username: str, email: str) -> list[tuple[str, str, int]]:
    """Return `(username_key, email_key, id)` of the accounts, of any organisation, that have one of the two."""
    with reaching(session):
        rows = _TAKEN.rows(session, {"username_key": key_of(username), "email_key": key_of(email)})
    return [(row[0], row[1], row[2]) for row in rows]


_TAKEN = Prepared(
    select(User.username_key, User.email_key, User.id).where(
        or_(User.username_key == bindparam("username_key"), User.email_key == bindparam("email_key"))
    )
)


def custom_roles(session: Session, roles: RolePermissions) -> list[RoleRead]:
    """Return the roles that the session's organisation made for itself, by name, with what they give today."""
    found = session.scalars(select(CustomRole).order_by(CustomRole.name_key))
    return [
        RoleRead(
            id=role.id,
            role=cast("Role", role.base),
            name=role.name,
            description=role.description,
            is_custom=True,
            permissions=sorted(roles.granted(role.permissions)),
        )
        for role in found
    ]


def those_who_may(
    session: Session, roles: RolePermissions, permission: Permission, user_ids: Collection[int]
) -> frozenset[int]:
    """Return those of some users who have a permission: by their role, or by the one that stands instead of it."""
    columns = (User.id, User.role, User.is_platform_admin, CustomRole.permissions)
    has = and_(RoleAssignment.user_id == User.id, RoleAssignment.organization_id == User.organization_id)
    rows = session.execute(
        select(*columns)
        .outerjoin(RoleAssignment, has)
        .outerjoin(CustomRole, CustomRole.id == RoleAssignment.role_id)
        .where(User.id.in_(user_ids))
    )
    return frozenset(
        user_id
        for user_id, role, platform, custom in rows
        if permission.code
        in (
            roles.for_role(role, platform=platform)
            if custom is None
            else roles.granted(custom) | roles.for_role("", platform=platform)
        )
    )


def count_users(session: Session) -> int:
    """Return how many active accounts the session's organisation has."""
    return session.scalar(select(func.count()).select_from(User).where(User.is_active)) or 0


@dataclass(frozen=True, slots=True)
class Holder:
    """The account that has an address, of whatever organisation."""

    user_id: int
    organization_id: int
    email: str
    language: str
    timezone: str
    is_active: bool


def holder_of(session: Session, email: str) -> Holder | None:
    """Return who has an address, if anybody does; `session` may be of any organisation, or of none yet."""
    with reaching(session):
        found = _HOLDER.rows(session, {"email_key": key_of(email)})
    return Holder(*found[0]) if found else None


_HOLDER = Prepared(
    select(User.id, User.organization_id, User.email, User.language, User.timezone, User.is_active).where(
        User.email_key == bindparam("email_key")
    )
)
