"""What is confirmed by a link in a mail: asked for, and used."""

from typing import Annotated

from pydantic import Field

from helpdesk_core.accounts.schemas.types import Email, Password
from helpdesk_core.schemas import Schema, Text

LinkToken = Annotated[Text, Field(min_length=1, max_length=200)]
"""What stands behind `#` in a link."""


class LinkUse(Schema):
    """A link that was followed."""

    token: LinkToken


class ResetRequest(Schema):
    """Whose password is forgotten."""

    email: Email


class PasswordResetting(Schema):
    """A new password, and the link that allows it."""

    token: LinkToken
    new_password: Password
    """8 to 1024 characters, no name of the account, none of the most common ones."""


class EmailChange(Schema):
    """Another address for one's own account."""

    email: Email
    password: Password
    """The present one."""
