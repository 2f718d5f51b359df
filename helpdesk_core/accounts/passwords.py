"""Passwords: what may be one, and how it is kept."""

import unicodedata
from base64 import b64encode
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from secrets import token_bytes

from argon2 import PasswordHasher, profiles
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

from helpdesk_core.settings import Settings

SHORTEST = 8
LONGEST = 1024


@cache
def common_passwords() -> frozenset[str]:
    """Return the 3,000 most common passwords that are long enough to be one, in lower case."""
    text = (files(__package__) / "common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if not line.startswith("#"))


def password_problem(password: str, names: Iterable[str]) -> str | None:
    """Return what keeps `password` from being one of an account with these names; nothing if it may (decision D4)."""
    if not SHORTEST <= len(password) <= LONGEST:
        return f"Use {SHORTEST} to {LONGEST} characters."
    folded = password.casefold()
    if folded in common_passwords():
        return "This is too common."
    if folded in {name.casefold() for name in names if name}:
        return "This is a name or an address of the account itself."
    return None


class Passwords:
    """Hashes passwords with Argon2id. It takes about 50 ms and 64 MiB: never while a transaction is open."""

    def __init__(self, settings: Settings) -> None:
        """Choose the cost."""
        profile = {"low": profiles.CHEAPEST, "normal": profiles.RFC_9106_LOW_MEMORY}[settings.password_cost]
        self._hasher = PasswordHasher.from_parameters(profile)
        self._nobodys = _hash_of_nothing(self._hasher)

    def hash(self, password: str) -> str:
        """Return what is stored of `password`."""
        return self._hasher.hash(_normal(password))

    def verify(self, stored: str | None, password: str) -> bool:
        """Tell whether `password` is the stored one; with nothing stored, do the same work and say no."""
        try:
            matches = self._hasher.verify(stored or self._nobodys, _normal(password))
        except (VerificationError, InvalidHashError):
            return False
        return matches and bool(stored)

    def is_outdated(self, stored: str) -> bool:
        """Tell whether `stored` was made at another cost than today's."""
        return self._hasher.check_needs_rehash(stored)


def _hash_of_nothing(hasher: PasswordHasher) -> str:
    """Return a hash that no password is known to have, and that takes as long to compare as any other.

    It is written, not computed: that would be a tenth of a second of every start.
    """
    salt, digest = (
        b64encode(token_bytes(length)).rstrip(b"=").decode() for length in (hasher.salt_len, hasher.hash_len)
    )
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2{hasher.type.name.lower()}$v={ARGON2_VERSION}${cost}${salt}${digest}"


def _normal(password: str) -> str:
    """Make equal what keyboards of different systems write differently, an accent for instance."""
    return unicodedata.normalize("NFKC", password)
