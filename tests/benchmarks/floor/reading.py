"""The floor's list: five statements by hand after the user's row, with the wire's words made on the way."""

from collections.abc import Sequence
from typing import Any, Protocol

from tests.benchmarks import wire

Row = tuple[Any, ...]

SHOWN = tuple(wire.SHOWN[status] for status in wire.STATUSES)
WANTED = {"open": tuple(wire.STATUSES.index(status) for status in wire.WANTED["open"])}


TICKET = """
SELECT ticket.id, ticket.uuid, ticket.number, ticket.subject, ticket.description, ticket.status, ticket.priority,
    customer.id, customer.email, customer.full_name, agent.id, agent.email, agent.full_name,
    organization.id, organization.name, ticket.created_at, ticket.updated_at
FROM {source} JOIN core_user AS customer ON customer.id = ticket.customer_id
    JOIN core_organization AS organization ON organization.id = ticket.organization_id
    LEFT JOIN core_user AS agent ON agent.id = ticket.assigned_agent_id
"""


class Store(Protocol):
    """The five statements of a page, and the one before them, on one connection."""

    def user(self, key: int) -> Row | None:
        """Return who calls."""

    def count(self, organization: int, statuses: Sequence[int]) -> int:
        """Count an organisation's tickets."""

    def one(self, organization: int, uuid: str) -> list[Row]:
        """Return a ticket."""

    def newest(self, organization: int, statuses: Sequence[int], size: int, start: int) -> list[Row]:
        """Return a page of tickets."""

    def tags(self, organization: int, keys: list[int]) -> list[Row]:
        """Return the names of tickets' tags."""

    def comments(self, organization: int, keys: list[int]) -> list[Row]:
        """Return tickets' comments."""

    def attachments(self, organization: int, keys: list[int]) -> list[Row]:
        """Return tickets' attachments."""


def page(store: Store, user: Row, query: dict[str, str], url: str) -> dict[str, Any]:
    """Return one page of the list for an agent."""
    organization, statuses = user[1], WANTED[query["status"]]
    number, size = int(query.get("page", "1")), int(query.get("page_size", "20"))
    count = store.count(organization, statuses)
    start = (number - 1) * size
    rows = store.newest(organization, statuses, size, start)
    following = f"{url}?status={query['status']}&page_size={size}&page={number + 1}"
    return {
        "count": count,
        "next": following if start + len(rows) < count else None,
        "previous": None,
        "results": shown(store, organization, rows),
    }


def detail(store: Store, user: Row, uuid: str) -> dict[str, Any]:
    """Return one ticket."""
    return shown(store, user[1], store.one(user[1], uuid))[0]


def shown(store: Store, organization: int, rows: list[Row]) -> list[dict[str, Any]]:
    """Return tickets as the wire shows them, with what belongs to them."""
    keys = [row[0] for row in rows]
    tags: dict[int, list[Any]] = {key: [] for key in keys}
    comments: dict[int, list[Any]] = {key: [] for key in keys}
    attachments: dict[int, list[Any]] = {key: [] for key in keys}
    for ticket, name in store.tags(organization, keys):
        tags[ticket].append(name)
    for row in store.comments(organization, keys):
        comments[row[0]].append(_comment(row))
    for row in store.attachments(organization, keys):
        attachments[row[0]].append(_attachment(row))
    return [
        _ticket(row, tags[row[0]], attachments[row[0]], comments[row[0]][-wire.EMBEDDED_COMMENTS :]) for row in rows
    ]


def _ticket(row: Row, tags: list[Any], attachments: list[Any], comments: list[Any]) -> dict[str, Any]:
    return {
        "id": row[1],
        "ticket_number": row[2],
        "subject": row[3],
        "description": row[4],
        "status": SHOWN[row[5]],
        "priority": wire.PRIORITIES[row[6]],
        "customer": {"id": row[7], "email": row[8], "full_name": row[9]},
        "assigned_agent": None if row[10] is None else {"id": row[10], "email": row[11], "full_name": row[12]},
        "organization": {"id": row[13], "name": row[14]},
        "tags": tags,
        "attachments": attachments,
        "comments": comments,
        "created_at": row[15],
        "updated_at": row[16],
    }


def _comment(row: Row) -> dict[str, Any]:
    return {
        "id": row[1],
        "content": row[2],
        "author": {"id": row[3], "email": row[4], "full_name": row[5]},
        "is_internal": bool(row[6]),
        "created_at": row[7],
    }


def _attachment(row: Row) -> dict[str, Any]:
    return {
        "id": row[1],
        "filename": row[2],
        "content_type": row[3],
        "size": row[4],
        "url": f"/api/v1/attachments/{row[1]}/",
        "uploaded_by": {"id": row[5], "email": row[6], "full_name": row[7]},
        "created_at": row[8],
    }
