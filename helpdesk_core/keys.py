"""The key that signs tokens: given in the settings, or made once and kept in the installation's folder."""

import os
import secrets
from pathlib import Path

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
