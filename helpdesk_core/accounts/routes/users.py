"""The users of an organisation, for those who work with them and those who administer them."""

from helpdesk_core.accounts import permissions, queries, service
from helpdesk_core.accounts.models import Organization, User
from helpdesk_core.accounts.passwords import Passwords, password_problem
from helpdesk_core.accounts.schemas.users import (
    RoleChange,
    RoleRead,
    UserCreate,
    UserExtras,
    UserFilters,
    UserRead,
    UserUpdate,
)
from helpdesk_core.errors import Invalid, NotFound
from helpdesk_core.permissions import ROLES
from helpdesk_core.schemas import Dialect, Page, changes
from helpdesk_core.web.context import Context
from helpdesk_core.web.routing import Key, Router

router = Router("users", tag="Users", document=Dialect.COMPREHENSIVE)


def hash_password(ctx: Context, body: UserCreate, **_: int) -> str:
    """Return the hash of the new account's password, if it may be one."""
    if problem := password_problem(body.password, (body.username, body.email, body.first_name, body.last_name)):
        raise Invalid.field("password", problem)
    return ctx.services.get(Passwords).hash(body.password)


@router.get("/", permission=permissions.VIEW_USERS, include=UserExtras, document=Dialect.CLASSIC)
def list_users(ctx: Context, query: UserFilters) -> Page[UserRead]:
    """Users of the organization, newest first; customers and technicians see themselves."""
    return ctx.page(queries.users, query)


@router.post("/", permission=permissions.MANAGE_USERS, status=201, slow=True, prepare=hash_password, include=UserExtras)
def create_user(ctx: Context, body: UserCreate, prepared: str) -> UserRead:
    """Make an account for somebody."""
    organization = ctx.session.get_one(Organization, ctx.actor.organization_id)
    user = service.add_user(ctx.session, organization, body, prepared)
    return ctx.one(queries.users, user.id)


@router.get("/roles/", permission=permissions.VIEW_USERS)
def list_roles(ctx: Context) -> list[RoleRead]:
    """The roles, and what each may do."""
    codes = {role: ctx.services.roles.for_role(role, platform=False) for role in ROLES}
    return [RoleRead.model_validate({"role": role, "permissions": sorted(codes[role])}) for role in ROLES]


@router.get("/{user_id}/", permission=permissions.VIEW_USERS, include=UserExtras)
def retrieve_user(ctx: Context, user_id: Key) -> UserRead:
    """One user."""
    return ctx.one(queries.users, user_id)


@router.put("/{user_id}/", permission=permissions.MANAGE_USERS, include=UserExtras)
def change_user(ctx: Context, user_id: Key, body: UserUpdate) -> UserRead:
    """Change a user; fields that are not sent keep their values, null clears. The role has its own action."""
    service.change_user(ctx.session, _user(ctx, user_id), changes(body))
    return ctx.one(queries.users, user_id)


@router.delete("/{user_id}/", permission=permissions.MANAGE_USERS)
def deactivate_user(ctx: Context, user_id: Key) -> None:
    """Close an account: its tokens stop working at once, and what the user made stays."""
    service.deactivate_user(ctx.session, _user(ctx, user_id))


@router.post("/{user_id}/activate/", permission=permissions.MANAGE_USERS, include=UserExtras)
def activate_user(ctx: Context, user_id: Key) -> UserRead:
    """Open a closed account again."""
    service.reactivate_user(ctx.session, _user(ctx, user_id))
    return ctx.one(queries.users, user_id)


@router.post("/{user_id}/change-role/", permission=permissions.MANAGE_USERS, include=UserExtras)
def change_role(ctx: Context, user_id: Key, body: RoleChange) -> UserRead:
    """Give a user another role; it applies from their next request on."""
    service.change_role(ctx.session, _user(ctx, user_id), body.role)
    return ctx.one(queries.users, user_id)


def _user(ctx: Context, user_id: int) -> User:
    user = ctx.session.get(User, user_id)
    if user is None:
        raise NotFound
    return user
