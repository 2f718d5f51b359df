"""API keys: shown, made, changed, rotated."""

from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from helpdesk_core.accounts.scopes import EVERYTHING
from helpdesk_core.schemas import DbInt, Filters, Line, Schema, Text, UtcDateTime

DAY = 86_400


def _network(value: str) -> str:
    try:
        return str(ip_network(value))
    except ValueError:
        raise PydanticCustomError(
            "network", "Enter an address or a network, like 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32."
        ) from None


def _once(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


KeyName = Annotated[Line, Field(max_length=100)]
Scope = Annotated[Text, Field(min_length=1, max_length=100)]
Scopes = Annotated[list[Scope], Field(min_length=1, max_length=100), AfterValidator(_once)]
Network = Annotated[
    Text, Field(max_length=50, json_schema_extra={"examples": ["203.0.113.0/24"]}), AfterValidator(_network)
]
Networks = Annotated[list[Network], Field(max_length=100), AfterValidator(_once)]


class ApiKeyRead(Schema):
    """An API key; its secret part is never shown again."""

    id: DbInt
    user_id: DbInt
    """The owner, as whom it acts."""
    name: str
    prefix: str
    """Between `hd_` and the secret: what the key can be recognised by."""
    scopes: list[str]
    addresses: list[str]
    """Networks that it may be used from; none means any."""
    created_at: UtcDateTime
    expires_at: UtcDateTime | None
    is_active: bool
    """Whether it works: not past `expires_at`. Revoked keys are not shown at all."""
    previous_until: UtcDateTime | None
    """After a rotation: when the secret of before stops working."""
    last_used_at: UtcDateTime | None
    """To the minute."""
    last_used_address: str | None


SHOWN = frozenset(ApiKeyRead.model_fields)


class ApiKeyCreated(ApiKeyRead):
    """A new API key, or one with a new secret."""

    key: str
    """The key itself, for the header `X-API-Key`. It is shown this once."""


class ApiKeyCreate(Schema):
    """A new API key for oneself."""

    read_only = SHOWN

    name: KeyName
    scopes: Scopes = Field([EVERYTHING])
    """Codes of permissions, `tickets:*` for all of a plugin, `*` for everything that the owner may do."""
    expires_at: UtcDateTime | None = None
    addresses: Networks = Field([])
    """Addresses and networks that it may be used from; none means any."""


class ApiKeyUpdate(Schema):
    """Changes of an API key; only fields that are sent count; null takes the expiry away."""

    read_only = SHOWN

    name: KeyName = ""
    scopes: Scopes = Field([EVERYTHING])
    expires_at: UtcDateTime | None = None
    addresses: Networks = Field([])


class ApiKeyRotation(Schema):
    """How a secret is replaced."""

    overlap_seconds: Annotated[int, Field(ge=0, le=7 * DAY)] = DAY
    """How long the secret of before still works: up to seven days, none with 0."""


class ApiKeyFilters(Filters):
    """How the list of API keys is narrowed."""

    user: DbInt | None = None
    """The owner; oneself without it. Others' keys are shown to those who manage users."""
