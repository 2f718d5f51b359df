"""Challenges: signed statements that the password was right and a code is still missing, valid for minutes.

A challenge is no access token, nor the other way round: type, audience and key are its own.
"""

from dataclasses import dataclass
from datetime import timedelta

from helpdesk_core.accounts.tokens import DIALECTS, Signer
from helpdesk_core.clock import Clock
from helpdesk_core.errors import Unauthenticated
from helpdesk_core.keys import derived_keys
from helpdesk_core.schemas import Dialect
from helpdesk_core.settings import Settings

TYPE = "challenge+jwt"
AUDIENCE = "helpdesk-second-step"
LIFETIME = timedelta(minutes=5)


class BadChallenge(Unauthenticated):
    """The challenge is invalid, has expired or was used. Log in again."""

    code = "AUTHENTICATION_REQUIRED"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a challenge states.

    Attributes:
        user_id: whose password was right.
        state: of their password and second factors at that time, see `second_factors.state_of`.
        dialect: the document of the endpoint that took the password.
    """

    user_id: int
    state: str
    dialect: Dialect


class Challenges:
    """Issues and reads challenges."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Derive the key of this purpose from the installation's own."""
        key = derived_keys(settings, "challenges")[0]
        self._signer = Signer(key, clock, kind=TYPE, audience=AUDIENCE)

    def issue(self, challenge: Challenge) -> str:
        """Return the token that states `challenge`, valid for five minutes from now on."""
        claims = {
            "sub": str(challenge.user_id),
            "state": challenge.state,
            "dialect": challenge.dialect.value,
        }
        return self._signer.sign(claims, LIFETIME)

    def read(self, token: str) -> Challenge:
        """Return what `token` states; `BadChallenge` unless every part of it is ours and it has not expired."""
        claims = self._signer.read(token)
        if claims is None:
            raise BadChallenge
        return Challenge(int(claims["sub"]), claims["state"], DIALECTS[claims["dialect"]])
