"""Opening a ticket with all its rows, in one transaction."""

import time
import uuid
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from tests.benchmarks.drf.models import OutboxEvent, Tag, Ticket, TicketChange, TicketNumber, TicketTag, User
from tests.benchmarks.wire import PRIORITIES

_COUNT = """
INSERT INTO tickets_count (organization_id, status, priority, category_id, total) VALUES (%s, 0, %s, 0, 1)
ON CONFLICT DO UPDATE SET total = total + 1
"""
_TALLY = """
INSERT INTO tickets_tally (organization_id, kind, key, total) VALUES (%s, 'created', %s, 1)
ON CONFLICT DO UPDATE SET total = total + 1
"""
_SEARCH = """
INSERT INTO tickets_search (rowid, organization, text, number, comments, internal) VALUES (%s, %s, %s, %s, '', '')
"""


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
    payload = {"ticket_id": ticket.id, "customer_id": user.id, "number": ticket.number}
    subject = f"ticket:{ticket.id}"
    OutboxEvent.objects.create(
        organization_id=organization,
        type="ticket.created",
        payload=payload,
        actor=user,
        created_at=now,
        subject=subject,
        aggregate=subject,
    )
    return ticket


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
        cursor.execute(_SEARCH, (ticket.id, f"o{organization}", text, ticket.number))


def _uuid7() -> UUID:
    value = (time.time_ns() // 1_000_000 << 80) | (uuid.uuid4().int >> 48)
    return UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)
