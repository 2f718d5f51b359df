"""The floor's statements on PostgreSQL, with psycopg and its prepared statements."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.adapt import Loader
from psycopg.pq import Format

from tests.benchmarks.floor.reading import TICKET, Row


class _Instant(Loader):
    """Makes of `2024-01-31 09:30:00+00` what the API shows, without a datetime in between."""

    format = Format.TEXT

    def load(self, data: Any) -> str:
        """Convert."""
        text = bytes(data).decode()
        return f"{text[:10]}T{text[11:19]}Z"


class Store:
    """One connection; see `creating.Store`."""

    place = "%s"
    begin = "BEGIN"
    index = (
        "INSERT INTO tickets_search (key, organization_id, document) SELECT key, organization,"
        " setweight(to_tsvector('english', text), 'A') || setweight(to_tsvector('english', number), 'B')"
        " || array_to_tsvector(ARRAY['=' || organization])"
        " FROM (SELECT %s::bigint, %s::bigint, %s::text, %s::text) AS new (key, organization, text, number)"
    )

    def __init__(self, url: str) -> None:
        """Connect."""
        self.connection = psycopg.connect(url, autocommit=True, prepare_threshold=0, options="-c timezone=UTC")
        self.connection.adapters.register_loader("timestamptz", _Instant)
        self._cursor = self.connection.cursor()

    def user(self, key: int) -> Row | None:
        """Return who calls."""
        return self._cursor.execute(_USER, (key,)).fetchone()

    def count(self, organization: int, statuses: Sequence[int]) -> int:
        """Count an organisation's tickets."""
        row: Any = self._cursor.execute(_COUNT, (organization, list(statuses))).fetchone()
        return int(row[0])

    def one(self, organization: int, uuid: str) -> list[Row]:
        """Return a ticket."""
        return self._cursor.execute(_ONE, (organization, uuid)).fetchall()

    def newest(self, organization: int, statuses: Sequence[int], size: int, start: int) -> list[Row]:
        """Return a page of tickets."""
        given = {f"status_{place}": status for place, status in enumerate(statuses)}
        scope = {"organization": organization, "end": size + start, "size": size, "start": start}
        return self._cursor.execute(_PAGES[len(statuses)], scope | given).fetchall()

    def tags(self, organization: int, keys: Sequence[int]) -> list[Row]:
        """Return the names of tickets' tags."""
        return self._cursor.execute(_TAGS, (organization, keys)).fetchall()

    def comments(self, organization: int, keys: Sequence[int]) -> list[Row]:
        """Return tickets' comments."""
        return self._cursor.execute(_COMMENTS, (organization, keys)).fetchall()

    def attachments(self, organization: int, keys: Sequence[int]) -> list[Row]:
        """Return tickets' attachments."""
        return self._cursor.execute(_ATTACHMENTS, (organization, keys)).fetchall()


def _arms(arity: int) -> str:
    arm = (
        "(SELECT id, created_at FROM tickets_ticket WHERE organization_id = %(organization)s"
        " AND status = %(status_{})s AND deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT %(end)s)"
    )
    return " UNION ALL ".join(arm.format(place) for place in range(arity))


_USER = "SELECT id, organization_id, role, email, full_name FROM core_user WHERE id = %s AND is_active"
_COUNT = "SELECT count(*) FROM tickets_ticket WHERE organization_id = %s AND deleted_at IS NULL AND status = ANY(%s)"
_PAGES = {
    arity: TICKET.format(
        source=f"(SELECT id FROM ({_arms(arity)}) AS arms ORDER BY created_at DESC, id DESC LIMIT %(size)s"
        " OFFSET %(start)s) AS page JOIN tickets_ticket AS ticket ON ticket.id = page.id"
    )
    + " ORDER BY ticket.created_at DESC, ticket.id DESC"
    for arity in (1, 2)
}
_ONE = (
    TICKET.format(source="tickets_ticket AS ticket")
    + " WHERE ticket.organization_id = %s AND ticket.uuid = %s AND ticket.deleted_at IS NULL"
)
_TAGS = """
SELECT link.ticket_id, tag.name FROM tickets_ticket_tag AS link JOIN tickets_tag AS tag ON tag.id = link.tag_id
WHERE link.organization_id = %s AND link.ticket_id = ANY(%s) ORDER BY link.position
"""
_COMMENTS = """
SELECT comment.ticket_id, comment.id, comment.content, author.id, author.email, author.full_name,
    comment.is_internal, comment.created_at
FROM tickets_comment AS comment JOIN core_user AS author ON author.id = comment.author_id
WHERE comment.organization_id = %s AND comment.ticket_id = ANY(%s) ORDER BY comment.id
"""
_ATTACHMENTS = """
SELECT attachment.ticket_id, attachment.id, attachment.filename, attachment.content_type, attachment.size,
    person.id, person.email, person.full_name, attachment.created_at
FROM tickets_attachment AS attachment JOIN core_user AS person ON person.id = attachment.uploaded_by_id
WHERE attachment.organization_id = %s AND attachment.ticket_id = ANY(%s) ORDER BY attachment.id
"""
