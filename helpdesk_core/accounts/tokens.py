"""Access tokens: signed statements of who has logged in, valid for minutes.

The signature and the claims are checked here; whether login, user and organisation still stand is looked up with
every request (`authenticators.py`), so that nothing outlives its revocation.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from helpdesk_core.clock import Clock
from helpdesk_core.errors import Unauthenticated
from helpdesk_core.keys import signing_key
from helpdesk_core.schemas import Dialect
from helpdesk_core.settings import Settings

ALGORITHM = "HS256"
TYPE = "at+jwt"
ISSUER = "helpdesk"
AUDIENCE = "helpdesk-api"
LONGEST_TOKEN = 4096
KEPT_TOKENS = 10_000
"""Tokens whose signature was checked are remembered: checking it takes 30 us, and a client sends it many times."""
_DIALECTS = {dialect.value: dialect for dialect in Dialect}


class BadToken(Unauthenticated):
    """The access token is invalid or has expired."""

    code = "AUTHENTICATION_REQUIRED"


@dataclass(frozen=True, slots=True)
class Access:
    """What an access token states.

    Attributes:
        user_id: who logged in.
        login_id: by which login.
        version: the user's token version at that time.
        dialect: the document of the endpoint that issued it.
        expires_at: when it stops being valid.
    """

    user_id: int
    login_id: int
    version: int
    dialect: Dialect
    expires_at: datetime


class Tokens:
    """Issues and reads access tokens."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Derive the key of this purpose from the installation's own."""
        secret = hmac.digest(signing_key(settings), b"access tokens", "sha256")
        self._kid = hashlib.sha256(secret).hexdigest()[:16]
        self._key = OctKey.import_key(secret, {"kid": self._kid, "alg": ALGORITHM, "use": "sig"})
        self._clock = clock
        self._known: dict[str, Access] = {}
        self.lifetime = timedelta(minutes=settings.access_token_minutes)
        self.refresh_lifetime = timedelta(days=settings.refresh_token_days)

    def issue(self, *, user_id: int, login_id: int, version: int, dialect: Dialect) -> str:
        """Return a token for `user_id`, valid from now on for `lifetime`."""
        issued = int(self._clock.now().timestamp())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "iat": issued,
            "exp": issued + int(self.lifetime.total_seconds()),
            "jti": secrets.token_urlsafe(12),
            "login": login_id,
            "version": version,
            "dialect": dialect.value,
        }
        return jwt.encode({"alg": ALGORITHM, "kid": self._kid, "typ": TYPE}, claims, self._key)

    def read(self, token: str) -> Access:
        """Return what `token` states; `BadToken` unless every part of it is ours and it has not expired."""
        known = self._known.get(token)
        if known is not None and known.expires_at > self._clock.now():
            return known
        access = self._read(token)
        if len(self._known) >= KEPT_TOKENS:
            self._known.clear()
        self._known[token] = access
        return access

    def _read(self, token: str) -> Access:
        if len(token) > LONGEST_TOKEN:
            raise BadToken
        try:
            decoded = jwt.decode(token, self._key, algorithms=[ALGORITHM])
        except (JoseError, ValueError):
            raise BadToken from None
        if decoded.header.get("typ") != TYPE or decoded.header.get("kid") != self._kid:
            raise BadToken
        return self._access(decoded.claims)

    def _access(self, claims: dict[str, Any]) -> Access:
        if claims.get("iss") != ISSUER or claims.get("aud") != AUDIENCE:
            raise BadToken
        if claims["exp"] <= self._clock.now().timestamp():
            raise BadToken
        return Access(
            int(claims["sub"]),
            claims["login"],
            claims["version"],
            _DIALECTS[claims["dialect"]],
            datetime.fromtimestamp(claims["exp"], UTC),
        )


def new_refresh_token() -> tuple[str, str]:
    """Return a new refresh token and the hash under which it is stored."""
    token = secrets.token_urlsafe(32)
    return token, hash_of(token)


def hash_of(token: str) -> str:
    """Return the hash under which a random token is stored; its entropy makes a slow hash needless."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
