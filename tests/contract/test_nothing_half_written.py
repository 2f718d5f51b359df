"""A request that fails, at whatever point, leaves no row, no gap in the numbers and no file."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from helpdesk_core.testing import Client, Installation
from helpdesk_core.web import unit_of_work


@pytest.fixture
def failing_commit(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let the next commit fail, as a full disk or a lost connection would."""

    def arrange() -> None:
        def fail(_session: Any) -> None:
            monkeypatch.undo()
            raise OSError("the disk is full")

        monkeypatch.setattr(unit_of_work, "commit", fail)

    return arrange


@pytest.fixture
def member(member: Client) -> Client:
    """Somebody who has signed in already, which writes rows of its own."""
    assert member.token
    return member


def rows(installation: Installation) -> dict[str, int]:
    tables = ("tickets_ticket", "tickets_tag", "tickets_ticket_tag", "tickets_count", "tickets_tally", "core_event")
    with installation.session() as session:
        return {name: session.execute(text(f"SELECT count(*) FROM {name}")).scalar() or 0 for name in tables}


def test_a_ticket_that_could_not_be_committed_never_was(
    installation: Installation, member: Client, failing_commit: Callable[[], None]
) -> None:
    assert member.post("/tickets/", json={"subject": "First"}).json()["ticket_number"] == "TKT-001"
    before = rows(installation)
    failing_commit()
    body = {"subject": "Lost", "description": "printer", "tags": ["never-seen"]}
    assert member.post("/tickets/", json=body).status_code == 500
    assert rows(installation) == before
    assert member.get("/tickets/?search=printer").json()["count"] == 0
    assert member.post("/tickets/", json={"subject": "Second"}).json()["ticket_number"] == "TKT-002"


def test_a_refused_ticket_takes_no_number(member: Client, installation: Installation) -> None:
    before = rows(installation)
    assert member.post("/tickets/", json={"subject": "x", "tags": ["new", 999_999]}).status_code == 400
    assert rows(installation) == before
    assert member.post("/tickets/", json={"subject": "First"}).json()["ticket_number"] == "TKT-001"


def test_an_upload_that_could_not_be_committed_leaves_no_file(
    installation: Installation, member: Client, failing_commit: Callable[[], None]
) -> None:
    failing_commit()
    reply = member.post("/attachments/", files={"file": ("note.txt", b"hello", "text/plain")})
    assert reply.status_code == 500
    assert installation.files.files == {}
    assert member.post("/attachments/", files={"file": ("note.txt", b"hello", "text/plain")}).status_code == 201
    assert len(installation.files.files) == 1
