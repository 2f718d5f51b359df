"""Backup codes: ten of eight digits, each standing in for a lost device once.

Eight digits can be guessed from a stolen database unless their hash is slow, and comparing a code with ten slow hashes
would take half a second. So each hash is stored beside a selector, by which a code finds the one hash to compare with.
The selector is made with a key that is not in the database.
"""

import hmac
import secrets
from dataclasses import dataclass

from helpdesk_core.accounts.passwords import Passwords
from helpdesk_core.keys import derived_keys
from helpdesk_core.settings import Settings

NUMBER = 10
DIGITS = 8


@dataclass(frozen=True, slots=True)
class KeptCode:
    """What is stored of a backup code.

    Attributes:
        selector: finds it.
        code_hash: proves it.
    """

    selector: str
    code_hash: str


class BackupCodes:
    """Makes backup codes, and what finds them again."""

    def __init__(self, settings: Settings) -> None:
        """Derive the keys of the selectors."""
        self._keys = derived_keys(settings, "backup codes")

    def new(self) -> list[str]:
        """Return ten different codes."""
        codes: set[str] = set()
        while len(codes) < NUMBER:
            codes.add(f"{secrets.randbelow(10**DIGITS):0{DIGITS}}")
        return list(codes)

    def kept(self, user_id: int, codes: list[str], passwords: Passwords) -> list[KeptCode]:
        """Return what is stored of the codes of a user; takes as long as hashing that many passwords."""
        return [KeptCode(self.selectors(user_id, code)[0], passwords.hash(code)) for code in codes]

    def selectors(self, user_id: int, code: str) -> list[str]:
        """Return the selectors of a code: today's first, then those by previous keys."""
        text = f"{user_id}:{code}".encode()
        return [hmac.digest(key, text, "sha256").hex()[:16] for key in self._keys]
