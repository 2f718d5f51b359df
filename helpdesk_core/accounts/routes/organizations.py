"""Organisations: one's own for everybody, all of them for platform administrators."""

from typing import Any

from helpdesk_core.accounts import permissions, queries, service
from helpdesk_core.accounts.errors import OwnOrganization
from helpdesk_core.accounts.models import User
from helpdesk_core.accounts.routes.answers import organization_at, refuse_unknown_organization
from helpdesk_core.accounts.routes.settings import checked_settings
from helpdesk_core.accounts.routes.users import authority_of, hash_password, subordinate
from helpdesk_core.accounts.schemas.organizations import (
    OrganizationCreate,
    OrganizationExtras,
    OrganizationFilters,
    OrganizationRead,
    OrganizationUpdate,
    SlugRead,
    SubscriptionRead,
    TierChangeRead,
    TierUpdate,
)
from helpdesk_core.accounts.schemas.users import UserCreate, UserExtras, UserFilters, UserRead
from helpdesk_core.errors import NotFound
from helpdesk_core.schemas import Dialect, Page, changes
from helpdesk_core.web.context import Context
from helpdesk_core.web.routing import Key, Router

router = Router("organizations", tag="Organizations", document=Dialect.COMPREHENSIVE)
HERE = "organization_id"


@router.get("/", permission=permissions.VIEW_ORGANIZATION, include=OrganizationExtras)
def list_organizations(ctx: Context, query: OrganizationFilters) -> Page[OrganizationRead]:
    """One's own organization; platform administrators see all."""
    return ctx.page(queries.organizations, query)


@router.post("/", permission=permissions.MANAGE_ORGANIZATIONS, status=201, include=OrganizationExtras)
def create_organization(ctx: Context, body: OrganizationCreate) -> OrganizationRead:
    """Make an organization; its first administrator is added to its members."""
    settings = checked_settings(ctx, body.settings)
    values = {**body.model_dump(exclude={"subscription_tier"}), "settings": settings}
    organization = service.create_organization(ctx.session, tier=body.subscription_tier, **values)
    return ctx.one(queries.organizations, organization.id)


@router.get("/by-slug/{slug}/", public=True)
def retrieve_by_slug(ctx: Context, slug: str) -> SlugRead:
    """The organization of a slug, as much as somebody needs who wants to register with it."""
    organization = queries.registering_organization(ctx.session, slug, "")
    if organization is None:
        raise NotFound
    return SlugRead.model_validate(organization, from_attributes=True, extra="ignore")


@router.get("/{organization_id}/", permission=permissions.VIEW_ORGANIZATION, include=OrganizationExtras)
def retrieve_organization(ctx: Context, organization_id: Key) -> OrganizationRead:
    """One organization."""
    return ctx.one(queries.organizations, organization_id)


@router.replace(
    "/{organization_id}/", permission=permissions.CHANGE_ORGANIZATION, within=HERE, include=OrganizationExtras
)
def update_organization(ctx: Context, organization_id: Key, body: OrganizationUpdate) -> OrganizationRead:
    """Change an organization; fields that are not sent keep their values, `settings` is replaced as a whole."""
    return _change(ctx, organization_id, changes(body))


@router.patch(
    "/{organization_id}/", permission=permissions.CHANGE_ORGANIZATION, within=HERE, include=OrganizationExtras
)
def partial_update_organization(ctx: Context, organization_id: Key, body: OrganizationUpdate) -> OrganizationRead:
    """Change an organization; of `settings`, only the keys that are sent."""
    values = changes(body)
    if "settings" in values:
        values["settings"] = {**organization_at(ctx, organization_id, lock=True).settings, **values["settings"]}
    return _change(ctx, organization_id, values)


@router.delete("/{organization_id}/", permission=permissions.MANAGE_ORGANIZATIONS, within=HERE)
def delete_organization(ctx: Context, organization_id: Key) -> None:
    """Remove an organization that has no users."""
    service.delete_organization(ctx.session, organization_at(ctx, organization_id))


@router.post(
    "/{organization_id}/activate/",
    permission=permissions.MANAGE_ORGANIZATIONS,
    within=HERE,
    include=OrganizationExtras,
)
def activate_organization(ctx: Context, organization_id: Key) -> OrganizationRead:
    """Open a closed organization again."""
    service.set_organization_active(ctx.session, organization_at(ctx, organization_id), active=True)
    return ctx.one(queries.organizations, organization_id)


@router.post(
    "/{organization_id}/deactivate/",
    permission=permissions.MANAGE_ORGANIZATIONS,
    within=HERE,
    include=OrganizationExtras,
)
def deactivate_organization(ctx: Context, organization_id: Key) -> OrganizationRead:
    """Close an organization: its members can neither log in nor use a token."""
    organization = organization_at(ctx, organization_id)
    if ctx.session.get(User, ctx.actor.user_id) is not None:
        raise OwnOrganization
    service.set_organization_active(ctx.session, organization, active=False)
    return ctx.one(queries.organizations, organization_id)


@router.post(
    "/{organization_id}/change-tier/",
    permission=permissions.CHANGE_ORGANIZATION,
    needs=permissions.CHANGE_TIER,
    within=HERE,
    include=OrganizationExtras,
)
def change_tier(ctx: Context, organization_id: Key, body: TierUpdate) -> OrganizationRead:
    """Change the subscription tier, which takes a platform administrator."""
    ctx.actor.require(permissions.CHANGE_TIER)
    return _change(ctx, organization_id, changes(body))


@router.get("/{organization_id}/subscription/", permission=permissions.CHANGE_ORGANIZATION, within=HERE)
def retrieve_subscription(ctx: Context, organization_id: Key) -> SubscriptionRead:
    """The subscription tier and its history."""
    organization = organization_at(ctx, organization_id)
    history = [
        TierChangeRead.model_validate(row, from_attributes=True, extra="ignore")
        for row in queries.tier_changes(ctx.session)
    ]
    return SubscriptionRead.model_validate({"subscription_tier": organization.subscription_tier, "changes": history})


@router.get("/{organization_id}/members/", permission=permissions.VIEW_USERS, within=HERE, include=UserExtras)
def list_members(ctx: Context, organization_id: Key, query: UserFilters) -> Page[UserRead]:
    """Users of an organization, newest first; customers and technicians see themselves."""
    refuse_unknown_organization(ctx, organization_id)
    return ctx.page(queries.users, query)


@router.post(
    "/{organization_id}/members/",
    permission=permissions.MANAGE_USERS,
    within=HERE,
    status=201,
    slow=True,
    prepare=hash_password,
    include=UserExtras,
)
def add_member(ctx: Context, organization_id: Key, body: UserCreate, prepared: str) -> UserRead:
    """Make an account in an organization."""
    authority_of(ctx).require_role(body.role)
    user = service.add_user(ctx.session, organization_at(ctx, organization_id), body, prepared)
    return ctx.one(queries.users, user.id)


@router.delete("/{organization_id}/members/{user_id}/", permission=permissions.MANAGE_USERS, within=HERE)
def remove_member(ctx: Context, organization_id: Key, user_id: Key) -> None:  # noqa: ARG001
    """Close the account of a member."""
    service.deactivate_user(ctx.session, subordinate(ctx, user_id))


def _change(ctx: Context, organization_id: int, values: dict[str, Any]) -> OrganizationRead:
    organization = organization_at(ctx, organization_id)
    if "settings" in values:
        values["settings"] = checked_settings(ctx, values["settings"])
    service.change_organization(ctx.session, ctx.actor, organization, values)
    return ctx.one(queries.organizations, organization_id)
