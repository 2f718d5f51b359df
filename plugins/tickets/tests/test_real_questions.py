"""Ten thousand questions of real people go in through the API and are found again by search."""

import csv
from pathlib import Path

import pytest

from helpdesk_core.testing import Client

QUESTIONS = Path(__file__).parent / "data" / "banking77.csv"
EVERY = 25
"""Each so many-th question is searched for; all of them are imported."""


def questions() -> list[str]:
    with QUESTIONS.open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)]


@pytest.mark.timeout(600)
def test_every_question_becomes_a_ticket_and_is_found_by_its_own_words(agent: Client) -> None:
    texts = questions()
    for place, text in enumerate(texts, start=1):
        subject = " ".join(text.split())[:200]
        reply = agent.post("/tickets/", json={"subject": subject, "description": text})
        assert reply.status_code == 201, f"{text!r}: {reply.text}"
        assert reply.json()["ticket_number"] == f"TKT-{place:03d}"
    assert agent.get("/tickets/?page_size=1").json()["count"] == len(texts) == 10_003
    for place, text in list(enumerate(texts, start=1))[::EVERY]:
        found = agent.get("/tickets/", params={"search": text, "page_size": "100", "ordering": "relevance"}).json()
        numbers = [ticket["ticket_number"] for ticket in found["results"]]
        same = [n for n, other in enumerate(texts, start=1) if other.split() == text.split()]
        assert f"TKT-{place:03d}" in numbers or len(same) > 1, f"{text!r} is not among its {found['count']} hits"
