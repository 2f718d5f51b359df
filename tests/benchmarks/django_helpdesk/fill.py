"""Fills django-helpdesk's tables, made by its own migrations, with the tickets of one organisation of our data.

In the environment of the server: `python -m tests.benchmarks.django_helpdesk.fill FILE ORGANISATION`.
"""

import sqlite3
import sys
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime
from itertools import islice
from typing import Any

import django
from django.core.management import call_command
from django.db import connection
from django.db.models import Model

from tests.benchmarks.django_helpdesk.keys import key_of
from tests.benchmarks.texts import CATEGORIES
from tests.benchmarks.wire import STATUSES

BATCH = 1_000
OPEN, RESOLVED, CLOSED = 1, 3, 4
STATUS = {"resolved": RESOLVED, "closed": CLOSED}
ELSEWHERE = len(CATEGORIES) + 1
"""The queue of tickets without a category."""

_USERS = "SELECT id, username, email, first_name, last_name, role FROM core_user WHERE organization_id = ?"
_TICKETS = """
SELECT ticket.id, subject, description, status, priority, person.email, assigned_agent_id, category_id, due_date,
    ticket.created_at, ticket.updated_at
FROM tickets_ticket AS ticket JOIN core_user AS person ON person.id = ticket.customer_id
WHERE ticket.organization_id = ? AND deleted_at IS NULL ORDER BY ticket.id
"""
_COMMENTS = """
SELECT comment.id, ticket_id, author_id, content, is_internal, comment.created_at
FROM tickets_comment AS comment JOIN tickets_ticket AS ticket ON ticket.id = comment.ticket_id
WHERE comment.organization_id = ? AND deleted_at IS NULL ORDER BY comment.id
"""


def fill(source: sqlite3.Connection, organization: int) -> None:
    """Write queues, users with their keys, tickets and what was said about them."""
    from django.contrib.auth.models import User  # noqa: PLC0415 - models load once Django is set up
    from helpdesk.models import FollowUp, Queue, Ticket, UserSettings  # noqa: PLC0415
    from rest_framework.authtoken.models import Token  # noqa: PLC0415

    names = (*CATEGORIES, "Elsewhere")
    _add(Queue, ({"id": key, "title": name, "slug": name.lower()} for key, name in enumerate(names, start=1)))
    people = source.execute(_USERS, (organization,)).fetchall()
    _add(User, map(_user, people))
    _add(Token, ({"key": key_of(person[0]), "user_id": person[0]} for person in people))
    _add(UserSettings, ({"user_id": person[0]} for person in people))
    first = source.execute("SELECT min(id) FROM tickets_category WHERE organization_id = ?", (organization,)).fetchone()
    _add(Ticket, (_ticket(row, first[0]) for row in source.execute(_TICKETS, (organization,))))
    _add(FollowUp, map(_follow_up, source.execute(_COMMENTS, (organization,))))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for table in ("auth_user", "helpdesk_queue", "helpdesk_ticket", "helpdesk_followup"):
                cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
        cursor.execute("ANALYZE")


def _add(model: type[Model], rows: Iterable[dict[str, Any]]) -> None:
    stream = iter(rows)
    while batch := [model(**row) for row in islice(stream, BATCH)]:
        model._default_manager.bulk_create(batch)


def _user(row: Any) -> dict[str, Any]:
    key, username, email, first, last, role = row
    names = {"username": username, "email": email, "first_name": first, "last_name": last}
    return {"id": key, **names, "is_staff": role == "agent", "password": "!"}


def _ticket(row: Any, first_category: int) -> dict[str, Any]:
    key, title, description, status, priority, email, agent, category, due, created, updated = row
    return {
        "id": key,
        "queue_id": ELSEWHERE if category is None else category - first_category + 1,
        "title": title[:200],
        "description": description,
        "submitter_email": email,
        "assigned_to_id": agent,
        "status": STATUS.get(STATUSES[status], OPEN),
        "priority": 4 - priority,
        "due_date": _instant(due),
        "created": _instant(created),
        "modified": _instant(updated),
        "secret_key": f"{key:036x}",
    }


def _follow_up(row: Any) -> dict[str, Any]:
    key, ticket, author, content, internal, created = row
    said = {"title": "Comment", "comment": content, "public": not internal}
    return {"id": key, "ticket_id": ticket, "user_id": author, "date": _instant(created), **said}


def _instant(stored: str | None) -> datetime | None:
    return None if stored is None else datetime.fromisoformat(stored)


def main() -> None:
    django.setup()
    call_command("migrate", verbosity=0)
    with closing(sqlite3.connect(sys.argv[1])) as source:
        fill(source, int(sys.argv[2]))


if __name__ == "__main__":
    main()
