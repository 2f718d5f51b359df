"""The interactive documentation at `/api/docs/`, and the document behind it at `/api/openapi.json`.

The page loads nothing from elsewhere: Swagger UI comes out of an installed package, the rest out of ours.
"""

from collections.abc import Sequence
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from swagger_ui_bundle import swagger_ui_path  # type: ignore[import-untyped]

from helpdesk_core.errors import HelpdeskError
from helpdesk_core.plugins import PluginHost
from helpdesk_core.tenancy import begin_identifying
from helpdesk_core.web.answers import to_json
from helpdesk_core.web.authentication import Authenticator, authenticate
from helpdesk_core.web.contents import Content
from helpdesk_core.web.context import Services
from helpdesk_core.web.openapi import build_document
from helpdesk_core.web.requests import Incoming
from helpdesk_core.web.routing import Endpoint

OURS = Path(__file__).parent / "static" / "docs"
SHARED = Path(__file__).parent / "static" / "core"
SWAGGER_UI = Path(swagger_ui_path)
ASSETS = {
    "docs.css": (OURS, "text/css"),
    "docs.js": (OURS, "text/javascript"),
    "session.js": (SHARED, "text/javascript"),
    "swagger-ui.css": (SWAGGER_UI, "text/css"),
    "swagger-ui-bundle.js": (SWAGGER_UI, "text/javascript"),
    "favicon-32x32.png": (SWAGGER_UI, "image/png"),
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
CREDENTIALS = frozenset({"authorization", "x-api-key", "cookie"})
MOST_DOCUMENTS = 16
"""As many combinations of plugins are kept; each document is half a megabyte."""


class Documents:
    """The OpenAPI document as each caller has it: without operations of plugins that their organisation has not on."""

    def __init__(self, endpoints: Sequence[Endpoint], host: PluginHost, services: Services) -> None:
        """Build nothing yet."""
        self._endpoints = endpoints
        self._host = host
        self._services = services
        self._made: dict[frozenset[str], Content] = {}

    def without(self, plugins: frozenset[str]) -> Content:
        """Return the document without the operations of these plugins."""
        found = self._made.get(plugins)
        if found is None:
            if len(self._made) >= MOST_DOCUMENTS:
                self._made.clear()
            shown = [endpoint for endpoint in self._endpoints if endpoint.plugin not in plugins]
            settings = self._services.settings
            made = Content(lambda: to_json(build_document(shown, self._host, settings)), "application/json", HEADERS)
            found = self._made[plugins] = made
        return found

    def closed_for(self, request: Request, authenticators: Sequence[Authenticator]) -> frozenset[str]:
        """Return the plugins that the caller's organisation has not on; none for callers who are not known."""
        if not CREDENTIALS.intersection(request.headers):
            return frozenset()
        headers = dict(request.headers)
        incoming = Incoming(request.scope["request_id"], "GET", request.url.path, "", headers, b"", "", "")
        with self._services.database.session(writes=False) as session:
            begin_identifying(session)
            try:
                caller = authenticate(authenticators, session, incoming)
            except HelpdeskError:
                return frozenset()
        if caller is None:
            return frozenset()
        gate = self._host.gate
        return frozenset(plugin.id for plugin in self._host.active if gate.closed(plugin.id, caller.actor))


def documentation_routes(
    endpoints: Sequence[Endpoint], host: PluginHost, services: Services, authenticators: Sequence[Authenticator]
) -> list[BaseRoute]:
    """Return the routes of the documentation. Nothing is built or read before somebody asks for it."""
    documents = Documents(endpoints, host, services)
    page = Content((OURS / "index.html").read_bytes, "text/html", HEADERS)
    assets = {name: Content((folder / name).read_bytes, media, HEADERS) for name, (folder, media) in ASSETS.items()}

    # Plain functions, not coroutines: they run in a thread, so that building and compressing hold nobody up.
    def openapi(request: Request) -> Response:
        return documents.without(documents.closed_for(request, authenticators)).answer(request)

    def docs(request: Request) -> Response:
        return page.answer(request)

    def asset(request: Request) -> Response:
        found = assets.get(request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        return found.answer(request)

    return [
        Route("/api/openapi.json", openapi),
        Route("/api/docs/", docs),
        Route("/api/docs/assets/{name}", asset),
    ]
