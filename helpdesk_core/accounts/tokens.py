"""Access tokens: signed statements of who has logged in, valid for minutes.

The signature and the claims are checked here; whether login, user and organisation still stand is looked up with
every request (`authenticators.py`), so that nothing outlives its revocation.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from helpdesk_core.clock import Clock
from helpdesk_core.errors import Unauthenticated
from helpdesk_core.keys import derived_keys
from helpdesk_core.schemas import Dialect
from helpdesk_core.settings import Settings

ALGORITHM = "HS256"
TYPE = "at+jwt"
ISSUER = "helpdesk"
AUDIENCE = "helpdesk-api"
LONGEST_TOKEN = 4096
KEPT_TOKENS = 10_000
"""Tokens whose signature was checked are remembered: checking it takes 30 us, and a client sends it many times."""
DIALECTS = {dialect.value: dialect for dialect in Dialect}


class BadToken(Unauthenticated):
    """The access token is invalid or has expired."""

    code = "AUTHENTICATION_REQUIRED"
    challenge = 'Bearer realm="helpdesk", error="invalid_token"'


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


class Signer:
    """Signs statements of one type, and reads only those."""

    def __init__(self, key: bytes, clock: Clock, *, kind: str, audience: str) -> None:
        """Keep the key of this purpose.

        Args:
            key: 256 bits.
            clock: tells when a statement is issued and when it expires.
            kind: what the header calls the statement, `at+jwt`: one of another kind is refused.
            audience: whom the statement is for.
        """
        self._kid = hashlib.sha256(key).hexdigest()[:16]
        self._key = OctKey.import_key(key, {"kid": self._kid, "alg": ALGORITHM, "use": "sig"})
        self._clock = clock
        self._kind = kind
        self._audience = audience

    def sign(self, claims: Mapping[str, Any], lifetime: timedelta) -> str:
        """Return a token that states `claims`, valid from now on for `lifetime`."""
        issued = int(self._clock.now().timestamp())
        stated = {
            "iss": ISSUER,
            "aud": self._audience,
            "iat": issued,
            "exp": issued + int(lifetime.total_seconds()),
            "jti": secrets.token_urlsafe(12),
            **claims,
        }
        return jwt.encode({"alg": ALGORITHM, "kid": self._kid, "typ": self._kind}, stated, self._key)

    def read(self, token: str) -> dict[str, Any] | None:
        """Return what `token` states; nothing unless every part of it is ours and it has not expired."""
        if len(token) > LONGEST_TOKEN:
            return None
        try:
            decoded = jwt.decode(token, self._key, algorithms=[ALGORITHM])
        except (JoseError, ValueError, TypeError):  # the last for headers of odd types
            return None
        if decoded.header.get("typ") != self._kind or decoded.header.get("kid") != self._kid:
            return None
        claims = decoded.claims
        if claims.get("iss") != ISSUER or claims.get("aud") != self._audience:
            return None
        return claims if claims["exp"] > self._clock.now().timestamp() else None


class Tokens:
    """Issues and reads access tokens."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Derive the key of this purpose from the installation's own."""
        key = derived_keys(settings, "access tokens")[0]
        self._signer = Signer(key, clock, kind=TYPE, audience=AUDIENCE)
        self._clock = clock
        self._known: dict[str, Access] = {}
        self.lifetime = timedelta(minutes=settings.access_token_minutes)
        self.refresh_lifetime = timedelta(days=settings.refresh_token_days)

    def issue(self, *, user_id: int, login_id: int, version: int, dialect: Dialect) -> str:
        """Return a token for `user_id`, valid from now on for `lifetime`."""
        claims = {"sub": str(user_id), "login": login_id, "version": version, "dialect": dialect.value}
        return self._signer.sign(claims, self.lifetime)

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
        claims = self._signer.read(token)
        if claims is None:
            raise BadToken
        return Access(
            int(claims["sub"]),
            claims["login"],
            claims["version"],
            DIALECTS[claims["dialect"]],
            datetime.fromtimestamp(claims["exp"], UTC),
        )


def new_refresh_token() -> tuple[str, str]:
    """Return a new refresh token and the hash under which it is stored."""
    token = secrets.token_urlsafe(32)
    return token, hash_of(token)


def hash_of(token: str) -> str:
    """Return the hash under which a random token is stored; its entropy makes a slow hash needless."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
