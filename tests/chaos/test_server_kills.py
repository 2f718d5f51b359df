"""The server is killed at random moments while many write: what was acknowledged is there, and so is its event.

uv run pytest -n0 tests/chaos/test_server_kills.py    (CHAOS_KILLS and CHAOS_WRITERS change how much)
"""

import os
import random
import sys
import threading
import time
from pathlib import Path

import httpx2
import pytest

from tests.chaos.place import PASSWORD, Place, place

KILLS = int(os.environ.get("CHAOS_KILLS", "100"))
WRITERS = int(os.environ.get("CHAOS_WRITERS", "16"))


class Writer(threading.Thread):
    """Opens tickets and comments on them, and remembers what was acknowledged."""

    def __init__(self, made: Place, token: str, stopping: threading.Event) -> None:
        super().__init__(daemon=True)
        self._made = made
        self._headers = {"Authorization": f"Bearer {token}"}
        self._stopping = stopping
        self.tickets: list[str] = []
        self.comments: list[int] = []
        self.refused: list[int] = []

    def run(self) -> None:
        with httpx2.Client(base_url=f"{self._made.url}/api/v1", headers=self._headers, timeout=10) as client:
            while not self._stopping.is_set():
                try:
                    self._write(client)
                except httpx2.HTTPError:
                    time.sleep(0.05)

    def _write(self, client: httpx2.Client) -> None:
        ticket = client.post("/tickets/", json={"subject": "Printer on fire", "description": "Again."})
        if ticket.status_code != 201:
            self.refused.append(ticket.status_code)
            return
        self.tickets.append(ticket.json()["id"])
        comment = client.post(f"/tickets/{self.tickets[-1]}/comments/", json={"content": "Still burning."})
        if comment.status_code == 201:
            self.comments.append(comment.json()["id"])


@pytest.mark.timeout(3600)
def test_a_killed_server_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(11)
    with place(tmp_path) as made:
        server = made.serve()
        made.wait_until_it_answers()
        login = {"email": "ada@acme.com", "password": PASSWORD}
        token = httpx2.post(f"{made.url}/api/v1/users/login/", json=login).json()["access"]
        stopping = threading.Event()
        writers = [Writer(made, token, stopping) for _ in range(WRITERS)]
        began, away = time.monotonic(), 0.0
        for writer in writers:
            writer.start()
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.3, 2.0))
            made.kill(server)
            server = made.serve()
            away += made.wait_until_it_answers()
        stopping.set()
        for writer in writers:
            writer.join()
        seconds = time.monotonic() - began
        check(made, writers, seconds, away)


def check(made: Place, writers: list[Writer], seconds: float, away: float) -> None:
    tickets = {str(row[0]) for row in made.rows("SELECT uuid FROM tickets_ticket")}
    comments = {int(str(row[0])) for row in made.rows("SELECT id FROM tickets_comment")}
    written = [key for writer in writers for key in writer.tickets]
    commented = [key for writer in writers for key in writer.comments]
    lost = len({*written} - tickets) + len({*commented} - comments)
    silent = len(made.rows(SILENT_TICKETS)) + len(made.rows(SILENT_COMMENTS))
    refused = [status for writer in writers for status in writer.refused]
    whole = made.database.startswith("postgresql") or made.rows("PRAGMA integrity_check") == [("ok",)]
    sys.stderr.write(
        f"\n{KILLS} kills in {seconds:.0f} s, of which the server was away {away:.0f} s; {WRITERS} writers, "
        f"{len(written) + len(commented)} writes acknowledged: {lost} lost, {silent} rows without their event, "
        f"answers other than 201: {sorted({*refused})}, database {'whole' if whole else 'DAMAGED'}\n"
    )
    assert (lost, silent, whole) == (0, 0, True)
    assert written
    assert not [status for status in refused if status >= 500 and status != 503]


SILENT_TICKETS = (
    "SELECT id FROM tickets_ticket WHERE NOT EXISTS (SELECT 1 FROM core_event"
    " WHERE type = 'ticket.created' AND subject = 'ticket:' || tickets_ticket.id)"
)
SILENT_COMMENTS = (
    "SELECT id FROM tickets_comment WHERE NOT EXISTS (SELECT 1 FROM core_event"
    " WHERE type = 'comment.created' AND payload LIKE '%\"comment_id\":' || tickets_comment.id || ',%')"
)
