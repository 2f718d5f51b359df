"""Logging in, and the tokens that come of it."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from helpdesk_core.accounts.schemas.users import UserRead
from helpdesk_core.schemas import Schema, Text, UtcDateTime

Token = Annotated[Text, Field(min_length=1, max_length=4096)]
Code = Annotated[Text, Field(min_length=1, max_length=32, examples=["492039"])]
"""Six digits that a device shows, or the eight of a backup code; blanks in it do not count."""


class Credentials(Schema):
    """A user name or an e-mail address, and the password."""

    spellings: ClassVar[Mapping[str, str]] = {"email": "username"}

    username: Annotated[Text, Field(min_length=1, max_length=254)]
    """User name or e-mail address, in any case."""
    password: Annotated[Text, Field(min_length=1, max_length=1024)]
    otp: Code | None = None
    """A code of a device or a backup code, if the account has a second factor; otherwise it makes no difference."""


class Refresh(Schema):
    """A refresh token."""

    spellings: ClassVar[Mapping[str, str]] = {"refresh_token": "refresh"}

    refresh: Token


class OptionalRefresh(Schema):
    """A refresh token whose login is to end; without one it is the login of the request itself."""

    spellings: ClassVar[Mapping[str, str]] = {"refresh_token": "refresh"}

    refresh: Token | None = None


class AccessToken(Schema):
    """An access token to be looked at."""

    spellings: ClassVar[Mapping[str, str]] = {"access": "token", "access_token": "token"}

    token: Token


class ClassicTokens(Schema):
    """A pair of tokens as CLASSIC shows it."""

    access: str
    refresh: str


class TokenPair(Schema):
    """A pair of tokens as COMPREHENSIVE shows it, under both names."""

    access: str
    refresh: str
    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int
    """Seconds until the access token expires."""
    user: UserRead


class ChallengeAnswer(Schema):
    """The second step of logging in."""

    challenge_token: Token
    code: Code


class NoDetails(Schema):
    """CLASSIC's confirmation: an empty object."""


class VerifiedToken(Schema):
    """COMPREHENSIVE's confirmation that a token is valid."""

    valid: bool
    expires_at: UtcDateTime


class LoginAttemptRead(Schema):
    """One attempt to log in."""

    id: int
    user_id: int | None
    name: str
    """What was given as user name or address."""
    succeeded: bool
    address: str
    user_agent: str
    created_at: UtcDateTime
