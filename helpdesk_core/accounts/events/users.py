"""What happens to people and their logins."""

from collections.abc import Mapping
from typing import ClassVar

from helpdesk_core.events import Event


class UserRegistered(Event):
    """An account was made, by the user or by an administrator."""

    type: ClassVar[str] = "user.registered"
    about: ClassVar[Mapping[str, str]] = {"user": "user_id"}

    user_id: int
    """The new user."""
    role: str
    """Their role."""
    by_administrator: bool
    """Whether somebody else made the account."""


class UserUpdated(Event):
    """Fields of a user changed; a change of role and a reactivation are among them."""

    type: ClassVar[str] = "user.updated"
    about: ClassVar[Mapping[str, str]] = {"user": "user_id"}

    user_id: int
    """The user."""
    changed: list[str]
    """Names of the fields that have another value now, sorted."""


class UserDeactivated(Event):
    """An account was closed: its tokens stopped working at once."""

    type: ClassVar[str] = "user.deactivated"
    about: ClassVar[Mapping[str, str]] = {"user": "user_id"}

    user_id: int
    """The user."""


class PasswordChanged(Event):
    """A password was changed; every other login of the user ended."""

    type: ClassVar[str] = "user.password_changed"

    user_id: int
    """The user."""


class UserLoggedIn(Event):
    """Somebody logged in with a password."""

    type: ClassVar[str] = "user.logged_in"

    user_id: int
    """The user."""
    login_id: int
    """The login, which every token of it names."""
    address: str
    """Where from: an IP address, as far as trusted proxies tell."""


class UserLoggedOut(Event):
    """A login ended, or all of them did: their tokens and cookies have stopped working."""

    type: ClassVar[str] = "user.logged_out"

    user_id: int
    """Whose login it was."""
    login_id: int | None
    """The login; nothing when every one of the user's ended, or every one but that which asked for it."""


class RefreshTokenReused(Event):
    """A refresh token was used a second time, as a thief and its owner would; the login was ended."""

    type: ClassVar[str] = "user.refresh_token_reused"

    user_id: int
    """Whose login it was."""
    login_id: int
    """The login that ended."""
    address: str
    """Where the second use came from."""


class LoginDelayed(Event):
    """Somebody failed so often to prove that an account is theirs that the next try has to wait."""

    type: ClassVar[str] = "user.login_delayed"

    user_id: int
    """Whose account it is."""
    address: str
    """Where the last try came from."""
    seconds: int
    """How long the next try has to wait; each failure more may double it."""
