"""What happens to second factors and API keys."""

from typing import ClassVar

from helpdesk_core.events import Event


class SecondFactorAdded(Event):
    """A device was verified: from now on logging in takes a code."""

    type: ClassVar[str] = "user.second_factor_added"

    user_id: int
    """Whose device it is."""
    device_id: int
    """The device."""


class SecondFactorRemoved(Event):
    """A device was removed; others are left."""

    type: ClassVar[str] = "user.second_factor_removed"

    user_id: int
    """Whose device it was."""
    device_id: int
    """The device."""


class SecondFactorDisabled(Event):
    """Every device and backup code of a user was removed: logging in takes the password alone."""

    type: ClassVar[str] = "user.second_factor_disabled"

    user_id: int
    """The user."""


class BackupCodesRenewed(Event):
    """A user got new backup codes; the old ones work no longer."""

    type: ClassVar[str] = "user.backup_codes_renewed"

    user_id: int
    """The user."""


class BackupCodeUsed(Event):
    """A backup code stood in for a device."""

    type: ClassVar[str] = "user.backup_code_used"

    user_id: int
    """Whose code it was."""
    left: int
    """How many are left."""


class ApiKeyCreated(Event):
    """Somebody made an API key for themselves."""

    type: ClassVar[str] = "api_key.created"

    key_id: int
    """The key."""
    user_id: int
    """Its owner, as whom it acts."""
    name: str
    """What the owner calls it."""
    prefix: str
    """What it can be recognised by."""


class ApiKeyRotated(Event):
    """An API key got another secret."""

    type: ClassVar[str] = "api_key.rotated"

    key_id: int
    """The key."""
    user_id: int
    """Its owner."""
    overlap_seconds: int
    """How long the secret of before still works."""


class ApiKeyRevoked(Event):
    """An API key stopped working, by its owner's act or by that of an administrator."""

    type: ClassVar[str] = "api_key.revoked"

    key_id: int
    """The key."""
    user_id: int
    """Its owner."""
