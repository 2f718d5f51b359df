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

from helpdesk_core.plugins import PluginHost
from helpdesk_core.settings import Settings
from helpdesk_core.web.answers import to_json
from helpdesk_core.web.contents import Content
from helpdesk_core.web.openapi import build_document
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


def documentation_routes(endpoints: Sequence[Endpoint], host: PluginHost, settings: Settings) -> list[BaseRoute]:
    """Return the routes of the documentation. Nothing is built or read before somebody asks for it."""
    document = Content(lambda: to_json(build_document(endpoints, host, settings)), "application/json", HEADERS)
    page = Content((OURS / "index.html").read_bytes, "text/html", HEADERS)
    assets = {name: Content((folder / name).read_bytes, media, HEADERS) for name, (folder, media) in ASSETS.items()}

    # Plain functions, not coroutines: they run in a thread, so that building and compressing hold nobody up.
    def openapi(request: Request) -> Response:
        return document.answer(request)

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
