"""Who is calling: each authenticator looks for its kind of credential, the first that finds one decides."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from helpdesk_core.permissions import Actor
from helpdesk_core.schemas import Dialect
from helpdesk_core.web.requests import Incoming


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of a request.

    Attributes:
        actor: who acts, with what rights.
        dialect: the document that the credential belongs to.
        method: the kind of credential: `jwt`, `api_key` or `session`.
        login_id: the login that the credential comes from, if any.
        key_id: the API key that the credential is, if it is one.
        expires_at: when the credential stops being valid by itself, if it does.
    """

    actor: Actor
    dialect: Dialect
    method: str
    login_id: int | None = None
    key_id: int | None = None
    expires_at: datetime | None = None

    @property
    def credential(self) -> str:
        """Return what was shown, for the audit log."""
        return self.method if self.key_id is None else f"{self.method} {self.key_id}"


Authenticator = Callable[[Session, Incoming], Principal | None]
"""Returns the caller, or nothing when the request carries no credential of its kind; raises `Unauthenticated`
when it carries a bad one. The session has no organisation yet."""


def authenticate(authenticators: Sequence[Authenticator], session: Session, incoming: Incoming) -> Principal | None:
    """Ask each authenticator in order."""
    for authenticator in authenticators:
        principal = authenticator(session, incoming)
        if principal is not None:
            return principal
    return None
