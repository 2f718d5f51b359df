"""What receivers are sent of an event: `{"id", "type", "timestamp", "data"}`, made once."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy.orm import Session

from helpdesk_core.api import Dialect, Event, EventDescription, Happened, Resources, api_time
from helpdesk_integrations.models import Message
from helpdesk_integrations.public import PublicUrl

LARGEST_BODY = 20_000
"""Bytes; of what is larger, receivers get the id and the address."""


def new_uid() -> str:
    """Return a new identifier of a message."""
    return f"msg_{secrets.token_urlsafe(18).replace('_', '-')}"


def body_of(uid: str, event_type: str, moment: datetime, data: Mapping[str, Any]) -> bytes:
    """Return the body of a request."""
    return orjson.dumps({"id": uid, "type": event_type, "timestamp": api_time(moment), "data": data})


def message_of(
    session: Session, happened: Happened, event: Event, *, resources: Resources, public: PublicUrl
) -> Message | None:
    """Return the message that tells of an event, not stored yet; nothing if no outside system may know of it.

    What the event is about is shown as the API would show it now, without what is internal. What is gone is shown by
    its id and the payload of the event; so is what no plugin registered as a resource.
    """
    payload = event.model_dump(mode="json")
    about = [(kind, key) for kind, key in event.objects() if kind in resources]
    if any(resources.get(kind).needs(payload) is not None for kind, _ in about):
        return None
    uid, data, path = new_uid(), payload, ""
    subject = event.objects()[0] if event.objects() else None
    if subject is not None and subject in about:
        kind, key = subject
        path = resources.get(kind).path
        shown = resources.present(session, kind, key)
        data = shown or {"id": resources.ids(session, Dialect.COMPREHENSIVE, kind, [key])[key], **payload}
    body = body_of(uid, happened.type, happened.at, data)
    if len(body) > LARGEST_BODY:
        body = body_of(uid, happened.type, happened.at, _thin(data, payload, path, public))
    return Message(
        event_id=happened.id,
        uid=uid,
        event_type=happened.type,
        aggregate=happened.aggregate,
        body=body.decode(),
        created_at=happened.at,
    )


def _thin(data: Mapping[str, Any], payload: Mapping[str, Any], path: str, public: PublicUrl) -> dict[str, Any]:
    """Return what is left of what is too large: its id, and the address at which the API shows it."""
    thin = {"id": data["id"]} if "id" in data else {}
    try:
        return {**thin, "url": f"{public.base}/api/v1{path.format(**{**payload, **thin})}"} if path else thin
    except KeyError:  # an event that does not say what the path needs
        return thin


def example_of(described: EventDescription) -> dict[str, Any]:
    """Return a request body as receivers may get it for an event."""
    moment = "2024-01-01T00:00:00Z"
    return {"id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "type": described.type, "timestamp": moment, "data": described.sample}
