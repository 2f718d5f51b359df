"""The verbs of invitations."""

from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from helpdesk_core import audit
from helpdesk_core.accounts import queries
from helpdesk_core.accounts.errors import InvitationSettled, bad_link
from helpdesk_core.accounts.events import InvitationAccepted, InvitationRevoked, UserInvited, UserRegistered
from helpdesk_core.accounts.links import INVITED_FOR, PAUSE, Links, claim_of_invitation, key_in
from helpdesk_core.accounts.models import Invitation, Organization, User
from helpdesk_core.accounts.schemas.invitations import Acceptance
from helpdesk_core.accounts.schemas.types import key_of
from helpdesk_core.accounts.service.authority import Authority
from helpdesk_core.accounts.service.users import create_user
from helpdesk_core.errors import AlreadyExists
from helpdesk_core.events import now, publish
from helpdesk_core.tenancy import set_organization


def invite(session: Session, authority: Authority, email: str, role: str) -> Invitation:
    """Invite an address to the organisation of `session`; one that waits for the same address is replaced.

    Raises:
        AlreadyExists: somebody of the organisation has the address (409). Accounts elsewhere are not told of.
        BeyondOneself: the role, or that of the invitation that would be replaced, may do what the actor may not (403).
    """
    authority.require_role(role)
    if session.scalar(select(User.id).where(User.email_key == key_of(email))):
        raise AlreadyExists.field("email", "An account with this address exists.")
    waiting = select(Invitation).where(Invitation.email_key == key_of(email), *_unanswered())
    for earlier in session.scalars(waiting).all():
        revoke_invitation(session, authority, earlier)
    moment = now(session)
    invitation = Invitation(
        email=email,
        email_key=key_of(email),
        role=role,
        invited_by_id=authority.actor.user_id,
        created_at=moment,
        expires_at=moment + INVITED_FOR,
        accepted_at=None,
        revoked_at=None,
    )
    session.add(invitation)
    session.flush()
    shown = {"email": email, "role": role}
    audit.record(session, "invitation.created", "invitation", invitation.id, after=shown)
    publish(session, UserInvited(invitation_id=invitation.id, role=role))
    return invitation


def resend_invitation(session: Session, authority: Authority, invitation: Invitation) -> None:
    """Mail an invitation again, with a new link that lives as long as the first did; within a minute, nothing happens.

    Raises:
        BeyondOneself: the role may do what the actor may not (403).
        InvitationSettled: it was accepted or revoked (409).
    """
    authority.require_role(invitation.role)
    moment = now(session)
    if invitation.accepted_at or invitation.revoked_at:
        raise InvitationSettled
    if moment - (invitation.expires_at - INVITED_FOR) < PAUSE:
        return
    if not _change_unanswered(session, invitation, expires_at=moment + INVITED_FOR):
        raise InvitationSettled
    audit.record(session, "invitation.resent", "invitation", invitation.id)
    publish(session, UserInvited(invitation_id=invitation.id, role=invitation.role))


def revoke_invitation(session: Session, authority: Authority, invitation: Invitation) -> None:
    """Take an invitation back: its link works no more.

    Raises:
        BeyondOneself: the role may do what the actor may not (403).
        InvitationSettled: it was accepted or revoked already (409).
    """
    authority.require_role(invitation.role)
    if not _change_unanswered(session, invitation, revoked_at=now(session)):
        raise InvitationSettled
    audit.record(session, "invitation.revoked", "invitation", invitation.id)
    publish(session, InvitationRevoked(invitation_id=invitation.id))


def find_invitation(session: Session, links: Links, token: str) -> tuple[Invitation, Organization]:
    """Return the invitation of a link, and who invites; the session, without an organisation yet, gets theirs.

    Raises:
        Invalid: the link is not ours, revoked, used or expired, or the organisation or the account of who invited is
            closed (400).
    """
    organization_id = queries.organization_of_link(session, Invitation, key_in(token))
    if organization_id is None:
        raise bad_link()
    set_organization(session, organization_id)
    invitation = session.get(Invitation, key_in(token))
    if invitation is None or not links.fits(token, claim_of_invitation(invitation)):
        raise bad_link()
    if invitation.accepted_at or invitation.revoked_at or invitation.expires_at <= now(session):
        raise bad_link()
    organization = session.get_one(Organization, organization_id)
    if not organization.is_active or not queries.is_open(session, invitation.invited_by_id):
        raise bad_link()
    return invitation, organization


def accept_invitation(session: Session, links: Links, data: Acceptance, password_hash: str) -> User:
    """Make the account of somebody who was invited; their address is verified, since the link reached them there.

    Raises:
        AlreadyExists: the user name is taken, or the address by now (409).
        Invalid: the link is not good (400).
    """
    invitation, organization = find_invitation(session, links, data.token)
    if not _change_unanswered(session, invitation, accepted_at=now(session)):
        raise bad_link()
    user = create_user(
        session,
        organization=organization,
        username=data.username,
        email=invitation.email,
        password_hash=password_hash,
        role=invitation.role,
        first_name=data.first_name,
        last_name=data.last_name,
        is_verified=True,
    )
    shown = {"username": user.username, "email": user.email, "role": user.role}
    audit.record(session, "user.created", "user", user.id, after=shown, actor_id=user.id)
    audit.record(session, "invitation.accepted", "invitation", invitation.id, actor_id=user.id)
    publish(session, UserRegistered(user_id=user.id, role=user.role, by_administrator=False))
    publish(session, InvitationAccepted(invitation_id=invitation.id, user_id=user.id))
    return user


def _unanswered() -> tuple[ColumnElement[bool], ...]:
    return Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None)


def _change_unanswered(session: Session, invitation: Invitation, **values: datetime) -> bool:
    """Change an invitation that nobody accepted or revoked yet; of two acts that come at once, one succeeds."""
    change = update(Invitation).where(Invitation.id == invitation.id, *_unanswered()).values(**values)
    return session.execute(change.returning(Invitation.id)).first() is not None
