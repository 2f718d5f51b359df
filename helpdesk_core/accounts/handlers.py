"""What happens after something happened to an account: mails.

A handler reads what the mail says and hands it over once its transaction is committed. A mail that a server did not
take is tried again with the event, under the same Message-ID. `ALL` is what delivery knows.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from helpdesk_core.accounts import service
from helpdesk_core.accounts.events import (
    ApiKeyCreated,
    EmailChanged,
    LinkIssued,
    PasswordChanged,
    PasswordReset,
    PasswordResetRequested,
    SecondFactorAdded,
    SecondFactorDisabled,
    UserInvited,
    UserRegistered,
)
from helpdesk_core.accounts.letters import Letters, Recipient, as_holder, as_invited, at_their_address
from helpdesk_core.accounts.links import Links, claim_of_confirmation, claim_of_invitation
from helpdesk_core.accounts.models import Confirmation, Invitation, Organization, User
from helpdesk_core.accounts.queries import holder_of
from helpdesk_core.events import (
    Event,
    Handler,
    HandlerContext,
    Origin,
    attribute_session,
    on,
)
from helpdesk_core.limits.events import QuotaReached
from helpdesk_core.mail import Mailer
from helpdesk_core.tenancy import organization_of

NOTICES: Mapping[type[Event], str] = {
    PasswordChanged: "password-changed",
    PasswordReset: "password-was-reset",
    SecondFactorAdded: "two-factor-enabled",
    SecondFactorDisabled: "two-factor-disabled",
    ApiKeyCreated: "api-key-created",
}
"""Events that their user is told of, at their own address, and the mail that tells; each event has a `user_id`."""

LINK_MAILS = {"verify_email": "verify-email", "reset_password": "reset-password", "change_email": "confirm-email"}


@on(UserRegistered)
def offer_verification(ctx: HandlerContext, event: UserRegistered) -> None:
    """Make the link that verifies the address of somebody who made their account themselves."""
    if not event.by_administrator:
        service.resend_verification(ctx.session, event.user_id)


@on(PasswordResetRequested)
def offer_reset(ctx: HandlerContext, event: PasswordResetRequested) -> None:
    """Make the link that was asked for, if there is an open account."""
    if event.user_id is not None:
        attribute_session(ctx.session, ctx.session.info["bus"], None, Origin(event.address), cause=ctx.happened)
        service.offer_reset(ctx.session, event.user_id)


@on(LinkIssued)
def send_link(ctx: HandlerContext, event: LinkIssued) -> None:
    """Mail a link, unless a newer one has taken its place."""
    confirmation = ctx.session.get(Confirmation, event.confirmation_id)
    user = ctx.session.get_one(User, event.user_id)
    if confirmation is None or confirmation.used_at or confirmation.expires_at <= ctx.now or not user.is_active:
        return
    moves = event.purpose == "change_email"
    holder = holder_of(ctx.session, confirmation.email) if moves else None
    if holder is not None and holder.user_id != user.id:
        if holder.is_active:
            _send(ctx, "address-taken", as_holder(holder))
        return
    link = ctx.get(Links).link(claim_of_confirmation(confirmation, user))
    recipient = at_their_address(user, confirmation.email if moves else "")
    _send(ctx, LINK_MAILS[event.purpose], recipient, link=link, expires_at=confirmation.expires_at)


@on(UserInvited)
def send_invitation(ctx: HandlerContext, event: UserInvited) -> None:
    """Mail an invitation, unless it was answered or taken back meanwhile."""
    invitation = ctx.session.get_one(Invitation, event.invitation_id)
    organization = _organization(ctx)
    if invitation.accepted_at or invitation.revoked_at or invitation.expires_at <= ctx.now:
        return
    if not organization.is_active:
        return
    inviter = ctx.session.get(User, invitation.invited_by_id) if invitation.invited_by_id else None
    _send(
        ctx,
        "invitation",
        as_invited(invitation.email, organization),
        link=ctx.get(Links).link(claim_of_invitation(invitation)),
        expires_at=invitation.expires_at,
        organization=organization.name,
        inviter=inviter.full_name if inviter else "",
        role=invitation.role,
    )


@on(EmailChanged)
def tell_previous_address(ctx: HandlerContext, event: EmailChanged) -> None:
    """Tell the address of before that the account has left it: it may be a thief who moved it."""
    if _notifies(ctx):
        user = ctx.session.get_one(User, event.user_id)
        _send(ctx, "email-changed", at_their_address(user, event.previous_email), happened_at=_when(ctx))


def notice(event: type[Event], name: str) -> Handler:
    """Return the handler that tells a user of something that happened to their account."""

    def tell(ctx: HandlerContext, happened: Any) -> None:
        user = ctx.session.get_one(User, happened.user_id)
        if _notifies(ctx) and user.is_active:
            _send(ctx, name, at_their_address(user), happened_at=_when(ctx))

    return on(event, name=f"tell_of_{name.replace('-', '_')}")(tell)


@on(QuotaReached)
def warn_of_quota(ctx: HandlerContext, event: QuotaReached) -> None:
    """Tell the administrators of an organisation how much of its quota is used."""
    if not _notifies(ctx):
        return
    name = _organization(ctx).name
    administrators = select(User).where(User.role == "admin", User.is_active).order_by(User.id)
    for user in ctx.session.scalars(administrators):
        recipient = at_their_address(user)
        _send(ctx, "quota-reached", recipient, organization=name, month=event.month, percent=event.percent)


ALL = (
    offer_verification,
    offer_reset,
    send_link,
    send_invitation,
    tell_previous_address,
    warn_of_quota,
    *(notice(event, name) for event, name in NOTICES.items()),
)


def _send(ctx: HandlerContext, name: str, recipient: Recipient, **values: str | int | datetime) -> None:
    """Write a mail now, and send it once the transaction is committed."""
    mail = ctx.get(Letters).write(name, recipient, f"{ctx.event_id} {recipient.address}", **values)
    mailer = ctx.get(Mailer)
    ctx.then(lambda: mailer.send(mail))


def _notifies(ctx: HandlerContext) -> bool:
    """Tell whether the organisation wants its people to be told of what they did not ask a mail for."""
    return _organization(ctx).settings.get("notifications") is not False


def _organization(ctx: HandlerContext) -> Organization:
    return ctx.session.get_one(Organization, organization_of(ctx.session))


def _when(ctx: HandlerContext) -> datetime:
    """Return when the event happened, however late it is delivered."""
    return ctx.happened.at
