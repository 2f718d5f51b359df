"""The users of an organisation, for those who work with them and those who administer them."""

from collections.abc import Mapping
from typing import Any

from helpdesk_core.accounts import permissions, queries, service
from helpdesk_core.accounts.models import Organization, User
from helpdesk_core.accounts.passwords import Passwords, password_problem
from helpdesk_core.accounts.schemas.roles import RoleChange
from helpdesk_core.accounts.schemas.users import (
    UserCreate,
    UserExtras,
    UserFilters,
    UserRead,
    UserUpdate,
)
from helpdesk_core.accounts.service import second_factors
from helpdesk_core.accounts.service.authority import Authority
from helpdesk_core.errors import Invalid, NotFound
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
    authority_of(ctx).require_role(body.role)
    user = service.add_user(ctx.session, organization, body, prepared)
    return ctx.one(queries.users, user.id)


@router.get("/{user_id}/", permission=permissions.VIEW_USERS, include=UserExtras)
def retrieve_user(ctx: Context, user_id: Key) -> UserRead:
    """One user."""
    return ctx.one(queries.users, user_id)


@router.put("/{user_id}/", permission=permissions.MANAGE_USERS, include=UserExtras)
def change_user(ctx: Context, user_id: Key, body: UserUpdate) -> UserRead:
    """Change a user; fields that are not sent keep their values, null clears. The role has its own action.

    One's own address has one as well, `/users/change-email/`, which asks for the password.
    """
    user, values = subordinate(ctx, user_id), changes(body)
    if user_id == ctx.actor.user_id:
        _refuse_own_address(user, values)
    service.change_user(ctx.session, user, values)
    return ctx.one(queries.users, user_id)


@router.delete("/{user_id}/", permission=permissions.MANAGE_USERS)
def deactivate_user(ctx: Context, user_id: Key) -> None:
    """Close an account: its tokens stop working at once, and what the user made stays."""
    service.deactivate_user(ctx.session, subordinate(ctx, user_id))


@router.post("/{user_id}/activate/", permission=permissions.MANAGE_USERS, include=UserExtras)
def activate_user(ctx: Context, user_id: Key) -> UserRead:
    """Open a closed account again."""
    service.reactivate_user(ctx.session, subordinate(ctx, user_id))
    return ctx.one(queries.users, user_id)


@router.post("/{user_id}/change-role/", permission=permissions.MANAGE_USERS, include=UserExtras)
def change_role(ctx: Context, user_id: Key, body: RoleChange) -> UserRead:
    """Give a user another role, built in (`role`) or custom (`custom_role`); it applies from their next request on."""
    user = subordinate(ctx, user_id)
    if (body.role is None) == (body.custom_role is None):
        raise Invalid.field("role", "Name either a role or a custom role.")
    if body.custom_role is not None:
        service.assign_role(ctx.session, authority_of(ctx), user, body.custom_role)
    elif body.role is not None:
        service.change_role(ctx.session, authority_of(ctx), user, body.role)
    return ctx.one(queries.users, user_id)


@router.delete("/{user_id}/2fa/", permission=permissions.MANAGE_USERS, personal=True)
def reset_second_factor(ctx: Context, user_id: Key) -> None:
    """Remove the second factor of somebody who has lost their devices and their backup codes; they are told by mail."""
    second_factors.reset(ctx.session, subordinate(ctx, user_id))


def _refuse_own_address(user: User, values: Mapping[str, Any]) -> None:
    for name in ("email", "is_verified"):
        if values.get(name, getattr(user, name)) != getattr(user, name):
            raise Invalid.field(name, "Change your own address with /users/change-email/.")


def authority_of(ctx: Context) -> Authority:
    """Return how far the caller's authority reaches."""
    return Authority(ctx.actor, ctx.services.roles)


def subordinate(ctx: Context, user_id: int) -> User:
    """Return a user over whom the caller may decide."""
    user = ctx.session.get(User, user_id)
    if user is None:
        raise NotFound
    authority_of(ctx).require_over(ctx.session, user)
    return user
