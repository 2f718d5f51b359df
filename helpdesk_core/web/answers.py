"""What goes back: values turned into bytes, in the form the caller asked for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from pydantic import BaseModel

from helpdesk_core.clock import api_time
from helpdesk_core.queries import Loaded
from helpdesk_core.schemas import Page
from helpdesk_core.web.dialects import API_VERSION

RawHeaders = tuple[tuple[bytes, bytes], ...]
"""Header fields as the server takes them: names in lower case."""

ON_EVERY_ANSWER: RawHeaders = (
    (b"x-api-version", API_VERSION.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cache-control", b"private, no-cache"),
)


@dataclass(slots=True)
class Answer:
    """A response that is ready to be sent.

    Attributes:
        status: the HTTP status.
        body: the bytes, or an iterator of chunks for downloads.
        headers: beside those that every answer carries.
        media_type: of the body.
        raw: more header fields, ready to be sent; what limits tell is put here last.
        code: of the error that it tells.
    """

    status: int
    body: bytes | Iterator[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    raw: RawHeaders = ()
    code: str = ""


@dataclass(frozen=True, slots=True)
class Download:
    """A stored file as an answer.

    Attributes:
        chunks: its content.
        filename: as the person who uploaded it called it.
        media_type: as stored; shown as such only when it is harmless in a browser.
        size: in bytes.
        etag: names this content, for `If-None-Match`; nothing for a file that is only read once.
    """

    chunks: Iterator[bytes]
    filename: str
    media_type: str
    size: int
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """How a body is written for one request.

    Attributes:
        envelope: whether to wrap it in `data` and `meta` (rule R6).
        request_id: goes into `meta`.
        now: goes into `meta`.
    """

    envelope: bool
    request_id: str
    now: datetime

    def meta(self) -> dict[str, str]:
        """Return the facts about this answer."""
        return {"timestamp": api_time(self.now), "version": API_VERSION, "request_id": self.request_id}


def encode(value: Any, form: Form) -> bytes:
    """Return `value` as JSON."""
    if isinstance(value, Loaded):
        value = value.data
    elif isinstance(value, Page):
        value = value.__dict__
        if form.envelope:
            return to_json({**value, "meta": form.meta()})
    if form.envelope:
        value = {"data": value, "meta": form.meta()}
    return to_json(value)


def to_json(value: Any) -> bytes:
    """Return `value` as compact JSON; models and instants are written as their schemas say."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Loaded):
        return value.data
    if isinstance(value, datetime):
        return api_time(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
