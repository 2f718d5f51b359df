"""What happens to organisations and their roles."""

from collections.abc import Mapping
from typing import ClassVar

from helpdesk_core.events import Event


class OrganizationUpdated(Event):
    """Fields of an organisation changed; its activity and its subscription are among them."""

    type: ClassVar[str] = "organization.updated"
    about: ClassVar[Mapping[str, str]] = {"organization": "organization_id"}

    organization_id: int
    """The organisation."""
    changed: list[str]
    """Names of the fields that have another value now, sorted."""


class RoleCreated(Event):
    """An organisation made a role for itself."""

    type: ClassVar[str] = "role.created"

    role_id: int
    """The new role."""


class RoleUpdated(Event):
    """Fields of a custom role changed; what its users may do follows at once."""

    type: ClassVar[str] = "role.updated"

    role_id: int
    """The role."""
    changed: list[str]
    """Names of the fields that have another value now, sorted."""


class RoleDeleted(Event):
    """A custom role that nobody had was removed."""

    type: ClassVar[str] = "role.deleted"

    role_id: int
    """The role."""


class PluginsChanged(Event):
    """An organisation switched a plugin on or off."""

    type: ClassVar[str] = "organization.plugins_changed"

    organization_id: int
    """The organisation."""
    plugin: str
    """Its id."""
    enabled: bool
    """Whether it is on now."""
