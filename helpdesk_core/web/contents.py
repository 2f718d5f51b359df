"""What is served as it is, the same for everybody: scripts, style sheets, documents."""

import gzip
from collections.abc import Callable, Mapping
from functools import cached_property
from hashlib import blake2b
from threading import Lock

from starlette.requests import Request
from starlette.responses import Response


class Content:
    """What is the same for everybody: made when it is first asked for, then kept, compressed as well."""

    def __init__(self, make: Callable[[], bytes], media_type: str, headers: Mapping[str, str]) -> None:
        """Remember how to make it, and what goes with it."""
        self._make = make
        self._headers = {**headers, "Vary": "Accept-Encoding"}
        self._media_type = media_type
        self._lock = Lock()

    @cached_property
    def _forms(self) -> tuple[bytes, bytes, str]:
        plain = self._make()
        return plain, gzip.compress(plain, 6, mtime=0), f'"{blake2b(plain, digest_size=12).hexdigest()}"'

    @property
    def tag(self) -> str:
        """Return what names this content and no other."""
        with self._lock:
            return self._forms[2].strip('"')

    def answer(self, request: Request) -> Response:
        """Return the content, unless the browser has it already."""
        with self._lock:
            plain, compressed, tag = self._forms
        headers = {**self._headers, "ETag": tag}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            plain = compressed
        return Response(plain, headers=headers, media_type=self._media_type)
