"""`/ws/notifications/`: the handshake, and the end of those who may not come in."""

import logging
from collections.abc import Sequence
from typing import Any

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.types import Receive, Scope, Send

from helpdesk_core.changes import Changes
from helpdesk_core.errors import HelpdeskError, Unauthenticated
from helpdesk_core.web.authentication import Authenticator
from helpdesk_core.web.context import Services
from helpdesk_core.web.realtime.admission import Admission, is_welcome, read_handshake
from helpdesk_core.web.realtime.connection import UNAUTHENTICATED, Connection, Wire
from helpdesk_core.web.realtime.hub import Hub
from helpdesk_core.web.realtime.wakers import Wakers

log = logging.getLogger("helpdesk.realtime")

PATH = "/ws/notifications/"


def hub_of(services: Services, authenticators: Sequence[Authenticator]) -> Hub:
    """Return what holds the connections of this process."""
    return Hub(services, Admission(services, authenticators), services.get(Wakers))


def socket_routes(services: Services, hub: Hub) -> list[BaseRoute]:
    """Return the route of the socket, with the final slash and without."""
    app = Endpoint(services, hub)
    return [WebSocketRoute(path, app) for path in (PATH, PATH.rstrip("/"))]


class Endpoint:
    """The ASGI application of the socket."""

    def __init__(self, services: Services, hub: Hub) -> None:
        """Keep both."""
        self._services = services
        self._hub = hub
        self._topics = services.get(Changes).topics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one client."""
        await receive()  # websocket.connect
        asking = read_handshake(scope)
        names_token = _names_token(scope)
        scope["query_string"] = b""  # the server logs it, and there are tickets in it
        headers = asking.incoming.headers
        if not is_welcome(headers.get("origin"), headers.get("host", ""), self._services.settings):
            await send({"type": "websocket.close", "code": 1008})  # before it is accepted: the handshake fails with 403
            return
        accepted: dict[str, Any] = {"type": "websocket.accept", "subprotocol": asking.subprotocol, "headers": []}
        try:
            if names_token:
                raise Unauthenticated("Send the token as a header or as a subprotocol, never in the address.")
            admitted = await self._hub.admit(asking)
        except HelpdeskError as refusal:
            await send(accepted)
            await send({"type": "websocket.close", "code": UNAUTHENTICATED, "reason": refusal.message[:100]})
            return
        await send(accepted)
        wire = Wire(receive, send, scope.get("abort") or _nothing)
        await self._hub.serve(Connection(admitted, wire, self._hub, self._topics), asking.last_event_id)


def _names_token(scope: Scope) -> bool:
    return any(part.startswith(b"token=") for part in scope["query_string"].split(b"&"))


def _nothing() -> None:
    """Cut nothing off: a test client has no transport."""
