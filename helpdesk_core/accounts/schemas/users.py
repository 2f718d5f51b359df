"""Users: shown, registered, changed."""

from typing import Literal

from helpdesk_core.accounts.schemas.people import OrganizationSummary
from helpdesk_core.accounts.schemas.roles import NamedRole
from helpdesk_core.accounts.schemas.types import (
    Email,
    Language,
    Name,
    NewUsername,
    Password,
    Phone,
    Role,
    Slug,
    Timezone,
)
from helpdesk_core.schemas import DbInt, Filters, QueryBool, Schema, UtcDateTime, Words


class UserRead(Schema):
    """A user."""

    id: DbInt
    email: str
    username: str
    full_name: str
    role: Role
    phone: str | None
    """In international form, `+12025550123`."""
    avatar: str | None
    """Path of the picture on this server, `/api/v1/users/5/avatar/`; null without one."""
    timezone: str
    language: str
    is_verified: bool
    """Whether the e-mail address was confirmed."""
    last_active_at: UtcDateTime | None
    is_agent: bool
    is_customer: bool
    is_technician: bool
    created_at: UtcDateTime
    updated_at: UtcDateTime


class UserExtras(Schema):
    """What `?include=` adds to a user."""

    first_name: str
    last_name: str
    organization: OrganizationSummary
    is_active: bool
    custom_role: NamedRole | None
    """The organisation's own role that the user has, if it is one."""


SHOWN = frozenset({*UserRead.model_fields, *UserExtras.model_fields})


class Registration(Schema):
    """A new account, made by its owner."""

    read_only = SHOWN

    email: Email
    username: NewUsername
    password: Password
    """8 to 1024 characters, no name of the account, none of the most common ones."""
    first_name: Name = ""
    last_name: Name = ""
    phone: Phone | None = None
    timezone: Timezone | None = None
    language: Language | None = None
    organization_slug: Slug | None = None
    """The organisation to join; the installation's default one without it."""


class Registered(Schema):
    """A new account."""

    message: str
    user: UserRead


class UserCreate(Schema):
    """A new account, made by an administrator."""

    read_only = SHOWN

    email: Email
    username: NewUsername
    password: Password
    first_name: Name = ""
    last_name: Name = ""
    phone: Phone | None = None
    timezone: Timezone | None = None
    language: Language | None = None
    role: Role = "customer"


class ProfileUpdate(Schema):
    """What users change of themselves; only fields that are sent count, null clears."""

    read_only = SHOWN

    first_name: Name | None = None
    last_name: Name | None = None
    phone: Phone | None = None
    timezone: Timezone | None = None
    language: Language | None = None


class UserUpdate(ProfileUpdate):
    """What administrators change of a user; the role has its own action."""

    email: Email = ""
    username: NewUsername = ""
    is_verified: bool = False


class PasswordChange(Schema):
    """A new password for one's own account."""

    old_password: Password
    new_password: Password


class UserFilters(Filters):
    """How the list of users is narrowed."""

    role: Words[Literal["customer", "technician", "agent", "admin"]] | None = None
    is_active: QueryBool | None = None


class LoginAttemptFilters(Filters):
    """How the list of login attempts is narrowed."""

    succeeded: QueryBool | None = None
    user: DbInt | None = None
