"""Roles: built in, and those that organisations make for themselves."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from helpdesk_core.accounts.schemas.types import Role, key_of
from helpdesk_core.schemas import DbInt, Line, Ref, Schema, Text

LONGEST_NAME = 100


def _name(value: str) -> str:
    value = value.strip()
    if len(key_of(value)) > LONGEST_NAME:  # compatibility forms may be longer than what they stand for
        raise PydanticCustomError("name", "This name is too long.")
    return value


RoleName = Annotated[Line, Field(max_length=LONGEST_NAME), AfterValidator(_name)]
Code = Annotated[Text, Field(min_length=1, max_length=100)]
Codes = Annotated[list[Code], Field(max_length=500)]


class RoleRead(Schema):
    """A role and what it may do."""

    id: DbInt | None
    """Null for the built-in ones."""
    role: Role
    """What users with it show as their role."""
    name: str
    description: str
    is_custom: bool
    permissions: list[str]
    """Codes, sorted."""


class CustomRoleRead(RoleRead):
    """A role that the organisation made for itself."""

    id: DbInt
    base: Role
    """The built-in role that it shows as."""


class RoleCreate(Schema):
    """A new role."""

    read_only = frozenset(CustomRoleRead.model_fields)

    name: RoleName
    description: Annotated[Text, Field(max_length=255)] = ""
    base: Role
    """What its users show as their role; they do not get its permissions."""
    permissions: Codes
    """Codes, as `/users/permissions/` lists them; only those that one has oneself."""


class RoleUpdate(Schema):
    """What can be changed of a role; only fields that are sent count."""

    read_only = frozenset(CustomRoleRead.model_fields)

    name: RoleName = ""
    description: Annotated[Text, Field(max_length=255)] = ""
    base: Role = "customer"
    permissions: Codes = Field(default_factory=list)


class RoleChange(Schema):
    """Another role for a user: a built-in one, or one of the organisation's own."""

    role: Role | None = None
    custom_role: Ref | None = None
    """The id of a custom role."""


class NamedRole(Schema):
    """A custom role as other objects show it."""

    id: DbInt
    name: str


class PermissionRead(Schema):
    """Something that a role can allow."""

    code: str
    title: str
    plugin: str
    """Which plugin it belongs to."""
    roles: list[Role]
    """The built-in roles that have it."""
