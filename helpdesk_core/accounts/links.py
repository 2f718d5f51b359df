"""Links in mails: what they prove, for how long, and why none works twice or after what it was made for has changed.

A token is the key of a row and a seal (HMAC-SHA256) over what the link is for. Nothing secret is stored: whoever reads
the database, an event or a backup can make no link of it. It stands behind `#`, which browsers do not send, so that it
is in no log of a server.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import orjson

from helpdesk_core.accounts.models import Confirmation, Invitation, User
from helpdesk_core.clock import Clock, api_time
from helpdesk_core.keys import derived_keys
from helpdesk_core.mail import base_url
from helpdesk_core.settings import Settings

Purpose = Literal["verify_email", "reset_password", "change_email"]
LIFETIMES: dict[Purpose, timedelta] = {
    "verify_email": timedelta(days=3),
    "reset_password": timedelta(hours=1),
    "change_email": timedelta(days=1),
}
INVITED_FOR = timedelta(days=7)
PAUSE = timedelta(minutes=1)
"""For how long a second request for the same mail sends none."""
PAGES: dict[str, str] = {
    "verify_email": "verify-email",
    "reset_password": "reset-password",
    "change_email": "confirm-email",
    "invitation": "accept-invitation",
}
LARGEST_KEY = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Claim:
    """What a link states.

    Attributes:
        purpose: of the link; one made for another is refused.
        key: of the row that the link is made from.
        expires_at: when it stops working.
        facts: what must not have changed since it was made.
    """

    purpose: str
    key: int
    expires_at: datetime
    facts: Sequence[Any]

    @property
    def text(self) -> bytes:
        """Return what is sealed."""
        return orjson.dumps([self.purpose, self.key, api_time(self.expires_at), *self.facts])


def claim_of_confirmation(confirmation: Confirmation, user: User) -> Claim:
    """Return the claim of a link that was mailed to a user.

    A link that opens an account, or moves it to another address, ends with the password that it was asked under, and
    with whatever ends all logins: deactivation, logging out everywhere, another reset.
    """
    facts: list[Any] = [user.id, confirmation.email, user.email]
    if confirmation.purpose != "verify_email":
        facts += [user.password_hash, user.token_version]
    return Claim(confirmation.purpose, confirmation.id, confirmation.expires_at, facts)


def claim_of_invitation(invitation: Invitation) -> Claim:
    """Return the claim of an invitation's link."""
    facts = [invitation.organization_id, invitation.email, invitation.role]
    return Claim("invitation", invitation.id, invitation.expires_at, facts)


class Links:
    """Makes the links, and tells ours from those that are not."""

    def __init__(self, settings: Settings, _: Clock) -> None:
        """Derive the keys of this purpose; those of before still open links that are under way."""
        self._keys = derived_keys(settings, "links")
        self._base = base_url(settings)

    def token(self, claim: Claim) -> str:
        """Return the token of a claim: always the same, so that a mail that is sent again holds the same link."""
        return f"{claim.key}.{_seal(self._keys[0], claim)}"

    def link(self, claim: Claim) -> str:
        """Return the link to the page that takes the token."""
        return f"{self._base}/account/{PAGES[claim.purpose]}/#{self.token(claim)}"

    def fits(self, token: str, claim: Claim) -> bool:
        """Tell whether `token` is that of the claim, in a time that says nothing about how near it came."""
        given = token.encode("utf-8", "replace")
        return any(hmac.compare_digest(given, f"{claim.key}.{_seal(key, claim)}".encode()) for key in self._keys)


def key_in(token: str) -> int:
    """Return the key of the row that a token names; 0, which no row has, if it names none."""
    digits = token.partition(".")[0]
    if not digits.isascii() or not digits.isdigit() or len(digits) > len(str(LARGEST_KEY)):
        return 0
    key = int(digits)
    return key if key <= LARGEST_KEY else 0


def _seal(key: bytes, claim: Claim) -> str:
    return urlsafe_b64encode(hmac.digest(key, claim.text, "sha256")).rstrip(b"=").decode()
