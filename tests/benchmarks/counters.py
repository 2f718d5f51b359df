"""The maintained counters of the data: written with SQL, then compared with the sum of what each ticket contributes."""

import sqlite3
from collections import Counter
from datetime import datetime
from typing import Any, NamedTuple

from helpdesk_tickets.service.counting import contributions
from tests.benchmarks.wire import FINAL_STATUSES, STATUSES

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


class Ticket(NamedTuple):
    """What the product needs to know of a ticket to count it; status and priority by rank, as stored."""

    status: int
    priority: int
    category_id: int | None
    created_at: datetime
    due_date: datetime | None
    target_at: datetime | None
    resolved_at: datetime | None
    deleted_at: datetime | None


def write(connection: sqlite3.Connection) -> None:
    """Fill the counters of a database whose tickets are complete."""
    connection.executescript(_WRITES)


def verify(connection: sqlite3.Connection) -> None:
    """Raise unless the counters say what looking at every ticket says, by the product's own rule."""
    expected: Counter[tuple[Any, ...]] = Counter()
    tickets = connection.execute(f"SELECT organization_id, {', '.join(Ticket._fields)} FROM tickets_ticket")
    for organization, status, priority, category, *moments in tickets:
        counts, tallies = contributions(Ticket(status, priority, category, *map(_instant, moments)))
        for key, amount in (*counts.items(), *tallies.items()):
            expected[organization, *key] += amount
    stored = connection.execute(
        "SELECT organization_id, status, priority, category_id, total FROM tickets_count"
        " UNION ALL SELECT organization_id, kind, key, NULL, total FROM tickets_tally"
    )
    found = {tuple(part for part in key if part is not None): total for *key, total in stored}
    if {key: total for key, total in expected.items() if total} != {
        key: total for key, total in found.items() if total
    }:
        raise ValueError("the counters are not what the tickets add up to")


def _instant(stored: str | None) -> datetime | None:
    return None if stored is None else datetime.fromisoformat(stored)
