"""The verbs of what is confirmed by a link in a mail: an address, a forgotten password, another address.

Those that use a link take a session without an organisation; it gets that of the link.
"""

from typing import cast

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from helpdesk_core import audit
from helpdesk_core.accounts import queries
from helpdesk_core.accounts.errors import bad_link
from helpdesk_core.accounts.events import (
    EmailVerified,
    LinkIssued,
    PasswordReset,
    PasswordResetRequested,
)
from helpdesk_core.accounts.links import LIFETIMES, PAUSE, Links, Purpose, claim_of_confirmation, key_in
from helpdesk_core.accounts.models import Confirmation, LoginDelay, Organization, User
from helpdesk_core.accounts.service.locks import locked_user
from helpdesk_core.accounts.service.logins import end_logins
from helpdesk_core.accounts.service.users import change_user, set_password
from helpdesk_core.events import now, publish
from helpdesk_core.tenancy import set_organization


def issue_link(session: Session, user_id: int, purpose: Purpose, email: str | None = None) -> bool:
    """Make a link for a user; it ends the earlier ones of its purpose. The mail is written by a handler.

    Args:
        session: of the user's organisation.
        user_id: whom it is for.
        purpose: what it is for.
        email: where to, if that is not the user's present address.

    Returns:
        Whether one was made: not within a minute of one for the same address.
    """
    user = locked_user(session, user_id)  # one at a time, or the earlier would not be seen
    moment = now(session)
    email = email or user.email
    mine = (Confirmation.user_id == user_id, Confirmation.purpose == purpose)
    recent = Confirmation.created_at > moment - PAUSE
    if session.scalar(select(Confirmation.id).where(*mine, recent, Confirmation.email == email)):
        return False
    made = Confirmation(
        user_id=user_id,
        purpose=purpose,
        email=email,
        created_at=moment,
        expires_at=moment + LIFETIMES[purpose],
        used_at=None,
    )
    session.add(made)
    session.flush()
    session.execute(delete(Confirmation).where(*mine, Confirmation.id != made.id))
    publish(session, LinkIssued(user_id=user_id, confirmation_id=made.id, purpose=purpose))
    return True


def find_link(session: Session, links: Links, token: str, purpose: Purpose) -> tuple[Confirmation, User]:
    """Return what a link was made from, and for whom; the session gets their organisation.

    Args:
        session: without an organisation yet.
        links: know the keys.
        token: of the link.
        purpose: what it has to be for.

    Raises:
        Invalid: it is not ours, for something else, used, expired, or what it was made for has changed (400).
    """
    organization_id = queries.organization_of_link(session, Confirmation, key_in(token))
    if organization_id is None:
        raise bad_link()
    set_organization(session, organization_id)
    confirmation = session.get(Confirmation, key_in(token))
    if confirmation is None or confirmation.purpose != purpose:
        raise bad_link()
    user = session.get_one(User, confirmation.user_id)
    if not links.fits(token, claim_of_confirmation(confirmation, user)):
        raise bad_link()
    if confirmation.used_at or confirmation.expires_at <= now(session):
        raise bad_link()
    if not user.is_active or not session.get_one(Organization, organization_id).is_active:
        raise bad_link()
    return confirmation, user


def resend_verification(session: Session, user_id: int) -> None:
    """Make another link that verifies the address of a user, if it is not verified."""
    if not session.get_one(User, user_id).is_verified:
        issue_link(session, user_id, "verify_email")


def verify_email(session: Session, links: Links, token: str) -> None:
    """Mark the address of a user as theirs.

    Raises:
        Invalid: the link is not good (400).
    """
    _, user = _use_link(session, links, token, "verify_email")
    _mark_verified(session, user)


def request_reset(session: Session, email: str, address: str, default_organization: str) -> None:
    """Take note that the password of the account with `email` is forgotten, if there is such an account.

    The same statements run whether there is one or not; everything else is done by the event's handler.

    Args:
        session: without an organisation yet.
        email: as it was typed; mails only ever go to the account's own address.
        address: of the client.
        default_organization: slug of the one where requests for nobody are noted.
    """
    holder = queries.holder_of(session, email)
    fallback = queries.registering_organization(session, None, default_organization)
    if fallback is None and holder is None:
        return  # an installation without open organisations is open to nobody
    set_organization(session, holder.organization_id if holder else cast("Organization", fallback).id)
    publish(session, PasswordResetRequested(user_id=holder.user_id if holder else None, address=address))


def offer_reset(session: Session, user_id: int) -> None:
    """Make the link that sets a new password, if the account is open."""
    user = session.get_one(User, user_id)
    if not user.is_active or not session.get_one(Organization, user.organization_id).is_active:
        return
    if issue_link(session, user_id, "reset_password"):
        audit.record(session, "user.password_reset_requested", "user", user_id)


def reset_password(session: Session, links: Links, token: str, password_hash: str) -> None:
    """Set a new password by a link, and end whatever somebody who knew the old one may have begun.

    Raises:
        Invalid: the link is not good (400).
    """
    confirmation, _ = find_link(session, links, token, "reset_password")
    # Before the user is locked, in the order of `service.locks`.
    session.execute(delete(LoginDelay).where(LoginDelay.user_id == confirmation.user_id))
    user = _use_up(session, links, token, confirmation)
    set_password(session, user, password_hash)
    end_logins(session, user)
    _mark_verified(session, user)
    audit.record(session, "user.password_reset", "user", user.id, actor_id=user.id)
    publish(session, PasswordReset(user_id=user.id))


def request_email_change(session: Session, user_id: int, email: str) -> None:
    """Make the link that moves a user to another address; nothing changes until it is followed.

    Whether another account has the address makes no difference here; it is seen when the mail is written.
    """
    if issue_link(session, user_id, "change_email", email):
        audit.record(session, "user.email_change_requested", "user", user_id, after={"email": email})


def confirm_email(session: Session, links: Links, token: str) -> None:
    """Move a user to the address that their link was mailed to; it is verified by that.

    Raises:
        AlreadyExists: another account has the address by now (409).
        Invalid: the link is not good (400).
    """
    confirmation, user = _use_link(session, links, token, "change_email")
    change_user(session, user, {"email": confirmation.email, "is_verified": True})
    audit.record(session, "user.email_confirmed", "user", user.id, actor_id=user.id)


def _use_link(session: Session, links: Links, token: str, purpose: Purpose) -> tuple[Confirmation, User]:
    """Return what a good link was made from, and use it up; of two that come at once, one succeeds."""
    confirmation, _ = find_link(session, links, token, purpose)
    return confirmation, _use_up(session, links, token, confirmation)


def _use_up(session: Session, links: Links, token: str, confirmation: Confirmation) -> User:
    """Use up a link that was found, if it is still good, and return its user, locked until the transaction ends."""
    user = _lock_for(session, confirmation)
    if not user.is_active or not links.fits(token, claim_of_confirmation(confirmation, user)):
        raise bad_link()
    moment = now(session)
    unused = (Confirmation.used_at.is_(None), Confirmation.expires_at > moment)
    used = update(Confirmation).where(Confirmation.id == confirmation.id, *unused).values(used_at=moment)
    if session.execute(used.returning(Confirmation.id)).first() is None:
        raise bad_link()
    return user


def _lock_for(session: Session, confirmation: Confirmation) -> User:
    """Return the user of a link, locked as strongly as what it is for will need: locks that grow wait for each other.

    The address is a key of its row, which PostgreSQL changes only once nobody is about to refer to the row.
    """
    key_share = confirmation.purpose != "change_email"
    return session.get_one(User, confirmation.user_id, populate_existing=True, with_for_update={"key_share": key_share})


def _mark_verified(session: Session, user: User) -> None:
    if user.is_verified:
        return
    user.is_verified = True
    user.updated_at = now(session)
    session.flush()
    audit.record(session, "user.email_verified", "user", user.id, actor_id=user.id)
    publish(session, EmailVerified(user_id=user.id))
