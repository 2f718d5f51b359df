"""Documents of APIs: which operations they list."""

from collections.abc import Mapping
from typing import Any

import orjson
from httpx2 import HTTPError
from sqlalchemy.orm import Session

from helpdesk_core.api import Outbound, OutboundError, now
from helpdesk_integrations.errors import UnreadableDocument
from helpdesk_integrations.models import ApiIntegration
from helpdesk_integrations.service.rows import row_of

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
MOST = 2000


def fetch_operations(outbound: Outbound, url: str) -> list[dict[str, Any]]:
    """Return the operations that the OpenAPI document at `url` lists; nothing secret is sent there.

    Raises:
        UnreadableDocument: there is none, it is no JSON, or it lists nothing (422).
    """
    try:
        with outbound.client() as client:
            reply = client.get(url, headers={"Accept": "application/json"})
        document = orjson.loads(reply.content) if reply.status_code == 200 else None
    except OutboundError as error:
        raise UnreadableDocument(error.message) from None
    except (HTTPError, orjson.JSONDecodeError):
        raise UnreadableDocument from None
    if reply.status_code != 200:
        raise UnreadableDocument(f"The server answered {reply.status_code}.")
    return operations_of(document)


def operations_of(document: Any) -> list[dict[str, Any]]:
    """Return the operations of an OpenAPI document, at most two thousand.

    Raises:
        UnreadableDocument: it is none (422).
    """
    paths = document.get("paths") if isinstance(document, Mapping) else None
    if not isinstance(paths, Mapping):
        raise UnreadableDocument("This is no OpenAPI document: it has no paths.")
    found = [
        {
            "method": method.upper(),
            "path": _text(path, 2000),
            "operation_id": _text(operation.get("operationId"), 255),
            "summary": _text(operation.get("summary"), 500),
        }
        for path, item in paths.items()
        if isinstance(item, Mapping)
        for method in METHODS
        if isinstance(operation := item.get(method), Mapping)
    ]
    return found[:MOST]


def keep_operations(session: Session, api_id: int, operations: list[dict[str, Any]]) -> None:
    """Store what a document lists."""
    api = row_of(session, ApiIntegration, api_id)
    api.operations = operations
    api.operations_at = now(session)
    session.flush()


def _text(value: Any, length: int) -> str | None:
    return value[:length].replace("\x00", "") if isinstance(value, str) else None
