"""Invitations: shown, made, accepted."""

from typing import Literal

from helpdesk_core.accounts.schemas.confirmations import LinkToken
from helpdesk_core.accounts.schemas.types import Email, Name, NewUsername, Password, Role
from helpdesk_core.schemas import DbInt, Filters, QueryBool, Schema, UtcDateTime


class InvitationRead(Schema):
    """An invitation; its link is in the mail alone."""

    id: DbInt
    email: str
    role: Role
    status: Literal["pending", "accepted", "revoked", "expired"]
    invited_by_id: DbInt | None
    created_at: UtcDateTime
    expires_at: UtcDateTime
    accepted_at: UtcDateTime | None
    revoked_at: UtcDateTime | None


class InvitationCreate(Schema):
    """Whom to invite, and as what."""

    read_only = frozenset(InvitationRead.model_fields)

    email: Email
    role: Role


class InvitationFilters(Filters):
    """How the list of invitations is narrowed."""

    pending: QueryBool | None = None
    """Those that can still be accepted, or those that cannot."""


class Acceptance(Schema):
    """The account of somebody who was invited; the address and the role are those of the invitation."""

    token: LinkToken
    username: NewUsername
    password: Password
    """8 to 1024 characters, no name of the account, none of the most common ones."""
    first_name: Name = ""
    last_name: Name = ""
