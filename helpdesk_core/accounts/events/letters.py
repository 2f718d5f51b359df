"""What happens by links in mails, and by invitations."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from helpdesk_core.events import Event


class LinkIssued(Event):
    """A link was made for a user, to be mailed; what it opens is derived when the mail is written."""

    type: ClassVar[str] = "user.link_issued"

    user_id: int
    """Whom it is for."""
    confirmation_id: int
    """What it is made from."""
    purpose: Literal["verify_email", "reset_password", "change_email"]
    """What it is for."""


class EmailVerified(Event):
    """A user proved that mails to their address reach them."""

    type: ClassVar[str] = "user.email_verified"
    about: ClassVar[Mapping[str, str]] = {"user": "user_id"}

    user_id: int
    """The user."""


class PasswordResetRequested(Event):
    """Somebody who is not logged in asked for a new password of the account with an address.

    Where no account has the address, this happens in the organisation that takes registrations which name none, so
    that neither the answer nor its duration tells.
    """

    type: ClassVar[str] = "user.password_reset_requested"

    user_id: int | None
    """Whose password; nobody, if no account has the address."""
    address: str
    """Where from: an IP address, as far as trusted proxies tell."""


class PasswordReset(Event):
    """A password was set by a link in a mail; every login of the user ended."""

    type: ClassVar[str] = "user.password_reset"

    user_id: int
    """The user."""


class EmailChanged(Event):
    """A user has another address: one that they confirmed, or that an administrator has entered."""

    type: ClassVar[str] = "user.email_changed"
    about: ClassVar[Mapping[str, str]] = {"user": "user_id"}

    user_id: int
    """The user."""
    previous_email: str
    """The address of before."""


class UserInvited(Event):
    """An address was invited to the organisation, or was sent its invitation again."""

    type: ClassVar[str] = "user.invited"

    invitation_id: int
    """The invitation."""
    role: str
    """The role that it offers."""


class InvitationAccepted(Event):
    """Somebody who was invited made their account."""

    type: ClassVar[str] = "user.invitation_accepted"

    invitation_id: int
    """The invitation."""
    user_id: int
    """The new user."""


class InvitationRevoked(Event):
    """An invitation was taken back, or replaced by another one to the same address."""

    type: ClassVar[str] = "user.invitation_revoked"

    invitation_id: int
    """The invitation."""
