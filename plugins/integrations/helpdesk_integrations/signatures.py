"""Signatures as Standard Webhooks prescribes them: HMAC-SHA256 over id, time stamp and body.

A secret is `whsec_` and the base64 of 24 to 64 bytes, or any text of its own, whose UTF-8 is the key then.
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64
"""Bytes of a key behind the prefix."""
SHORTEST_TEXT = 16
"""Characters of a secret without the prefix."""
STARS = "*" * 8


def new_secret() -> str:
    """Return a secret of 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def problem_of(secret: str) -> str | None:
    """Return what is wrong with a secret that somebody chose, if anything is."""
    if not secret.startswith(PREFIX):
        return None if len(secret) >= SHORTEST_TEXT else f"A secret needs at least {SHORTEST_TEXT} characters."
    try:
        size = len(base64.b64decode(secret.removeprefix(PREFIX), validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if SHORTEST <= size <= LONGEST:
        return None
    return f"Behind {PREFIX} stands the base64 of {SHORTEST} to {LONGEST} bytes."


def key_of(secret: str) -> bytes:
    """Return the key that a secret stands for."""
    if secret.startswith(PREFIX):
        return base64.b64decode(secret.removeprefix(PREFIX))
    return secret.encode()


def masked(secret: str) -> str:
    """Return what is shown of a secret once it was shown."""
    return f"{PREFIX if secret.startswith(PREFIX) else ''}{STARS}"


def sign(secret: str, uid: str, moment: datetime, body: bytes) -> str:
    """Return one signature, `v1,...`, of a message that is sent at `moment`."""
    signed = b".".join((uid.encode(), str(int(moment.timestamp())).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key_of(secret), signed, "sha256")).decode()


def headers_for(valid: Sequence[str], uid: str, moment: datetime, body: bytes) -> dict[str, str]:
    """Return the three headers; each of the secrets that are valid signs."""
    return {
        "webhook-id": uid,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(sign(secret, uid, moment, body) for secret in valid),
    }
