"""The rows of a help desk that has been in use for two years: organisations, people, tickets and what hangs on them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any
from uuid import UUID

from helpdesk_core.accounts.passwords import Passwords
from helpdesk_core.clock import api_time
from helpdesk_core.settings import Settings
from tests.benchmarks.texts import CATEGORIES, COMPLAINTS, TAGS, Texts
from tests.benchmarks.wire import FINAL_STATUSES, PRIORITIES, STATUSES

Row = tuple[str, dict[str, Any]]

BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
PERIOD = timedelta(days=730)
AGENTS = 10
MOST_CUSTOMERS = 20_000
PASSWORD = "a long enough password"

STATUS_SHARES = (10, 25, 15, 10, 25, 15)
PRIORITY_SHARES = (25, 50, 20, 5)
COMMENT_SHARES = (40, 35, 15, 7, 3)
TAG_SHARES = tuple(1 / rank for rank in range(1, len(TAGS) + 1))


@dataclass
class Organization:
    """One organisation while its rows are made.

    Attributes:
        id: key.
        customers: keys of users who open tickets.
        agents: keys of users who work on them.
        categories: keys.
        tags: keys, the most common first.
        tickets: how many it has so far.
    """

    id: int
    customers: range
    agents: range
    categories: range
    tags: range
    tickets: int = 0


@dataclass
class Source:
    """Where texts, chance and keys come from.

    Attributes:
        random: decides.
        texts: are composed from.
        users: the next key of a user.
        comments: keys.
        attachments: keys.
    """

    random: Random
    texts: Texts
    users: int = 1
    comments: Iterator[int] = field(default_factory=lambda: count(1))
    attachments: Iterator[int] = field(default_factory=lambda: count(1))


def generate(random: Random, texts: Texts, sizes: list[int]) -> Iterator[Row]:
    """Yield every row with its table, in an order that respects references."""
    source = Source(random, texts)
    organizations = []
    for index, size in enumerate(sizes, start=1):
        organization = _organization(source, index, size)
        organizations.append(organization)
        yield from _staffed(organization)
        yield from _catalogue(organization)
    total = sum(sizes)
    for key, place in enumerate(_turns(random, sizes), start=1):
        yield from _ticket(source, organizations[place], key, BEGAN + PERIOD * (key / total))


def _turns(random: Random, sizes: list[int]) -> list[int]:
    """Return whose ticket comes when: every organisation's are spread over the whole time."""
    turns = [(random.random(), place) for place, size in enumerate(sizes) for _ in range(size)]
    turns.sort()
    return [place for _, place in turns]


def _organization(source: Source, key: int, size: int) -> Organization:
    first = source.users
    customers = min(max(size // 4, 5), MOST_CUSTOMERS)
    source.users += AGENTS + customers
    first_tag, first_category = (key - 1) * len(TAGS) + 1, (key - 1) * len(CATEGORIES) + 1
    return Organization(
        key,
        customers=range(first + AGENTS, source.users),
        agents=range(first, first + AGENTS),
        categories=range(first_category, first_category + len(CATEGORIES)),
        tags=range(first_tag, first_tag + len(TAGS)),
    )


def _stamps(moment: datetime = BEGAN) -> dict[str, str]:
    return {"created_at": api_time(moment), "updated_at": api_time(moment)}


def _staffed(organization: Organization) -> Iterator[Row]:
    slug = f"organization-{organization.id}"
    yield "core_organization", {
        "id": organization.id, "name": f"Organization {organization.id}", "slug": slug, "domain": f"{slug}.example",
        "subscription_tier": "enterprise", "settings": "{}", "registration": "open", "disabled_plugins": "[]",
        "is_active": 1, **_stamps(),
    }  # fmt: skip
    stored = Passwords(Settings(password_cost="low")).hash(PASSWORD)
    for key in (*organization.agents, *organization.customers):
        yield "core_user", _user(organization, key, stored)
    for key in organization.agents:
        yield "core_login", {
            "id": key, "organization_id": organization.id, "user_id": key, "address": "127.0.0.1",
            "user_agent": "benchmark", "created_at": api_time(BEGAN), "ended_at": None,
        }  # fmt: skip


def _user(organization: Organization, key: int, stored: str) -> dict[str, Any]:
    role = "agent" if key in organization.agents else "customer"
    name, email = f"{role}{key}", f"{role}{key}@organization-{organization.id}.example"
    return {
        "id": key, "organization_id": organization.id, "username": name, "username_key": name, "email": email,
        "email_key": email, "password_hash": stored, "first_name": role.title(), "last_name": f"Number {key}",
        "full_name": f"{role.title()} Number {key}", "timezone": "UTC", "language": "en", "role": role,
        "is_platform_admin": 0, "is_active": 1, "is_verified": 1, "token_version": 0, **_stamps(),
    }  # fmt: skip


def _catalogue(organization: Organization) -> Iterator[Row]:
    owner = {"organization_id": organization.id, **_stamps()}
    for key, name in zip(organization.categories, CATEGORIES, strict=True):
        yield "tickets_category", {
            "id": key, "name": name, "name_key": name.lower(), "slug": name.lower(), "description": "",
            "color": "#007bff", **owner,
        }  # fmt: skip
    for key, name in zip(organization.tags, TAGS, strict=True):
        yield "tickets_tag", {
            "id": key, "name": name, "name_key": name, "color": "#6c757d", "description": "", "usage_count": 0, **owner,
        }  # fmt: skip


def _ticket(source: Source, organization: Organization, key: int, created: datetime) -> Iterator[Row]:
    organization.tickets += 1
    ticket = _values(source, organization, key, created)
    comments = list(_comments(source, organization, ticket, created))
    public = [comment["content"] for comment in comments if not comment["is_internal"]]
    internal = [comment["content"] for comment in comments if comment["is_internal"]]
    ticket.update(comment_count=len(comments), public_comment_count=len(public))
    ticket["updated_at"] = max([ticket["resolved_at"] or ticket["created_at"], *(c["created_at"] for c in comments)])
    yield "tickets_ticket", ticket
    yield from (("tickets_comment", comment) for comment in comments)
    yield from _tagged(source.random, organization, ticket)
    yield from _attached(source, organization, ticket)
    yield "tickets_change", {
        "organization_id": organization.id, "ticket_id": key, "actor_id": ticket["created_by_id"], "field": "status",
        "before": None, "after": '"new"', "created_at": ticket["created_at"],
    }  # fmt: skip
    yield "tickets_search", {
        "rowid": key, "organization": f"o{organization.id}", "text": f"{ticket['subject']}\n{ticket['description']}",
        "number": ticket["number"], "comments": "\n".join(public), "internal": "\n".join(internal),
    }  # fmt: skip


def _values(source: Source, organization: Organization, key: int, created: datetime) -> dict[str, Any]:
    random, texts = source.random, source.texts
    status = random.choices(STATUSES, STATUS_SHARES)[0]
    customer = random.choice(organization.customers)
    resolved = api_time(created + timedelta(minutes=random.randint(10, 14_400))) if status in FINAL_STATUSES else None
    due = api_time(created + timedelta(days=random.randint(1, 30))) if random.random() < 0.2 else None
    device = f"pc{random.randrange(1_000_000):06d}"
    return {
        "id": key, "uuid": str(_uuid7(random, created)), "organization_id": organization.id,
        "sequence": organization.tickets, "number": f"TKT-{organization.tickets:03d}",
        "subject": f"{random.choice(COMPLAINTS).capitalize()} {texts.sentence(random)}"[:255],
        "description": f"{texts.paragraph(random, 3, 8)} {device}",
        "status": STATUSES.index(status), "priority": random.choices(range(len(PRIORITIES)), PRIORITY_SHARES)[0],
        "customer_id": customer, "created_by_id": customer,
        "assigned_agent_id": random.choice(organization.agents) if random.random() < 0.85 else None,
        "category_id": random.choice(organization.categories) if random.random() < 0.8 else None,
        "due_date": due, "target_at": due, "reminded_at": due, "overdue_at": due,  # announced long ago
        "reopen_count": 0, "resolved_at": resolved,
        "closed_at": resolved if status == "closed" else None,
        "created_at": api_time(created), "updated_at": "",
        "deleted_at": api_time(created + timedelta(days=1)) if random.random() < 0.01 else None,
    }  # fmt: skip


def _uuid7(random: Random, moment: datetime) -> UUID:
    value = (int(moment.timestamp() * 1000) << 80) | random.getrandbits(80)
    return UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)


def _comments(
    source: Source, organization: Organization, ticket: dict[str, Any], created: datetime
) -> Iterator[dict[str, Any]]:
    random, texts = source.random, source.texts
    for place in range(random.choices(range(len(COMMENT_SHARES)), COMMENT_SHARES)[0]):
        internal = random.random() < 0.2
        by_agent = internal or random.random() < 0.6
        moment = created + timedelta(minutes=(place + 1) * random.randint(5, 2000))
        yield {
            "id": next(source.comments), "organization_id": organization.id, "ticket_id": ticket["id"],
            "author_id": random.choice(organization.agents) if by_agent else ticket["customer_id"],
            "content": texts.paragraph(random, 1, 4), "is_internal": int(internal), **_stamps(moment),
        }  # fmt: skip


def _tagged(random: Random, organization: Organization, ticket: dict[str, Any]) -> Iterator[Row]:
    chosen = dict.fromkeys(random.choices(organization.tags, TAG_SHARES, k=3))
    while len(chosen) < 3:
        chosen[random.choice(organization.tags)] = None
    for position, tag in enumerate(chosen):
        yield "tickets_ticket_tag", {
            "organization_id": organization.id, "ticket_id": ticket["id"], "tag_id": tag, "position": position,
            "ticket_created_at": ticket["created_at"],
        }  # fmt: skip


def _attached(source: Source, organization: Organization, ticket: dict[str, Any]) -> Iterator[Row]:
    random = source.random
    if random.random() < 0.1:
        key = next(source.attachments)
        yield "tickets_attachment", {
            "id": key, "organization_id": organization.id, "ticket_id": ticket["id"],
            "uploaded_by_id": ticket["customer_id"], "filename": f"screenshot-{key}.png", "content_type": "image/png",
            "size": random.randint(10_000, 900_000), "file_key": f"{key:064x}", "created_at": ticket["created_at"],
        }  # fmt: skip
