"""The verbs of users."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from helpdesk_core import audit
from helpdesk_core.accounts.events import EmailChanged, UserDeactivated, UserRegistered, UserUpdated
from helpdesk_core.accounts.models import CustomRole, Login, Organization, RoleAssignment, User
from helpdesk_core.accounts.queries import core_settings, taken_names
from helpdesk_core.accounts.schemas.types import key_of
from helpdesk_core.accounts.schemas.users import Registration, UserCreate
from helpdesk_core.accounts.service.authority import (
    Authority,
    administers,
    assigned_role,
    refuse_without_administrator,
)
from helpdesk_core.accounts.service.second_factors import require_two_factor
from helpdesk_core.errors import AlreadyExists, Invalid
from helpdesk_core.events import now, publish

CLEARED: Mapping[str, Any] = {"first_name": "", "last_name": "", "phone": None, "timezone": "UTC", "language": "en"}
"""What null makes of a field."""


def create_user(
    session: Session,
    *,
    organization: Organization,
    username: str,
    email: str,
    password_hash: str,
    role: str = "customer",
    is_platform_admin: bool = False,
    **fields: Any,
) -> User:
    """Make an account; nothing is published, which is for the verbs that know why it is made.

    Args:
        session: of the organisation, or unscoped.
        organization: where the account belongs; its settings give time zone and language.
        username: unique without case in the installation.
        email: unique without case in the installation.
        password_hash: from `Passwords.hash`.
        role: one of `ROLES`.
        is_platform_admin: whether the account may work across organisations.
        fields: `first_name`, `last_name`, `phone`, `timezone`, `language`, `is_verified`.

    Raises:
        AlreadyExists: the user name or the address is taken (409).
    """
    _refuse_taken(session, username, email)
    moment = now(session)
    settings = core_settings(organization)
    defaults = {"timezone": settings.timezone, "language": settings.language}
    given: dict[str, Any] = {name: value for name, value in fields.items() if value is not None}
    user = User(
        organization_id=organization.id,
        username=username,
        username_key=key_of(username),
        email=email,
        email_key=key_of(email),
        password_hash=password_hash,
        role=role,
        is_platform_admin=is_platform_admin,
        created_at=moment,
        updated_at=moment,
        **(dict(CLEARED) | defaults | given),
    )
    user.full_name = _full_name(user)
    session.add(user)
    session.flush()
    return user


def add_user(session: Session, organization: Organization, data: Registration | UserCreate, password_hash: str) -> User:
    """Make the account that somebody asked for: themselves, or an administrator for them.

    Raises:
        AlreadyExists: the user name or the address is taken (409).
    """
    by_administrator = isinstance(data, UserCreate)
    user = create_user(
        session,
        organization=organization,
        password_hash=password_hash,
        role=data.role if isinstance(data, UserCreate) else "customer",
        **data.model_dump(include={"username", "email", *CLEARED}),
    )
    shown = {"username": user.username, "email": user.email, "role": user.role}
    by = None if by_administrator else user.id
    audit.record(session, "user.created", "user", user.id, after=shown, actor_id=by)
    publish(session, UserRegistered(user_id=user.id, role=user.role, by_administrator=by_administrator))
    return user


def change_user(session: Session, user: User, changes: Mapping[str, Any]) -> None:
    """Change fields of a user; null clears those that can be empty.

    Raises:
        AlreadyExists: the user name or the address is taken (409).
    """
    values: dict[str, Any] = {name: CLEARED[name] if value is None else value for name, value in changes.items()}
    changed = sorted(name for name, value in values.items() if getattr(user, name) != value)
    if {"username", "email"} & set(changed):
        _refuse_taken(session, values.get("username", user.username), values.get("email", user.email), but=user.id)
    before = {name: getattr(user, name) for name in changed}
    for name in changed:
        setattr(user, name, values[name])
    if "email" in changed and "is_verified" not in changes:
        user.is_verified = False
    user.username_key, user.email_key = key_of(user.username), key_of(user.email)
    user.full_name = _full_name(user)
    mark_changed(session, user, changed)
    if changed:
        audit.record(
            session, "user.updated", "user", user.id, before=before, after={name: values[name] for name in changed}
        )
    if "email" in changed:
        publish(session, EmailChanged(user_id=user.id, previous_email=before["email"]))


def change_role(session: Session, authority: Authority, user: User, role: str) -> None:
    """Give a user a built-in role, which also ends a custom one; it applies from their next request on.

    Raises:
        BeyondOneself: the role may do what the actor may not (403).
        LastAdministrator: the organisation would have none (409).
    """
    authority.require_role(role)
    _give_role(session, user, role, None)


def assign_role(session: Session, authority: Authority, user: User, role_id: int) -> None:
    """Give a user one of the organisation's own roles; it applies from their next request on.

    Raises:
        Invalid: there is no such role (400).
        BeyondOneself: the role may do what the actor may not (403).
        LastAdministrator: the organisation would have none (409).
    """
    custom = session.get(CustomRole, role_id)
    if custom is None:
        raise Invalid.field("custom_role", "There is no such role.")
    authority.require_codes(custom.permissions)
    _give_role(session, user, custom.base, custom)


def _give_role(session: Session, user: User, role: str, custom: CustomRole | None) -> None:
    had = assigned_role(session, user.id)
    before: dict[str, Any] = {"role": user.role, "custom_role": had.id if had else None}
    after: dict[str, Any] = {"role": role, "custom_role": custom.id if custom else None}
    changed = sorted(name for name in after if after[name] != before[name])
    if not changed:
        return
    administered = administers(session, user)
    user.role = role
    session.execute(delete(RoleAssignment).where(RoleAssignment.user_id == user.id))
    if custom is not None:
        session.execute(
            insert(RoleAssignment).values(user_id=user.id, role_id=custom.id, organization_id=user.organization_id)
        )
    mark_changed(session, user, changed)
    require_two_factor(session, session.get_one(Organization, user.organization_id), user.id)
    audit.record(session, "user.role_changed", "user", user.id, before=before, after=after)
    if administered:
        refuse_without_administrator(session)


def deactivate_user(session: Session, user: User) -> None:
    """Close an account. What the user made stays; their tokens stop working at once.

    Raises:
        LastAdministrator: the organisation would have none (409).
    """
    if not user.is_active:
        return
    administered = administers(session, user)
    user.is_active = False
    user.token_version += 1
    user.updated_at = now(session)
    session.flush()
    open_logins = update(Login).where(Login.user_id == user.id, Login.ended_at.is_(None))
    session.execute(open_logins.values(ended_at=now(session)))
    audit.record(session, "user.deactivated", "user", user.id)
    if administered:
        refuse_without_administrator(session)
    publish(session, UserDeactivated(user_id=user.id))


def reactivate_user(session: Session, user: User) -> None:
    """Open a closed account again; earlier logins stay ended."""
    if not user.is_active:
        user.is_active = True
        mark_changed(session, user, ["is_active"])
        audit.record(session, "user.reactivated", "user", user.id)


def set_password(session: Session, user: User, password_hash: str) -> None:
    """Store another password, hashed by `Passwords.hash`."""
    user.password_hash = password_hash
    user.updated_at = now(session)
    session.flush()


def mark_changed(session: Session, user: User, changed: list[str]) -> None:
    """Note that these fields of a user have other values now, and publish it; nothing happens when there are none."""
    if not changed:
        return
    user.updated_at = now(session)
    session.flush()
    publish(session, UserUpdated(user_id=user.id, changed=changed))


def _refuse_taken(session: Session, username: str, email: str, *, but: int | None = None) -> None:
    taken = [row for row in taken_names(session, username=username, email=email) if row[2] != but]
    if any(row[0] == key_of(username) for row in taken):
        raise AlreadyExists.field("username", "This user name is taken.")
    if taken:
        raise AlreadyExists.field("email", "An account with this address exists.")


def _full_name(user: User) -> str:
    return f"{user.first_name} {user.last_name}".strip() or user.username
