"""Forged requests: a browser sends the cookie of a session along with whatever page asks it to.

A request that changes something therefore shows a value that only our own pages can read, and must not come from
a page of somebody else. Requests with an access token or an API key need neither: no browser adds those by itself.
"""

import hmac
from urllib.parse import urlsplit

from helpdesk_core.clock import Clock
from helpdesk_core.errors import CsrfFailed
from helpdesk_core.keys import derived_keys
from helpdesk_core.settings import Settings
from helpdesk_core.web.requests import Incoming

HEADER = "x-csrftoken"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Csrf:
    """Makes and checks the values that go with session cookies."""

    def __init__(self, settings: Settings, _: Clock) -> None:
        """Derive the key of this purpose from the installation's own."""
        self._key = derived_keys(settings, "csrf tokens")[0]
        self._friends = frozenset(settings.allowed_origins) - {"*"}

    def token(self, secret: str) -> str:
        """Return the value that belongs to the session with this secret; the secret cannot be told from it."""
        return hmac.digest(self._key, secret.encode(), "sha256").hex()

    def check(self, incoming: Incoming, secret: str) -> None:
        """Raise `CsrfFailed` if a request that may change something is not verifiably from a page of ours."""
        if incoming.method in SAFE:
            return
        self.check_origin(incoming)
        given = incoming.headers.get(HEADER, "").encode()
        if not hmac.compare_digest(given, self.token(secret).encode()):
            raise CsrfFailed

    def check_origin(self, incoming: Incoming) -> None:
        """Raise `CsrfFailed` if the request says that it comes from a page of somebody else.

        Programs say nothing; browsers do, and a page cannot make them lie.
        """
        origin = _origin(incoming)
        if origin is not None and origin in self._friends:
            return
        elsewhere = incoming.headers.get("sec-fetch-site", "") == "cross-site"
        if elsewhere or (origin is not None and not _is_ours(origin, incoming)):
            raise CsrfFailed("This request comes from a page of another site.")


def _origin(incoming: Incoming) -> str | None:
    """Return scheme and host of the page that sent the request, as far as the browser tells."""
    origin = incoming.headers.get("origin")
    if origin is not None:
        return origin
    referer = incoming.headers.get("referer")
    if referer is None:
        return None
    try:
        parts = urlsplit(referer)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}"


def _is_ours(origin: str, incoming: Incoming) -> bool:
    scheme, _, host = origin.lower().partition("://")
    our_scheme, _, our_host = incoming.base_url.lower().partition("://")
    # Behind a proxy that ends TLS without saying so we take ourselves for http; the other way round is no page of ours.
    same_scheme = scheme == our_scheme or (scheme, our_scheme) == ("https", "http")
    return same_scheme and host in {our_host, incoming.headers.get("host", "").lower()}
