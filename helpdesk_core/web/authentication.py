"""Who is calling: each authenticator looks for its kind of credential, the first that finds one decides."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from helpdesk_core.errors import HelpdeskError
from helpdesk_core.permissions import Actor
from helpdesk_core.plugins import Phase, PluginHealth
from helpdesk_core.schemas import Dialect
from helpdesk_core.web.requests import Incoming

log = logging.getLogger("helpdesk.web")


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


class ContainedAuthenticator:
    """An authenticator of a plugin: where it fails, it has found nobody."""

    def __init__(self, plugin: str, ask: Authenticator, health: PluginHealth) -> None:
        """Keep the authenticator, and whose it is."""
        self._plugin = plugin
        self._ask = ask
        self._health = health

    def __call__(self, session: Session, incoming: Incoming) -> Principal | None:
        """Ask it, unless its plugin answers nobody at present."""
        if self._health.is_out(self._plugin):
            return None
        try:
            return self._ask(session, incoming)
        except HelpdeskError:
            raise
        except (Exception, SystemExit) as error:
            log.exception("an authenticator failed", extra={"plugin": self._plugin})
            self._health.failed(self._plugin, Phase.REQUEST, error)
            return None


def authenticate(authenticators: Sequence[Authenticator], session: Session, incoming: Incoming) -> Principal | None:
    """Ask each authenticator in order."""
    for authenticator in authenticators:
        principal = authenticator(session, incoming)
        if principal is not None:
            return principal
    return None
