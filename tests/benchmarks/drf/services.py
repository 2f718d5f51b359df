"""Opening a ticket and commenting on one, each with all its rows in one transaction."""

import json
import time
import uuid
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from tests.benchmarks.drf.models import Comment, OutboxEvent, Tag, Ticket, TicketChange, TicketNumber, TicketTag, User
from tests.benchmarks.wire import PRIORITIES

_COUNT = """
INSERT INTO tickets_count (organization_id, status, priority, category_id, total) VALUES (%s, 0, %s, 0, 1)
ON CONFLICT (organization_id, status, priority, category_id) DO UPDATE SET total = tickets_count.total + 1
"""
_TALLY = """
INSERT INTO tickets_tally (organization_id, kind, key, total) VALUES (%s, 'created', %s, 1)
ON CONFLICT (organization_id, kind, key) DO UPDATE SET total = tickets_tally.total + 1
"""
_SEARCH = {
    "sqlite": "INSERT INTO tickets_search (rowid, organization, text, number, comments, internal)"
    " VALUES (%s, 'o' || %s, %s, %s, '', '')",
    "postgresql": "INSERT INTO tickets_search (key, organization_id, document) SELECT key, organization,"
    " setweight(to_tsvector('english', text), 'A') || setweight(to_tsvector('english', number), 'B')"
    " || array_to_tsvector(ARRAY['=' || organization])"
    " FROM (SELECT %s::bigint, %s::bigint, %s::text, %s::text) AS new (key, organization, text, number)",
}
_COMMENTED = {
    "sqlite": "UPDATE tickets_search SET comments = comments || char(10) || %s WHERE rowid = %s",
    "postgresql": "UPDATE tickets_search"
    " SET document = document || setweight(to_tsvector('english', %s::text), 'C') WHERE key = %s",
}


@transaction.atomic
def create_ticket(user: User, data: dict[str, Any]) -> Ticket:
    """Open a ticket for `user`."""
    now = datetime.now(UTC)
    organization = user.organization_id
    TicketNumber.objects.filter(organization=organization).update(last=F("last") + 1)
    sequence = TicketNumber.objects.values_list("last", flat=True).get(organization=organization)
    ticket = Ticket.objects.create(
        uuid=str(_uuid7()),
        organization_id=organization,
        sequence=sequence,
        number=f"TKT-{sequence:03d}",
        subject=data["subject"],
        description=data["description"],
        status="new",
        priority=data["priority"],
        customer=user,
        created_by=user,
        created_at=now,
        updated_at=now,
    )
    _tag(ticket, data["tags"])
    TicketChange.objects.create(
        organization_id=organization, ticket=ticket, actor=user, field="status", after="new", created_at=now
    )
    _count(ticket)
    _publish(user, "ticket.created", ticket.id, {"customer_id": user.id, "number": ticket.number})
    return ticket


@transaction.atomic
def add_comment(user: User, ticket_id: int, data: dict[str, Any]) -> Comment:
    """Comment on a ticket as one of the staff, for everybody to read."""
    now = datetime.now(UTC)
    ticket = Ticket.objects.select_for_update().get(id=ticket_id)
    comment = Comment.objects.create(
        organization_id=ticket.organization_id,
        ticket=ticket,
        author=user,
        created_at=now,
        updated_at=now,
        **data,
    )
    ticket.comment_count += 1
    ticket.public_comment_count += 1
    ticket.first_response_at = ticket.first_response_at or now
    ticket.updated_at = now
    ticket.save(update_fields=["comment_count", "public_comment_count", "first_response_at", "updated_at"])
    with connection.cursor() as cursor:
        cursor.execute(_COMMENTED[connection.vendor], (comment.content, ticket.id))
    _publish(user, "comment.created", ticket.id, {"comment_id": comment.id, "author_id": user.id, "is_internal": False})
    return comment


def _publish(user: User, kind: str, ticket_id: int, facts: dict[str, Any]) -> None:
    subject = f"ticket:{ticket_id}"
    OutboxEvent.objects.create(
        organization_id=user.organization_id,
        type=kind,
        payload=json.dumps({"ticket_id": ticket_id, **facts}),
        actor=user,
        created_at=datetime.now(UTC),
        subject=subject,
        aggregate=subject,
    )


def _tag(ticket: Ticket, names: list[str]) -> None:
    tags = {tag.name_key: tag for tag in Tag.objects.filter(organization_id=ticket.organization_id, name_key__in=names)}
    TicketTag.objects.bulk_create(
        TicketTag(
            organization_id=ticket.organization_id,
            ticket=ticket,
            tag=tags[name],
            position=position,
            ticket_created_at=ticket.created_at,
        )
        for position, name in enumerate(names)
    )
    Tag.objects.filter(id__in=[tag.id for tag in tags.values()]).update(usage_count=F("usage_count") + 1)


def _count(ticket: Ticket) -> None:
    organization = ticket.organization_id
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, (organization, PRIORITIES.index(ticket.priority)))
        cursor.execute(_TALLY, (organization, ticket.created_at.date().isoformat()))
        text = f"{ticket.subject}\n{ticket.description}"
        cursor.execute(_SEARCH[connection.vendor], (ticket.id, organization, text, ticket.number))


def _uuid7() -> UUID:
    value = (time.time_ns() // 1_000_000 << 80) | (uuid.uuid4().int >> 48)
    return UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)
