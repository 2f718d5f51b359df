"""What the tests of tickets share."""

import pytest


@pytest.fixture
def ticket(member):
    """A ticket of the member's, as COMPREHENSIVE shows it."""
    reply = member.post("/tickets/", json={"subject": "Printer on fire", "description": "Second floor"})
    assert reply.status_code == 201, reply.text
    return reply.json()
