"""Invitations to an organisation, for those who manage its users."""

from helpdesk_core.accounts import permissions, queries, service
from helpdesk_core.accounts.models import Invitation
from helpdesk_core.accounts.routes.answers import refuse_unknown_organization
from helpdesk_core.accounts.routes.users import authority_of
from helpdesk_core.accounts.schemas.invitations import InvitationCreate, InvitationFilters, InvitationRead
from helpdesk_core.errors import NotFound
from helpdesk_core.schemas import Dialect, Page
from helpdesk_core.web.context import Context
from helpdesk_core.web.routing import Key, Router

router = Router("organizations", tag="Organizations", document=Dialect.COMPREHENSIVE)
HERE = "organization_id"


@router.get("/{organization_id}/invitations/", permission=permissions.MANAGE_USERS, within=HERE)
def list_invitations(ctx: Context, organization_id: Key, query: InvitationFilters) -> Page[InvitationRead]:
    """Invitations of an organization, newest first."""
    refuse_unknown_organization(ctx, organization_id)
    waiting = ctx.now if query.pending else None
    settled = ctx.now if query.pending is False else None
    return ctx.page(queries.invitations, query, pending=waiting, settled=settled)


@router.post("/{organization_id}/invitations/", permission=permissions.MANAGE_USERS, within=HERE, status=201)
def create_invitation(ctx: Context, organization_id: Key, body: InvitationCreate) -> InvitationRead:
    """Invite an address to join in a role; it gets a link by mail, and an earlier invitation to it ends."""
    refuse_unknown_organization(ctx, organization_id)
    made = service.invite(ctx.session, authority_of(ctx), body.email, body.role)
    return ctx.one(queries.invitations, made.id)


@router.delete("/{organization_id}/invitations/{invitation_id}/", permission=permissions.MANAGE_USERS, within=HERE)
def revoke_invitation(ctx: Context, organization_id: Key, invitation_id: Key) -> None:  # noqa: ARG001
    """Take an invitation back: its link stops working, and it stays in the list."""
    service.revoke_invitation(ctx.session, authority_of(ctx), _invitation(ctx, invitation_id))


@router.post("/{organization_id}/invitations/{invitation_id}/resend/", permission=permissions.MANAGE_USERS, within=HERE)
def resend_invitation(ctx: Context, organization_id: Key, invitation_id: Key) -> InvitationRead:  # noqa: ARG001
    """Mail an invitation again, at most once a minute; the earlier link stops working, the new one lives seven days."""
    service.resend_invitation(ctx.session, authority_of(ctx), _invitation(ctx, invitation_id))
    return ctx.one(queries.invitations, invitation_id)


def _invitation(ctx: Context, invitation_id: int) -> Invitation:
    invitation = ctx.session.get(Invitation, invitation_id)
    if invitation is None or invitation.revoked_at is not None:
        raise NotFound
    return invitation
