"""What goes over the socket: JSON objects `{"type", "id", "timestamp", "data"}` in text frames."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from helpdesk_core.changes import Change
from helpdesk_core.web.answers import to_json

MOST_TOPICS = 100
"""Of one connection; more are refused."""

RENAMED = {"notification.created": "notification"}
"""What events are called on the socket where that is not their type."""


class BadFrame(ValueError):
    """What a client sent cannot be read, or asks for something that there is not."""

    def __init__(self, code: str, message: str) -> None:
        """Say why, for programs and for people."""
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Asked:
    """A frame of a client.

    Attributes:
        type: what it wants.
        id: comes back in the answer, so that the client knows what was answered.
        data: the rest.
    """

    type: str
    id: Any
    data: Mapping[str, Any]


def read_frame(text: str | None) -> Asked:
    """Return what a client sent; `BadFrame` unless it is a JSON object with a type."""
    if text is None:
        raise BadFrame("BAD_FRAME", "Send text frames.")
    try:
        value = orjson.loads(text)
    except ValueError:
        raise BadFrame("BAD_FRAME", "This is not JSON.") from None
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise BadFrame(
            "BAD_FRAME", 'Send an object with a type, {"type": "subscribe", "data": {"topics": ["ticket"]}}.'
        )
    data = value.get("data", {})
    if not isinstance(data, dict):
        raise BadFrame("BAD_FRAME", "data must be an object.")
    known = value.get("id")
    return Asked(value["type"], known if isinstance(known, str | int) else None, data)


def frame(kind: str, at: str, data: Any, *, id: Any = None) -> str:
    """Return a frame of the server's."""
    return to_json({"type": kind, "id": id, "timestamp": at, "data": data}).decode()


def told(change: Change) -> str:
    """Return the frame for a change; of what is gone, `data` holds the id alone."""
    item = change.item()
    item["type"] = RENAMED.get(change.type, change.type)
    if change.data is None:
        item["data"] = {"id": change.id}
    return to_json(item).decode()
