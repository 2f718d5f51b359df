"""The floor's create: every row that the product writes for a new ticket, in one transaction, by hand."""

import os
import time
from typing import Any, Protocol
from uuid import UUID

import orjson

from tests.benchmarks.floor import reading
from tests.benchmarks.wire import PRIORITIES


class Store(reading.Store, Protocol):
    """A connection that also writes.

    Attributes:
        connection: the driver's.
        place: what stands for a parameter in a statement.
        begin: the statement that begins a transaction.
        index: the statement that adds to the full-text index.
    """

    connection: Any
    place: str
    begin: str
    index: str


_TICKET = """
INSERT INTO tickets_ticket (uuid, organization_id, sequence, number, subject, description, status, priority,
    customer_id, created_by_id, comment_count, public_comment_count, reopen_count, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?, 0, 0, 0, ?, ?) RETURNING id
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
ON CONFLICT (organization_id, status, priority, category_id) DO UPDATE SET total = tickets_count.total + 1
"""
_TALLY = """
INSERT INTO tickets_tally (organization_id, kind, key, total) VALUES (?, 'created', ?, 1)
ON CONFLICT (organization_id, kind, key) DO UPDATE SET total = tickets_tally.total + 1
"""
_CHANGE = """
INSERT INTO tickets_change (organization_id, ticket_id, actor_id, field, before, after, created_at)
VALUES (?, ?, ?, 'status', NULL, '"new"', ?)
"""
_EVENT = """
INSERT INTO core_event (organization_id, type, version, payload, actor_id, created_at, due_at, subject, aggregate)
VALUES (?, 'ticket.created', 1, ?, ?, ?, NULL, ?, ?)
"""
_ONE = reading.TICKET.format(source="tickets_ticket AS ticket") + " WHERE ticket.id = ?"


def create(store: Store, user: reading.Row, body: dict[str, Any]) -> dict[str, Any]:
    """Open a ticket for `user` and return it as the wire shows it."""
    store.connection.execute(store.begin)
    try:
        shown = _create(store, user, body)
    except BaseException:
        store.connection.execute("ROLLBACK")
        raise
    store.connection.execute("COMMIT")
    return shown


def _create(store: Store, user: reading.Row, body: dict[str, Any]) -> dict[str, Any]:
    def run(statement: str, *values: Any) -> Any:
        return store.connection.execute(statement.replace("?", store.place), values)

    actor, organization = user[0], user[1]
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    priority = PRIORITIES.index(body["priority"])
    names = sorted(body["tags"])  # the order of locks
    known = dict(run(_TAGS.format(", ".join("?" * len(names))), organization, *names).fetchall())
    number = run(_NUMBER, organization).fetchone()[0]
    name = f"TKT-{number:03d}"
    texts = (body["subject"], body["description"])
    identity = (str(_uuid7()), organization, number, name)
    key = run(_TICKET, *identity, *texts, priority, actor, actor, now, now).fetchone()[0]
    for place, tag in enumerate(body["tags"]):
        run(_LINK, organization, key, known[tag], place, now)
    for tag in names:
        run(_USED, known[tag])
    run(_CHANGE, organization, key, actor, now)
    run(_COUNT, organization, priority)
    run(_TALLY, organization, now[:10])
    run(store.index, key, organization, "\n".join(texts), name)
    payload = orjson.dumps({"ticket_id": key, "customer_id": actor, "number": name}).decode()
    run(_EVENT, organization, payload, actor, now, f"ticket:{key}", f"ticket:{key}")
    return reading.shown(store, organization, run(_ONE, key).fetchall())[0]


def _uuid7() -> UUID:
    value = (time.time_ns() // 1_000_000 << 80) | int.from_bytes(os.urandom(10))
    return UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)
