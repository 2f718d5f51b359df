"""What is posted: the same texts to everybody, in the words of each API."""

from collections.abc import Iterator, Sequence
from random import Random

import orjson

from tests.benchmarks import data, texts
from tests.benchmarks.wire import PRIORITIES


def tickets(number: int) -> Iterator[str]:
    """Yield new tickets."""
    random = Random(data.SEED + 1)
    stock = texts.make(random)
    for place in range(number):
        body = {
            "subject": stock.sentence(random)[:200],
            "description": stock.paragraph(random, 3, 8),
            "priority": PRIORITIES[place % len(PRIORITIES)],
            "tags": random.sample(texts.TAGS, 3),
            "attachments": [],
        }
        yield orjson.dumps(body).decode()


def comments(number: int) -> Iterator[str]:
    """Yield new comments."""
    for text in _said(number):
        yield orjson.dumps({"content": text, "is_internal": False}).decode()


def foreign_tickets(number: int) -> Iterator[str]:
    """Yield new tickets for django-helpdesk, with the same texts."""
    for place, text in enumerate(tickets(number)):
        own = orjson.loads(text)
        body = {
            "title": own["subject"],
            "description": own["description"],
            "priority": 4 - PRIORITIES.index(own["priority"]),
            "queue": place % len(texts.CATEGORIES) + 1,
            "submitter_email": "customer@organization-1.example",
        }
        yield orjson.dumps(body).decode()


def foreign_comments(keys: Sequence[int]) -> Iterator[str]:
    """Yield comments for django-helpdesk, on the tickets with these keys, with the same texts."""
    for key, text in zip(keys, _said(len(keys)), strict=True):
        yield orjson.dumps({"ticket": key, "user": 1, "title": "Comment", "comment": text, "public": True}).decode()


def _said(number: int) -> Iterator[str]:
    random = Random(data.SEED + 2)
    stock = texts.make(random)
    for _ in range(number):
        yield stock.paragraph(random, 1, 4)
