"""The maintained counters of the data: written with SQL, then compared with what a plain count of the rows gives."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from helpdesk_tickets.models import FINAL_STATUSES, STATUSES

FINAL = tuple(STATUSES.index(status) for status in FINAL_STATUSES)
_LIVE = "FROM tickets_ticket WHERE deleted_at IS NULL"

_WRITES = f"""
INSERT INTO tickets_number (organization_id, last)
    SELECT organization_id, max(sequence) FROM tickets_ticket GROUP BY 1;
INSERT INTO tickets_count (organization_id, status, priority, category_id, total)
    SELECT organization_id, status, priority, coalesce(category_id, 0), count(*) {_LIVE} GROUP BY 1, 2, 3, 4;
INSERT INTO tickets_tally (organization_id, kind, key, total)
    SELECT organization_id, 'created', substr(created_at, 1, 10), count(*) {_LIVE} GROUP BY 1, 3
    UNION ALL
    SELECT organization_id, 'resolved', substr(resolved_at, 1, 10), count(*) {_LIVE}
        AND resolved_at IS NOT NULL GROUP BY 1, 3
    UNION ALL
    SELECT organization_id, 'due', substr(due_date, 1, 10), count(*) {_LIVE}
        AND due_date IS NOT NULL AND status NOT IN {FINAL} GROUP BY 1, 3
    UNION ALL
    SELECT organization_id, 'resolution', 'seconds', sum(unixepoch(resolved_at) - unixepoch(created_at)) {_LIVE}
        AND resolved_at IS NOT NULL GROUP BY 1
    UNION ALL
    SELECT organization_id, 'resolution', 'tickets', count(*) {_LIVE} AND resolved_at IS NOT NULL GROUP BY 1
    UNION ALL
    SELECT organization_id, 'target', 'set', count(*) {_LIVE} AND target_at IS NOT NULL
        AND resolved_at IS NOT NULL GROUP BY 1
    UNION ALL
    SELECT organization_id, 'target', 'met', count(*) {_LIVE} AND resolved_at <= target_at GROUP BY 1;
UPDATE tickets_tag SET usage_count = (SELECT count(*) FROM tickets_ticket_tag AS link
    JOIN tickets_ticket AS ticket ON ticket.id = link.ticket_id
    WHERE link.organization_id = tickets_tag.organization_id AND link.tag_id = tickets_tag.id
    AND ticket.deleted_at IS NULL);
"""


def write(connection: sqlite3.Connection) -> None:
    """Fill the counters of a database whose tickets are complete."""
    connection.executescript(_WRITES)


def verify(connection: sqlite3.Connection) -> None:
    """Raise unless the counters say what looking at every ticket says."""
    counts: Counter[tuple[Any, ...]] = Counter()
    tallies: Counter[tuple[Any, ...]] = Counter()
    tickets = connection.execute(
        "SELECT organization_id, status, priority, category_id, created_at, resolved_at, due_date, target_at"
        " FROM tickets_ticket WHERE deleted_at IS NULL"
    )
    for organization, status, priority, category, *moments in tickets:
        counts[organization, status, priority, category or 0] += 1
        for key, amount in _tallied(status, *moments):
            tallies[organization, *key] += amount
    _compare(connection, "SELECT organization_id, status, priority, category_id, total FROM tickets_count", counts)
    _compare(connection, "SELECT organization_id, kind, key, total FROM tickets_tally", tallies)


def _tallied(
    status: int, created: str, resolved: str | None, due: str | None, target: str | None
) -> Iterator[tuple[tuple[str, str], int]]:
    yield ("created", created[:10]), 1
    if due and status not in FINAL:
        yield ("due", due[:10]), 1
    if resolved:
        seconds = (datetime.fromisoformat(resolved) - datetime.fromisoformat(created)).total_seconds()
        yield ("resolved", resolved[:10]), 1
        yield ("resolution", "seconds"), int(seconds)
        yield ("resolution", "tickets"), 1
        if target:
            yield ("target", "set"), 1
            yield ("target", "met"), int(resolved <= target)


def _compare(connection: sqlite3.Connection, query: str, expected: Counter[tuple[Any, ...]]) -> None:
    stored = {tuple(key): total for *key, total in connection.execute(query) if total}
    if stored != {key: total for key, total in expected.items() if total}:
        raise ValueError(f"the counters are wrong: {query}")
