"""Second factors: devices, codes and what proves that a request comes from the account's owner."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from helpdesk_core.accounts.schemas.tokens import Code
from helpdesk_core.accounts.schemas.types import key_of
from helpdesk_core.schemas import DbInt, Filters, Line, Schema, Text, UtcDateTime

LONGEST_NAME = 100


def _device_name(value: str) -> str:
    if max(len(value), len(key_of(value))) > LONGEST_NAME:
        raise PydanticCustomError("long", "Use at most 100 characters.")
    return value.strip()


GivenPassword = Annotated[Text, Field(min_length=1, max_length=1024)]
DeviceName = Annotated[Line, AfterValidator(_device_name), Field(examples=["My Phone"])]


class Proof(Schema):
    """That it is really the account's owner who asks: the password or a code. If both are sent, both must be right."""

    password: GivenPassword | None = None
    code: Code | None = None


class DeviceSetup(Proof):
    """A device that is to make codes. The password or a code is needed only where a device makes them already."""

    device_name: DeviceName


class DeviceSecret(Schema):
    """What sets a device up; shown this once."""

    qr_code: str
    """A PNG in a `data:` address, for the device's camera."""
    secret_key: str
    """The same for those who type: 32 characters of base 32."""
    backup_codes: list[str]
    """Ten codes of eight digits that work once each, from when the device is verified; they replace earlier ones."""


class DeviceCode(Schema):
    """A code that the new device shows."""

    code: Code


class SecondFactorStatus(Schema):
    """Whether logging in takes a code."""

    enabled: bool
    required: bool
    """Whether the organisation asks the role for it."""
    device_count: int
    """Verified devices."""
    backup_codes_left: int


class DeviceRead(Schema):
    """A device that makes codes."""

    id: DbInt
    name: str
    created_at: UtcDateTime
    confirmed_at: UtcDateTime | None
    """When its first code was right; until then it makes no difference."""
    last_used_at: UtcDateTime | None


class DeviceFilters(Filters):
    """How the list of devices is ordered and paged."""


class BackupCodesLeft(Schema):
    """How many backup codes are left."""

    remaining: int


class NewBackupCodes(Schema):
    """New backup codes; shown this once, and the old ones work no longer."""

    backup_codes: list[str]
