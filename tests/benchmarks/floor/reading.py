"""The floor's list: five statements by hand after the user's row, with the wire's words made on the way."""

import sqlite3
from typing import Any

from tests.benchmarks import wire

Row = tuple[Any, ...]

SHOWN = tuple(wire.SHOWN[status] for status in wire.STATUSES)
WANTED = {"open": tuple(wire.STATUSES.index(status) for status in wire.WANTED["open"])}


def _arms(arity: int) -> str:
    arm = (
        "SELECT * FROM (SELECT id, created_at FROM tickets_ticket WHERE organization_id = ?1 AND status = ?{}"
        " AND deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT ?2)"
    )
    return " UNION ALL ".join(arm.format(place + 4) for place in range(arity))


TICKET = """
SELECT ticket.id, ticket.uuid, ticket.number, ticket.subject, ticket.description, ticket.status, ticket.priority,
    customer.id, customer.email, customer.full_name, agent.id, agent.email, agent.full_name,
    organization.id, organization.name, ticket.created_at, ticket.updated_at
FROM {source} JOIN core_user AS customer ON customer.id = ticket.customer_id
    JOIN core_organization AS organization ON organization.id = ticket.organization_id
    LEFT JOIN core_user AS agent ON agent.id = ticket.assigned_agent_id
"""
_PAGES = {
    arity: TICKET.format(
        source=f"(SELECT id FROM ({_arms(arity)}) ORDER BY created_at DESC, id DESC LIMIT ?2 - ?3 OFFSET ?3) AS page"
        " JOIN tickets_ticket AS ticket ON ticket.id = page.id"
    )
    + " ORDER BY ticket.created_at DESC, ticket.id DESC"
    for arity in (1, 2)
}
_COUNT = "SELECT count(*) FROM tickets_ticket WHERE organization_id = ? AND deleted_at IS NULL AND status IN ({})"
_TAGS = """
SELECT link.ticket_id, tag.name FROM tickets_ticket_tag AS link JOIN tickets_tag AS tag ON tag.id = link.tag_id
WHERE link.organization_id = ? AND link.ticket_id IN ({}) ORDER BY link.position
"""
_COMMENTS = """
SELECT comment.ticket_id, comment.id, comment.content, author.id, author.email, author.full_name,
    comment.is_internal, comment.created_at
FROM tickets_comment AS comment JOIN core_user AS author ON author.id = comment.author_id
WHERE comment.organization_id = ? AND comment.ticket_id IN ({}) ORDER BY comment.id
"""
_ATTACHMENTS = """
SELECT attachment.ticket_id, attachment.id, attachment.filename, attachment.content_type, attachment.size,
    person.id, person.email, person.full_name, attachment.created_at
FROM tickets_attachment AS attachment JOIN core_user AS person ON person.id = attachment.uploaded_by_id
WHERE attachment.organization_id = ? AND attachment.ticket_id IN ({}) ORDER BY attachment.id
"""


def page(connection: sqlite3.Connection, user: Row, query: dict[str, str], url: str) -> dict[str, Any]:
    """Return one page of the list for an agent."""
    organization, statuses = user[1], WANTED[query["status"]]
    number, size = int(query.get("page", "1")), int(query.get("page_size", "20"))
    count = connection.execute(_COUNT.format(", ".join("?" * len(statuses))), (organization, *statuses)).fetchone()[0]
    start = (number - 1) * size
    rows = connection.execute(_PAGES[len(statuses)], (organization, size + start, start, *statuses)).fetchall()
    following = f"{url}?status={query['status']}&page_size={size}&page={number + 1}"
    return {
        "count": count,
        "next": following if start + len(rows) < count else None,
        "previous": None,
        "results": shown(connection, organization, rows),
    }


def shown(connection: sqlite3.Connection, organization: int, rows: list[Row]) -> list[dict[str, Any]]:
    """Return tickets as the wire shows them, with what belongs to them."""
    keys = (organization, *(row[0] for row in rows))
    places = ", ".join("?" * len(rows))
    tags: dict[int, list[Any]] = {row[0]: [] for row in rows}
    comments: dict[int, list[Any]] = {row[0]: [] for row in rows}
    attachments: dict[int, list[Any]] = {row[0]: [] for row in rows}
    for ticket, name in connection.execute(_TAGS.format(places), keys):
        tags[ticket].append(name)
    for row in connection.execute(_COMMENTS.format(places), keys):
        comments[row[0]].append(_comment(row))
    for row in connection.execute(_ATTACHMENTS.format(places), keys):
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
