"""Roles and permissions: those that are built in, and those that an organisation makes for itself."""

from helpdesk_core.accounts import permissions, queries, service
from helpdesk_core.accounts.models import CustomRole
from helpdesk_core.accounts.schemas.roles import CustomRoleRead, PermissionRead, RoleCreate, RoleRead, RoleUpdate
from helpdesk_core.errors import NotFound
from helpdesk_core.permissions import PLATFORM, ROLES
from helpdesk_core.schemas import Dialect, changes
from helpdesk_core.web.context import Context
from helpdesk_core.web.routing import Key, Router

router = Router("users", tag="Roles", document=Dialect.COMPREHENSIVE)


@router.get("/roles/", permission=permissions.VIEW_USERS)
def list_roles(ctx: Context) -> list[RoleRead]:
    """The roles, and what each may do: the built-in ones first, then those of the organization by name."""
    return [*(_built_in(ctx, role) for role in ROLES), *queries.custom_roles(ctx.session, ctx.services.roles)]


@router.get("/permissions/", permission=permissions.VIEW_USERS)
def list_permissions(ctx: Context) -> list[PermissionRead]:
    """Everything that a role can allow, by code."""
    declared = ctx.services.roles.declared
    return [
        PermissionRead.model_validate(
            {
                "code": code,
                "title": declared[code].title,
                "plugin": code.partition(":")[0],
                "roles": [role for role in declared[code].roles if role != PLATFORM],
            }
        )
        for code in sorted(ctx.services.roles.granted(declared))
    ]


@router.post("/roles/", permission=permissions.MANAGE_ROLES, status=201)
def create_role(ctx: Context, body: RoleCreate) -> CustomRoleRead:
    """Make a role; nobody can give it more than they may do themselves."""
    role = service.create_role(
        ctx.session,
        ctx.actor,
        ctx.services.roles,
        name=body.name,
        description=body.description,
        base=body.base,
        codes=body.permissions,
    )
    return ctx.one(queries.roles, role.id)


@router.get("/roles/{role_id}/", permission=permissions.VIEW_USERS)
def retrieve_role(ctx: Context, role_id: Key) -> CustomRoleRead:
    """One of the organization's own roles."""
    return ctx.one(queries.roles, role_id)


@router.put("/roles/{role_id}/", permission=permissions.MANAGE_ROLES)
def update_role(ctx: Context, role_id: Key, body: RoleUpdate) -> CustomRoleRead:
    """Change a role; what its users may do follows with their next request."""
    service.update_role(ctx.session, ctx.actor, ctx.services.roles, _role(ctx, role_id), changes(body))
    return ctx.one(queries.roles, role_id)


@router.delete("/roles/{role_id}/", permission=permissions.MANAGE_ROLES)
def delete_role(ctx: Context, role_id: Key) -> None:
    """Remove a role that nobody has."""
    service.delete_role(ctx.session, ctx.actor, ctx.services.roles, _role(ctx, role_id))


def _role(ctx: Context, role_id: int) -> CustomRole:
    role = ctx.session.get(CustomRole, role_id)
    if role is None:
        raise NotFound
    return role


def _built_in(ctx: Context, role: str) -> RoleRead:
    codes = sorted(ctx.services.roles.for_role(role, platform=False))
    shown = {"id": None, "role": role, "name": role.title(), "description": "", "is_custom": False}
    return RoleRead.model_validate({**shown, "permissions": codes})
