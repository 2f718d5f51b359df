"""The installation's secret key, and what is derived from it: seals, links and encryption.

The key is given in the settings, or made once and kept in the installation's folder. Every purpose has a key of its
own; keys of before are still good for reading (`HELPDESK_PREVIOUS_SECRET_KEYS`).
"""

import hashlib
import hmac
import os
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from helpdesk_core.settings import BadSetting, Settings

SHORTEST_KEY = 32
FILE = "secret-key"


def signing_key(settings: Settings) -> bytes:
    """Return the key; the first call of an installation makes it.

    Raises:
        BadSetting: the key is too short, or its file cannot be read or made.
    """
    given = settings.secret_key.get_secret_value()
    if given:
        return _checked(given.encode(), "HELPDESK_SECRET_KEY")
    path = settings.home / FILE
    try:
        return _checked(_made_once(path), str(path))
    except OSError as error:
        raise BadSetting(f"{path}: {error.strerror}. HELPDESK_SECRET_KEY takes a key instead.") from None


def has_key(settings: Settings) -> bool:
    """Tell whether there is a key already, which `signing_key` would otherwise make."""
    return bool(settings.secret_key.get_secret_value()) or (settings.home / FILE).exists()


def fingerprint(key: bytes) -> str:
    """Return what tells keys apart, and by which none can be found."""
    return hmac.digest(key, b"fingerprint", "sha256").hex()[:16]


def derived_keys(settings: Settings, purpose: str) -> list[bytes]:
    """Return the 256-bit keys of one purpose, today's first, then those derived from previous secret keys."""
    previous = [_checked(each.encode(), "HELPDESK_PREVIOUS_SECRET_KEYS") for each in settings.previous_secret_keys]
    return [hmac.digest(key, purpose.encode(), "sha256") for key in (signing_key(settings), *previous)]


class Seals:
    """Seals texts, so that nobody without the key can change them unnoticed (HMAC-SHA256).

    Attributes:
        key_id: names the key that seals now.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Keep the keys; the first one seals, all of them verify."""
        self._keys = {_key_id(key): key for key in reversed(keys)}
        self.key_id = _key_id(keys[0])

    def seal(self, text: bytes) -> str:
        """Return the seal of `text`, 64 hexadecimal digits."""
        return hmac.digest(self._keys[self.key_id], text, "sha256").hex()

    def knows(self, key_id: str) -> bool:
        """Tell whether the key is one of ours."""
        return key_id in self._keys

    def fits(self, key_id: str, text: bytes, seal: str) -> bool:
        """Tell whether `seal` was made from `text` by the key."""
        key = self._keys.get(key_id)
        return key is not None and hmac.compare_digest(hmac.digest(key, text, "sha256").hex(), seal)


class Undecipherable(Exception):
    """A stored secret was encrypted by a key that is not configured any more, or was changed."""


class Vault:
    """Encrypts what has to be read again: seeds of second factors, passwords of other systems."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Keep the keys; the first one encrypts, all of them decrypt."""
        self._fernet = MultiFernet([Fernet(urlsafe_b64encode(key)) for key in keys])

    def encrypt(self, secret: str) -> str:
        """Return what can be stored of `secret`."""
        return self._fernet.encrypt(secret.encode()).decode()

    def decrypt(self, stored: str) -> str:
        """Return the secret.

        Raises:
            Undecipherable: its key is gone, or it was changed.
        """
        try:
            return self._fernet.decrypt(stored.encode()).decode()
        except InvalidToken:
            raise Undecipherable from None


def _key_id(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:8]


def _checked(key: bytes, where: str) -> bytes:
    if len(key) < SHORTEST_KEY:
        raise BadSetting(f"{where}: a key needs at least {SHORTEST_KEY} characters; this one has {len(key)}.")
    return key


def _made_once(path: Path) -> bytes:
    """Return what the file holds. Of processes that start together, one makes the key and all read the same."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{FILE}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_urlsafe(48).encode())
                file.flush()
                os.fsync(file.fileno())
            _link(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    return path.read_bytes().strip()


def _link(draft: Path, path: Path) -> None:
    """Give the complete file its name, unless another process was faster."""
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without hard links
        if not path.exists():
            draft.replace(path)
