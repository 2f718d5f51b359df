"""The floor's create: every row that the product writes for a new ticket, in one transaction, by hand."""

import os
import sqlite3
import time
from typing import Any
from uuid import UUID

import orjson

from tests.benchmarks.floor import reading
from tests.benchmarks.wire import PRIORITIES

_TICKET = """
INSERT INTO tickets_ticket (uuid, organization_id, sequence, number, subject, description, status, priority,
    customer_id, created_by_id, comment_count, public_comment_count, reopen_count, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?, 0, 0, 0, ?, ?)
"""
_NUMBER = "UPDATE tickets_number SET last = last + 1 WHERE organization_id = ? RETURNING last"
_TAGS = "SELECT name_key, id FROM tickets_tag WHERE organization_id = ? AND name_key IN ({})"
_LINK = (
    "INSERT INTO tickets_ticket_tag (organization_id, ticket_id, tag_id, position, ticket_created_at)"
    " VALUES (?, ?, ?, ?, ?)"
)
_USED = "UPDATE tickets_tag SET usage_count = usage_count + 1 WHERE id = ?"
_COUNT = """
INSERT INTO tickets_count (organization_id, status, priority, category_id, total) VALUES (?, 0, ?, 0, 1)
ON CONFLICT DO UPDATE SET total = total + 1
"""
_TALLY = """
INSERT INTO tickets_tally (organization_id, kind, key, total) VALUES (?, 'created', ?, 1)
ON CONFLICT DO UPDATE SET total = total + 1
"""
_SEARCH = (
    "INSERT INTO tickets_search (rowid, organization, text, number, comments, internal) VALUES (?, ?, ?, ?, '', '')"
)
_CHANGE = """
INSERT INTO tickets_change (organization_id, ticket_id, actor_id, field, before, after, created_at)
VALUES (?, ?, ?, 'status', NULL, '"new"', ?)
"""
_EVENT = """
INSERT INTO core_event (organization_id, type, version, payload, actor_id, created_at, due_at, subject, aggregate)
VALUES (?, 'ticket.created', 1, ?, ?, ?, NULL, ?, ?)
"""
_ONE = reading.TICKET.format(source="tickets_ticket AS ticket") + " WHERE ticket.id = ?"


def create(connection: sqlite3.Connection, user: reading.Row, body: dict[str, Any]) -> dict[str, Any]:
    """Open a ticket for `user` and return it as the wire shows it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        shown = _create(connection, user, body)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return shown


def _create(connection: sqlite3.Connection, user: reading.Row, body: dict[str, Any]) -> dict[str, Any]:
    actor, organization = user[0], user[1]
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    priority = PRIORITIES.index(body["priority"])
    known = dict(connection.execute(_TAGS.format(", ".join("?" * len(body["tags"]))), (organization, *body["tags"])))
    number = connection.execute(_NUMBER, (organization,)).fetchone()[0]
    name = f"TKT-{number:03d}"
    texts = (body["subject"], body["description"])
    values = (str(_uuid7()), organization, number, name, *texts, priority, actor, actor, now, now)
    key = connection.execute(_TICKET, values).lastrowid
    links = [(organization, key, known[tag], place, now) for place, tag in enumerate(body["tags"])]
    connection.executemany(_LINK, links)
    connection.executemany(_USED, [(known[tag],) for tag in body["tags"]])
    connection.execute(_CHANGE, (organization, key, actor, now))
    connection.execute(_COUNT, (organization, priority))
    connection.execute(_TALLY, (organization, now[:10]))
    connection.execute(_SEARCH, (key, f"o{organization}", "\n".join(texts), name))
    payload = orjson.dumps({"ticket_id": key, "customer_id": actor, "number": name}).decode()
    connection.execute(_EVENT, (organization, payload, actor, now, f"ticket:{key}", f"ticket:{key}"))
    rows = connection.execute(_ONE, (key,)).fetchall()
    return reading.shown(connection, organization, rows)[0]


def _uuid7() -> UUID:
    value = (time.time_ns() // 1_000_000 << 80) | int.from_bytes(os.urandom(10))
    return UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)
