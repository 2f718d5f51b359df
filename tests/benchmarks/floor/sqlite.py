"""The floor's statements on SQLite; its connections are set up as the product sets up its own."""

import sqlite3
from collections.abc import Sequence

from tests.benchmarks.floor.reading import TICKET, Row

PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=5000",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-32768",
    "PRAGMA mmap_size=1073741824",
    "PRAGMA temp_store=MEMORY",
)


class Store:
    """One connection; see `creating.Store`."""

    place = "?"
    begin = "BEGIN IMMEDIATE"
    index = (
        "INSERT INTO tickets_search (rowid, organization, text, number, comments, internal)"
        " VALUES (?, 'o' || ?, ?, ?, '', '')"
    )

    def __init__(self, path: str) -> None:
        """Connect; the connection begins no transaction by itself."""
        self.connection = sqlite3.connect(path, isolation_level=None)
        for pragma in PRAGMAS:
            self.connection.execute(pragma)

    def user(self, key: int) -> Row | None:
        """Return who calls."""
        found: Row | None = self.connection.execute(_USER, (key,)).fetchone()
        return found

    def count(self, organization: int, statuses: Sequence[int]) -> int:
        """Count an organisation's tickets."""
        counting = self.connection.execute(_COUNT.format(_places(statuses)), (organization, *statuses))
        return int(counting.fetchone()[0])

    def one(self, organization: int, uuid: str) -> list[Row]:
        """Return a ticket."""
        return self.connection.execute(_ONE, (organization, uuid)).fetchall()

    def newest(self, organization: int, statuses: Sequence[int], size: int, start: int) -> list[Row]:
        """Return a page of tickets."""
        parameters = (organization, size + start, start, *statuses)
        return self.connection.execute(_PAGES[len(statuses)], parameters).fetchall()

    def tags(self, organization: int, keys: list[int]) -> list[Row]:
        """Return the names of tickets' tags."""
        return self.connection.execute(_TAGS.format(_places(keys)), (organization, *keys)).fetchall()

    def comments(self, organization: int, keys: list[int]) -> list[Row]:
        """Return tickets' comments."""
        return self.connection.execute(_COMMENTS.format(_places(keys)), (organization, *keys)).fetchall()

    def attachments(self, organization: int, keys: list[int]) -> list[Row]:
        """Return tickets' attachments."""
        return self.connection.execute(_ATTACHMENTS.format(_places(keys)), (organization, *keys)).fetchall()


def _places(values: Sequence[int]) -> str:
    return ", ".join("?" * len(values))


def _arms(arity: int) -> str:
    arm = (
        "SELECT * FROM (SELECT id, created_at FROM tickets_ticket WHERE organization_id = ?1 AND status = ?{}"
        " AND deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT ?2)"
    )
    return " UNION ALL ".join(arm.format(place + 4) for place in range(arity))


_USER = "SELECT id, organization_id, role, email, full_name FROM core_user WHERE id = ? AND is_active"
_COUNT = "SELECT count(*) FROM tickets_ticket WHERE organization_id = ? AND deleted_at IS NULL AND status IN ({})"
_PAGES = {
    arity: TICKET.format(
        source=f"(SELECT id FROM ({_arms(arity)}) ORDER BY created_at DESC, id DESC LIMIT ?2 - ?3 OFFSET ?3) AS page"
        " JOIN tickets_ticket AS ticket ON ticket.id = page.id"
    )
    + " ORDER BY ticket.created_at DESC, ticket.id DESC"
    for arity in (1, 2)
}
_ONE = (
    TICKET.format(source="tickets_ticket AS ticket")
    + " WHERE ticket.organization_id = ? AND ticket.uuid = ? AND ticket.deleted_at IS NULL"
)
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
