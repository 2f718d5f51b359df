"""Sessions of browsers, and all logins as their owner sees them."""

from typing import Literal

from helpdesk_core.accounts.schemas.users import UserRead
from helpdesk_core.schemas import DbInt, Filters, Schema, UtcDateTime


class SessionOpened(Schema):
    """A session that has begun; the browser has its cookie."""

    user: UserRead
    csrf_token: str
    """To be sent as `X-CSRFToken` with every request that changes something."""
    expires_at: UtcDateTime


class CsrfToken(Schema):
    """What has to be sent as `X-CSRFToken`."""

    csrf_token: str | None
    """Nothing when the request has no session."""


class LoginRead(Schema):
    """An open login: a browser's session, or the tokens that come of one sign-in."""

    id: DbInt
    kind: Literal["session", "token"]
    address: str
    """Where it began."""
    user_agent: str
    created_at: UtcDateTime
    last_used_at: UtcDateTime | None
    """To the minute."""
    expires_at: UtcDateTime | None
    """When it ends; for tokens, unless they are refreshed before."""
    is_current: bool
    """Whether it is the login of this request."""


class LoginFilters(Filters):
    """How the list of logins is narrowed."""

    kind: Literal["session", "token"] | None = None
