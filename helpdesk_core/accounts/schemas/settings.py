"""Settings of organisations: what the core declares of them."""

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from helpdesk_core.accounts.schemas.types import Language, Role, Timezone
from helpdesk_core.schemas import Schema


def _in_order(value: list[Role]) -> list[Role]:
    return sorted(set(value))


Roles = Annotated[list[Role], Field(max_length=10), AfterValidator(_in_order)]


class CoreSettings(Schema):
    """What the core reads of an organisation's settings."""

    timezone: Timezone = "UTC"
    """Of new users."""
    language: Language = "en"
    """Of new users."""
    notifications: bool = True
    """Whether people are notified of what happens."""
    two_factor_roles: Roles = Field(default_factory=list)
    """Built-in roles that need a second factor."""


class SettingsRead(CoreSettings):
    """All settings of an organisation as they apply; those of a plugin are under its id."""

    model_config = ConfigDict(extra="allow")


class SettingsUpdate(Schema):
    """Settings to change; null puts what is declared back to its default. Undeclared keys are kept as they are."""

    model_config = ConfigDict(extra="allow")

    timezone: Timezone | None = None
    language: Language | None = None
    notifications: bool | None = None
    two_factor_roles: Roles | None = None
