"""Backups are taken from a server that many write to, and restored elsewhere: what was acknowledged before is there.

uv run pytest -n0 -s tests/chaos/test_backup_drill.py    (CHAOS_WRITERS, CHAOS_SECONDS, CHAOS_ROWS change how much)
"""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import create_engine, make_url, text

from tests.chaos.place import PASSWORD, Place, _administer, place

WRITERS = int(os.environ.get("CHAOS_WRITERS", "16"))
SECONDS = float(os.environ.get("CHAOS_SECONDS", "20"))
ROWS = int(os.environ.get("CHAOS_ROWS", "100000"))
BACKUPS = 3


@dataclass(frozen=True)
class Written:
    """One request of a writer: when it began and ended, and what was acknowledged."""

    began: float
    ended: float
    kind: str
    key: str


class Writer(threading.Thread):
    """Opens tickets and uploads files, and remembers what was acknowledged and when."""

    def __init__(self, made: Place, token: str, stopping: threading.Event) -> None:
        super().__init__(daemon=True)
        self._made, self._stopping = made, stopping
        self._headers = {"Authorization": f"Bearer {token}"}
        self.written: list[Written] = []
        self.refused: list[int] = []

    def run(self) -> None:
        with httpx2.Client(base_url=f"{self._made.url}/api/v1", headers=self._headers, timeout=60) as client:
            while not self._stopping.is_set():
                self._send(client, "ticket", "/tickets/", json={"subject": "Printer on fire", "description": "Again."})
                upload = {"file": ("log.txt", os.urandom(8).hex().encode() * 1000, "text/plain")}
                self._send(client, "attachment", "/attachments/", files=upload)

    def _send(self, client: httpx2.Client, kind: str, path: str, **content: object) -> None:
        began = time.monotonic()
        answer = client.post(path, **content)
        if answer.status_code == 201:
            self.written.append(Written(began, time.monotonic(), kind, str(answer.json()["id"])))
        else:
            self.refused.append(answer.status_code)


@dataclass
class Drill:
    """A backup that was taken: when, and what restoring it told."""

    folder: Path
    began: float
    ended: float
    lost: int = -1
    restore_seconds: float = 0.0
    equal: bool = False
    answers: bool = False
    acknowledged: int = 0
    tables: dict[str, dict[str, object]] = field(default_factory=dict)


@contextmanager
def elsewhere(origin: Place, folder: Path) -> Iterator[Place]:
    """Make an empty installation with the same key: another folder, another database."""
    folder.mkdir()
    database = f"sqlite:///{folder / 'helpdesk.db'}"
    server = origin.database if origin.database.startswith("postgresql") else ""
    if server:
        name = f"{make_url(server).database}_elsewhere"
        _administer(server, f'CREATE DATABASE "{name}"')
        database = make_url(server).set(database=name).render_as_string(hide_password=False)
    key = (origin.folder / "secret-key").read_text()
    more = {"HELPDESK_HOME": str(folder), "HELPDESK_DATABASE_URL": database, "HELPDESK_SECRET_KEY": key}
    made = Place(folder, {**origin.environment, **more}, database)
    try:
        yield made
    finally:
        for process in [*made.running]:
            made.kill(process)
        if server:
            _administer(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.mark.timeout(3600)
def test_what_was_acknowledged_before_a_backup_is_in_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with place(home) as made:
        made.serve()
        made.wait_until_it_answers()
        login = {"email": "ada@acme.com", "password": PASSWORD}
        token = httpx2.post(f"{made.url}/api/v1/users/login/", json=login).json()["access"]
        multiply(made, token)
        stopping = threading.Event()
        writers = [Writer(made, token, stopping) for _ in range(WRITERS)]
        for writer in writers:
            writer.start()
        drills = [back_up(made, tmp_path / f"backup-{number}") for number in range(BACKUPS)]
        time.sleep(SECONDS)
        stopping.set()
        for writer in writers:
            writer.join()
        written = [each for writer in writers for each in writer.written]
        report(made, written, drills)
        for drill in drills:
            restore(made, drill, written)
        refused = sorted({status for writer in writers for status in writer.refused})
    sys.stderr.write(f"answers other than 201: {refused}\n")
    assert [(drill.lost, drill.equal, drill.answers) for drill in drills] == [(0, True, True)] * BACKUPS
    assert not refused


def multiply(made: Place, token: str) -> None:
    """Make the database as large as one of some years: copies of one login."""
    headers = {"Authorization": f"Bearer {token}"}
    ticket = {"subject": "The first", "description": "Of many."}
    assert httpx2.post(f"{made.url}/api/v1/tickets/", json=ticket, headers=headers).status_code == 201
    engine = create_engine(made.database)
    with engine.begin() as connection:
        columns = [row[0] for row in connection.execute(text("SELECT * FROM core_login LIMIT 0")).cursor.description]
        names = ", ".join(name for name in columns if name != "id")
        connection.execute(
            text(
                f"INSERT INTO core_login ({names}) WITH RECURSIVE many (n) AS"
                f" (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < {ROWS})"
                f" SELECT {names} FROM (SELECT * FROM core_login LIMIT 1) AS one, many"
            )
        )
    engine.dispose()


def back_up(made: Place, folder: Path) -> Drill:
    """Take a backup, after as much time without one."""
    time.sleep(SECONDS)
    began = time.monotonic()
    told = json.loads(made.run("backup", str(folder), "--json"))
    return Drill(folder, began, time.monotonic(), tables=told["tables"])


def restore(origin: Place, drill: Drill, written: list[Written]) -> None:
    with elsewhere(origin, drill.folder.with_name(f"{drill.folder.name}-restored")) as made:
        began = time.monotonic()
        made.run("restore", str(drill.folder))
        drill.restore_seconds = time.monotonic() - began
        drill.equal = "WRONG" not in made.run("verify", str(drill.folder), "--installation")
        before = [each.key for each in written if each.ended < drill.began]
        drill.acknowledged, drill.lost = len(before), len(lost(made, before))
        made.run("verify")
        drill.answers = does_answer(made)
    equal, answers = "equal" if drill.equal else "DIFFERENT", "answers" if drill.answers else "DOES NOT ANSWER"
    sys.stderr.write(
        f"{drill.folder.name}: restored and compared in {drill.restore_seconds:.1f} s, {equal}; {drill.acknowledged}"
        f" writes acknowledged before it began, {drill.lost} lost; serve {answers}\n"
    )


def lost(made: Place, before: list[str]) -> list[str]:
    """Return what was acknowledged and is not there, and files that rows name and are not there."""
    tickets = {str(row[0]) for row in made.rows("SELECT uuid FROM tickets_ticket")}
    attachments = {str(row[0]): str(row[1]) for row in made.rows("SELECT id, file_key FROM tickets_attachment")}
    files = [key for key in attachments.values() if not (made.folder / "files" / key[:2] / key).exists()]
    return [key for key in before if key not in tickets and key not in attachments] + files


def does_answer(made: Place) -> bool:
    """Tell whether a server reads and writes there."""
    made.serve()
    made.wait_until_it_answers()
    login = {"email": "ada@acme.com", "password": PASSWORD}
    token = httpx2.post(f"{made.url}/api/v1/users/login/", json=login).json()["access"]
    headers = {"Authorization": f"Bearer {token}"}
    listed = httpx2.get(f"{made.url}/api/v1/tickets/", headers=headers)
    ticket = {"subject": "After the restore", "description": "It works."}
    opened = httpx2.post(f"{made.url}/api/v1/tickets/", json=ticket, headers=headers)
    return (listed.status_code, opened.status_code) == (200, 201)


def report(made: Place, written: list[Written], drills: list[Drill]) -> None:
    kind = "PostgreSQL" if made.database.startswith("postgresql") else "SQLite"
    sys.stderr.write(f"\n{kind}: {WRITERS} writers, {len(written)} writes acknowledged, {ROWS:,} rows before\n")
    for drill in drills:
        rows = sum(int(str(table["rows"])) for table in drill.tables.values())
        sys.stderr.write(f"{drill.folder.name}: {rows:,} rows in {drill.ended - drill.began:.1f} s\n")
    during = [
        each for each in written if any(each.began < drill.ended and each.ended > drill.began for drill in drills)
    ]
    without = [each for each in written if each not in set(during)]
    for name, chosen in (("without a backup", without), ("during backups", during)):
        took = sorted(each.ended - each.began for each in chosen)
        if took:
            median, late, worst = (took[int(share * (len(took) - 1))] * 1000 for share in (0.5, 0.99, 1))
            sys.stderr.write(
                f"{name}: {len(took)} writes, p50 {median:.0f} ms, p99 {late:.0f} ms, worst {worst:.0f} ms\n"
            )
