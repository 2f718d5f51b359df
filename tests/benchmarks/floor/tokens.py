"""Access tokens by hand: HS256 over two claims that matter, which is also what simplejwt reads."""

import base64
import hashlib
import hmac
import time
from typing import Any

import orjson

from tests.benchmarks.wire import KEY

_HEADER = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=")
_KEY = KEY.encode()
LIFETIME = 3600


def token_of(user: int) -> str:
    """Return a token for `user`."""
    now = int(time.time())
    claims = {"token_type": "access", "jti": f"{user:032x}", "iat": now, "exp": now + LIFETIME, "user_id": str(user)}
    return _signed(claims).decode()


def user_of(token: bytes) -> int | None:
    """Return whose token this is; nothing when it is not ours or has expired."""
    signed, _, signature = token.rpartition(b".")
    if not hmac.compare_digest(_signature(signed), signature):
        return None
    payload = signed.partition(b".")[2]
    claims = orjson.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
    return int(claims["user_id"]) if claims["exp"] > time.time() else None


def _signed(claims: dict[str, Any]) -> bytes:
    signed = _HEADER + b"." + base64.urlsafe_b64encode(orjson.dumps(claims)).rstrip(b"=")
    return signed + b"." + _signature(signed)


def _signature(signed: bytes) -> bytes:
    return base64.urlsafe_b64encode(hmac.digest(_KEY, signed, hashlib.sha256)).rstrip(b"=")
