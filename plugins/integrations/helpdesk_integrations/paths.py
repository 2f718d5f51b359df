"""Addresses below a base: whatever a path says, the request stays below the base address of its integration."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from helpdesk_core.api import Invalid

FORBIDDEN_HEADERS = frozenset(
    {
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "cookie",
        "expect",
        "forwarded",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that frame the message, or say who is asking: neither is for callers to set."""
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE = re.compile(r"([\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?)?")
_PATH = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/%]*")


def url_below(base: str, path: str, query: Mapping[str, Any]) -> str:
    """Return the address of `path` below `base`.

    Raises:
        Invalid: the path would lead anywhere else, or can be read in two ways (400).
    """
    written = quote(path, safe="/%-._~!$&'()*+,;=:@") if not _PATH.fullmatch(path) and _plain(path) else path
    if not _PATH.fullmatch(written) or _climbs(written) or "://" in written or written.startswith("//"):
        raise Invalid.field("path", "Enter a path below base_url, without '..', a host, a query or a fragment.")
    root = urlsplit(base)
    below = f"{root.path.rstrip('/')}/{written.lstrip('/')}" if written else root.path or "/"
    named = [(name, _text(value)) for name, values in query.items() for value in _listed(values)]
    text = urlencode(named)
    return f"{root.scheme}://{root.netloc}{below}{'?' + text if text else ''}"


def checked_headers(headers: Mapping[str, str], also_forbidden: str = "") -> dict[str, str]:
    """Return headers that a caller may set.

    Raises:
        Invalid: one is not for callers, or is none (400).
    """
    for name, value in headers.items():
        lower = name.lower()
        if lower in FORBIDDEN_HEADERS or lower.startswith("proxy-") or lower == also_forbidden.lower():
            raise Invalid.field("headers", f"The header {name[:100]!r} cannot be set.")
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise Invalid.field("headers", f"The header {name[:100]!r} has characters that headers cannot have.")
    if len({name.lower() for name in headers}) < len(headers):
        raise Invalid.field("headers", "A header is given twice.")
    return dict(headers)


def _plain(path: str) -> bool:
    """Tell whether a path only has letters that need to be encoded, and no sign with a meaning."""
    return not any(sign in path for sign in '\\?#<>"^`{|}[]') and path.isprintable()


def _climbs(path: str) -> bool:
    """Tell whether a path, decoded as often as it can be, leaves the folder it is in or hides a sign."""
    for _ in range(4):
        if any(part.partition(";")[0] in {".", ".."} for part in path.replace("\\", "/").split("/")):
            return True
        decoded = unquote(path)
        if decoded == path:
            return "\\" in path or not path.isprintable()
        path = decoded
    return True


def _listed(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
