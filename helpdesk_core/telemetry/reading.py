"""Who may read `/metrics`, and the route of the web server."""

import hmac
from collections.abc import Mapping
from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from helpdesk_core.settings import Settings
from helpdesk_core.telemetry.collecting import Telemetry

PATH = "/metrics"
FORWARDED = frozenset({"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"})
"""What proxies add; a request with any of these is not from this machine, whatever its address says."""


def refusal(settings: Settings, address: str, headers: Mapping[str, str]) -> tuple[int, str] | None:
    """Return the status and the sentence for those who may not read; nothing for those who may.

    Args:
        settings: with a token, whoever has it may read, from anywhere. Without one only programs on this machine may,
            and only as long as nothing says that a proxy stands in front, to whom everybody looks like that.
        address: of the peer.
        headers: of the request, with names in lower case.
    """
    token = settings.metrics_token.get_secret_value()
    if token:
        given = headers.get("authorization", "")
        expected = f"Bearer {token}"
        if hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
            return None
        return 401, "Send the token: Authorization: Bearer ..."
    if settings.public_url or settings.trusted_proxies or FORWARDED.intersection(headers) or not _is_here(address):
        return 404, "There is nothing at this path. Set HELPDESK_METRICS_TOKEN to read metrics from elsewhere."
    return None


def _is_here(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def metrics_routes(settings: Settings, telemetry: Telemetry) -> list[BaseRoute]:
    """Return the route of the web server."""

    def answer(request: Request) -> Response:  # not a coroutine: it may wait for the database
        refused = refusal(settings, request.client.host if request.client else "", request.headers)
        if refused is not None:
            status, sentence = refused
            challenge = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
            return Response(f"{sentence}\n", status, challenge, "text/plain")
        body, media_type = telemetry.answer(request.headers.get("accept", ""))
        return Response(body, 200, {"Content-Type": media_type, "Cache-Control": "no-store"})

    return [Route(PATH, answer)]
