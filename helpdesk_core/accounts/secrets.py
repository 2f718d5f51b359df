"""Secrets that the installation gives out: API keys and what the cookie of a session holds.

All are random beyond guessing, so that a quick hash is enough to store them by.
"""

import secrets
from dataclasses import dataclass

from helpdesk_core.accounts.tokens import hash_of

SESSION_COOKIE = "sessionid"
LONGEST_SECRET = 100
_ALPHABET = "abcdefghijkmnopqrstuvwxyz23456789"
"""Without signs that look alike: people compare prefixes."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """The text of a new API key, or of an old one with another secret.

    Attributes:
        prefix: names the key; not a secret.
        text: the whole key, `hd_<prefix>_<secret>`.
        secret_hash: what is stored of the secret.
    """

    prefix: str
    text: str
    secret_hash: str


def new_key(prefix: str = "") -> NewKey:
    """Return a key of 256 random bits; `prefix` is that of the key whose secret is replaced."""
    prefix = prefix or "".join(secrets.choice(_ALPHABET) for _ in range(10))
    secret = secrets.token_urlsafe(32)
    return NewKey(prefix, f"hd_{prefix}_{secret}", hash_of(secret))


def read_key(text: str) -> tuple[str, str] | None:
    """Return prefix and hash of the secret; nothing when `text` has not the form of a key."""
    mark, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    if mark != "hd" or not prefix or not secret or len(text) > LONGEST_SECRET:
        return None
    return prefix, hash_of(secret)


def session_secret(cookies: str | None) -> str | None:
    """Return the secret of the session in a `Cookie` header.

    Two different ones may mean that a neighbouring host has planted one of its own: then it is no session at all,
    which an empty text says.
    """
    if cookies is None or SESSION_COOKIE not in cookies:
        return None
    pairs = (part.strip().partition("=") for part in cookies.split(";"))
    found = {value for name, _, value in pairs if name == SESSION_COOKIE}
    if not found:
        return None
    return found.pop() if len(found) == 1 else ""
