"""Who may connect to the socket, by which credential, and whether they still may.

A credential never stands in the address, where logs and histories keep it: browsers, which cannot set headers, send it
as a subprotocol or get a ticket first. The cookie of a session does not count here: a page of somebody else's could
connect with it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

from sqlalchemy.orm import Session
from starlette.types import Scope

from helpdesk_core.errors import HelpdeskError, TwoFactorRequired, Unauthenticated
from helpdesk_core.schemas import Dialect
from helpdesk_core.settings import Settings
from helpdesk_core.tenancy import begin_identifying
from helpdesk_core.web.authentication import Authenticator, Principal, authenticate
from helpdesk_core.web.context import Services
from helpdesk_core.web.dialects import choose, wanted_by
from helpdesk_core.web.requests import Incoming

SUBPROTOCOL = "bearer"
CARRYING = ("authorization", "x-api-key")
"""Headers that hold a credential."""

Standing = Callable[[Session], Principal]
"""Returns the caller as they are now; raises `Unauthenticated` when they may no longer come in."""


@dataclass(frozen=True)
class Door:
    """Lets in who shows a ticket; the plugin that issues them registers this as a service.

    Attributes:
        redeem: uses a ticket up: `(services, writing session, ticket, now)` returns how to find its holder from now
            on, or nothing when there is no such ticket any more. The session has no organisation yet.
    """

    redeem: Callable[[Services, Session, str, datetime], Standing | None]


@dataclass(frozen=True, slots=True)
class Asking:
    """What a handshake brought.

    Attributes:
        incoming: the request, without its cookie.
        ticket: of the query, if there is one.
        last_event_id: of the query, if there is one.
        subprotocol: to answer with.
    """

    incoming: Incoming
    ticket: str | None
    last_event_id: str | None
    subprotocol: str | None


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who was let in.

    Attributes:
        principal: who they are now.
        dialect: whose words they hear.
        standing: finds them again later.
    """

    principal: Principal
    dialect: Dialect
    standing: Standing


def read_handshake(scope: Scope) -> Asking:
    """Read what a handshake brought."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    headers.pop("cookie", None)
    offered: Sequence[str] = scope.get("subprotocols", ())
    subprotocol = SUBPROTOCOL if SUBPROTOCOL in offered else None
    if subprotocol and not any(name in headers for name in CARRYING):
        token = next((each for each in offered if each != SUBPROTOCOL), None)
        if token:
            headers["authorization"] = f"Bearer {token}"
    values = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    client = scope.get("client")
    path, base = scope["path"], f"{scope['scheme']}://{headers.get('host', '')}"
    incoming = Incoming(scope["request_id"], "GET", path, "", headers, b"", base, client[0] if client else "")
    return Asking(incoming, values.get("ticket"), values.get("last_event_id"), subprotocol)


def is_welcome(origin: str | None, host: str, settings: Settings) -> bool:
    """Tell whether the page that connects, if a page does, is ours or a friend's."""
    if origin is None or "*" in settings.allowed_origins or origin in settings.allowed_origins:
        return True
    try:
        named = urlsplit(origin)
    except ValueError:
        return False
    ours = {host.lower(), urlsplit(settings.public_url).netloc.lower() if settings.public_url else host.lower()}
    return named.scheme in {"http", "https"} and named.netloc.lower() in ours


class Admission:
    """Decides who comes in; what it does takes a database thread."""

    def __init__(self, services: Services, authenticators: Sequence[Authenticator]) -> None:
        """Keep both."""
        self._services = services
        self._authenticators = authenticators

    def admit(self, asking: Asking) -> Admitted:
        """Return who connects.

        Raises:
            HelpdeskError: they may not come in.
        """
        standing = self._standing(asking)
        principal = self.again(standing)
        wanted = wanted_by(asking.incoming.headers.get("accept", ""))
        return Admitted(principal, choose(wanted, principal.dialect, None), standing)

    def again(self, standing: Standing) -> Principal:
        """Return the caller as they are now.

        Raises:
            HelpdeskError: they may no longer come in.
        """
        with self._services.database.session(writes=False) as session:
            begin_identifying(session)
            principal = standing(session)
        if principal.actor.must_enroll:
            raise TwoFactorRequired
        return principal

    def _standing(self, asking: Asking) -> Standing:
        if asking.ticket is not None and not any(name in asking.incoming.headers for name in CARRYING):
            return self._redeemed(asking.ticket)

        def standing(session: Session) -> Principal:
            principal = authenticate(self._authenticators, session, asking.incoming)
            if principal is None:
                raise Unauthenticated
            return principal

        return standing

    def _redeemed(self, ticket: str) -> Standing:
        door: Door | None = self._services.extra.get(Door)
        if door is None:
            raise Unauthenticated
        with self._services.database.session(writes=True) as session:
            standing = door.redeem(self._services, session, ticket, self._services.clock.now())
        if standing is None:
            raise Unauthenticated
        return standing


__all__ = ["Admission", "Admitted", "Asking", "Door", "HelpdeskError", "Standing", "is_welcome", "read_handshake"]
