"""The verbs of roles that organisations make for themselves."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from helpdesk_core import audit
from helpdesk_core.accounts.errors import RoleInUse
from helpdesk_core.accounts.events import RoleCreated, RoleDeleted, RoleUpdated
from helpdesk_core.accounts.models import CustomRole, Organization, RoleAssignment, User
from helpdesk_core.accounts.schemas.types import key_of
from helpdesk_core.accounts.service.authority import Authority
from helpdesk_core.accounts.service.second_factors import require_two_factor
from helpdesk_core.errors import AlreadyExists, Invalid
from helpdesk_core.events import now, publish
from helpdesk_core.permissions import ROLES, Actor, RolePermissions


def create_role(
    session: Session, actor: Actor, roles: RolePermissions, *, name: str, description: str, base: str,
    codes: Iterable[str],
) -> CustomRole:  # fmt: skip
    """Make a role.

    Args:
        session: of the organisation.
        actor: who makes it.
        roles: every declared permission.
        name: unique without case in the organisation.
        description: for people.
        base: the built-in role that its users show as.
        codes: of the permissions that it gives.

    Raises:
        Invalid: a code is unknown, or nothing that an organisation can give (400).
        BeyondOneself: the actor does not have all of the permissions (403).
        AlreadyExists: the name is taken (409).
    """
    granted = _grantable(roles, codes)
    Authority(actor, roles).require_codes(granted)
    _refuse_taken(session, name)
    moment = now(session)
    role = CustomRole(
        name=name,
        name_key=key_of(name),
        description=description,
        base=base,
        permissions=granted,
        created_at=moment,
        updated_at=moment,
    )
    session.add(role)
    session.flush()
    shown = {"name": name, "base": base, "permissions": granted}
    audit.record(session, "role.created", "role", role.id, after=shown)
    publish(session, RoleCreated(role_id=role.id))
    return role


def update_role(
    session: Session, actor: Actor, roles: RolePermissions, role: CustomRole, values: Mapping[str, Any]
) -> None:
    """Change a role; what its users may do follows with their next request.

    Raises:
        Invalid: a code is unknown, or nothing that an organisation can give (400).
        BeyondOneself: the role gives, or would give, what the actor does not have (403).
        AlreadyExists: the name is taken (409).
    """
    wanted = dict(values)
    if "permissions" in wanted:
        wanted["permissions"] = _grantable(roles, wanted["permissions"], known=role.permissions)
    _require_authority(actor, roles, role, wanted.get("permissions", ()))
    changed = sorted(name for name, value in wanted.items() if getattr(role, name) != value)
    if not changed:
        return
    if "name" in changed:
        _refuse_taken(session, wanted["name"], but=role.id)
    before = {name: getattr(role, name) for name in changed}
    for name in changed:
        setattr(role, name, wanted[name])
    role.name_key = key_of(role.name)
    role.updated_at = now(session)
    session.flush()
    if "base" in changed:
        _show_as(session, role)
    after = {name: wanted[name] for name in changed}
    audit.record(session, "role.updated", "role", role.id, before=before, after=after)
    publish(session, RoleUpdated(role_id=role.id, changed=changed))


def delete_role(session: Session, actor: Actor, roles: RolePermissions, role: CustomRole) -> None:
    """Remove a role that nobody has.

    Raises:
        BeyondOneself: it gives what the actor does not have (403).
        RoleInUse: somebody has it (409).
    """
    _require_authority(actor, roles, role)
    having = select(func.count()).select_from(RoleAssignment).where(RoleAssignment.role_id == role.id)
    if users := session.scalar(having):
        raise RoleInUse(details={"users": users})
    shown = {"name": role.name, "base": role.base, "permissions": role.permissions}
    session.delete(role)
    session.flush()
    audit.record(session, "role.deleted", "role", role.id, before=shown)
    publish(session, RoleDeleted(role_id=role.id))


def _require_authority(actor: Actor, roles: RolePermissions, role: CustomRole, more: Iterable[str] = ()) -> None:
    Authority(actor, roles).require_codes({*role.permissions, *more})


def _grantable(roles: RolePermissions, codes: Iterable[str], *, known: Iterable[str] = ()) -> list[str]:
    """Return the codes, sorted; a role keeps those of a plugin that is gone."""
    wanted = sorted(set(codes))
    unknown = sorted(set(wanted) - roles.granted(wanted) - set(known))
    if unknown:
        raise Invalid.field("permissions", f"There is no permission {unknown[0]!r} to give.")
    return wanted


def _refuse_taken(session: Session, name: str, *, but: int | None = None) -> None:
    taken = select(CustomRole.id).where(CustomRole.name_key == key_of(name), CustomRole.id != (but or 0))
    if key_of(name) in ROLES or session.scalar(taken):
        raise AlreadyExists.field("name", "There is a role of this name.")


def _show_as(session: Session, role: CustomRole) -> None:
    having = select(RoleAssignment.user_id).where(RoleAssignment.role_id == role.id)
    session.execute(
        update(User)
        .where(User.id.in_(having))
        .values(role=role.base, updated_at=role.updated_at)
        .execution_options(synchronize_session=False)
    )
    require_two_factor(session, session.get_one(Organization, role.organization_id))
