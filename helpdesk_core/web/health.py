"""Two questions of the machinery around the process: does it run (`/healthz`), may it get requests (`/readyz`)."""

import logging
import re
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from helpdesk_core.lineages import CORE, lineages
from helpdesk_core.plugins import PluginHost, State
from helpdesk_core.positions import pending
from helpdesk_core.web.answers import to_json
from helpdesk_core.web.context import Services

log = logging.getLogger("helpdesk.web")

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


def health_routes(services: Services, host: PluginHost) -> list[BaseRoute]:
    """Return the routes of both questions; neither asks for a credential, neither tells one."""
    wanted = lineages(host)

    async def healthz(_: Request) -> Response:
        return _json(200, {"status": "ok", "plugins": troubled(host)})

    def readyz(_: Request) -> Response:  # not a coroutine: it waits for the database in a thread
        try:
            behind = pending(services.database, wanted)
        except SQLAlchemyError as error:
            log.warning("not ready", extra={"error": str(error)})
            return _json(503, {"status": "unavailable", "database": "does not answer"})
        if CORE in behind:
            return _json(503, {"status": "unavailable", "database": behind[CORE], "pending": [*behind]})
        due = {"pending": [*behind]} if behind else {}  # plugins that wait for their tables keep nobody else waiting
        return _json(200, {"status": "ok", "database": "ok", **due})

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


def troubled(host: PluginHost) -> list[dict[str, Any]]:
    """Return the plugins that do not run, with the phase in which they failed and the reason."""
    found = []
    for plugin in host.plugins:
        state, phase, reason = host.state_of(plugin)
        if state is not State.ACTIVE:
            told = _CREDENTIALS.sub("***@", reason or "") or None
            found.append({"id": plugin.id, "state": state.value, "phase": phase, "reason": told})
    return found


def _json(status: int, body: Any) -> Response:
    return Response(to_json(body), status, {"Cache-Control": "no-store"}, "application/json")
