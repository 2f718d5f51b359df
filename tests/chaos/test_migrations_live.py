"""The schema changes under a server that is in use, and nobody notices: no answer of 5xx, none that takes long.

HELPDESK_CHAOS_DATABASE_URL=postgresql://... uv run pytest -n0 -s tests/chaos/test_migrations_live.py

CHAOS_TICKETS and CHAOS_RATE change how many tickets there are and how many requests come each second. A plugin of the
test changes the table of tickets in every way there is, while somebody reads it in a transaction that stays open.
"""

import os
import re
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Self

import httpx2
import pytest
from sqlalchemy import Engine, create_engine, text

from tests.chaos.place import PASSWORD, Place, place
from tests.packages import MANIFEST, install_package, write_package

TICKETS = int(os.environ.get("CHAOS_TICKETS", "100000"))
RATE = int(os.environ.get("CHAOS_RATE", "50"))
THREADS = 25
READS_FOR = 4.0
LONGEST = 1.5

HEAD = """
import sqlalchemy as sa
from alembic import op

from helpdesk_core.api import create_index_online, drop_index_online

revision = "{number}"
down_revision = {before}
{said}


def downgrade():
    pass


def upgrade():
    {up}
"""
FIRST = 'op.create_table("live_note", sa.Column("id", sa.Integer(), primary_key=True))'
NEXT = [
    ("", ['op.add_column("tickets_ticket", sa.Column("live_note", sa.String(50), nullable=True))']),
    (
        "",
        [
            'op.add_column("tickets_ticket", sa.Column("live_size", sa.Integer(), nullable=False, server_default="1"))',
            'op.add_column("tickets_ticket", sa.Column("live_user", sa.Integer(), nullable=True))',
        ],
    ),
    ("online = True", ['create_index_online(op, "ix_live", "tickets_ticket", ["organization_id", "live_note"])']),
    (
        "",
        [
            'op.execute("ALTER TABLE tickets_ticket ADD CONSTRAINT fk_live FOREIGN KEY (live_user)"',
            '    " REFERENCES core_user (id) NOT VALID")',
            'op.execute("ALTER TABLE tickets_ticket ADD CONSTRAINT ck_live CHECK (live_size > 0) NOT VALID")',
        ],
    ),
    (
        "online = True",
        [f'op.execute("ALTER TABLE tickets_ticket VALIDATE CONSTRAINT {name}")' for name in ("fk_live", "ck_live")],
    ),
    (
        "",
        [
            'op.create_table("live_link", sa.Column("id", sa.BigInteger(), primary_key=True),',
            '    sa.Column("ticket", sa.BigInteger(), sa.ForeignKey("tickets_ticket.id")))',
        ],
    ),
    ("", ["op.execute(\"UPDATE tickets_ticket SET live_note = 'filled' WHERE live_note IS NULL\")"]),
    ("online = True", ['drop_index_online(op, "ix_live", "tickets_ticket")']),
    (
        'phase = "contract"',
        [
            'op.drop_table("live_link")',
            'op.drop_column("tickets_ticket", "live_size")',
            'op.drop_column("tickets_ticket", "live_user")',
            'op.alter_column("tickets_ticket", "live_note", new_column_name="live_text")',
        ],
    ),
    ('phase = "contract"', ['op.drop_column("tickets_ticket", "live_text")']),
]
COLUMNS = (
    "SELECT column_name FROM information_schema.columns WHERE table_name = 'tickets_ticket' AND is_generated = 'NEVER'"
)
WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'helpdesk migrate' AND wait_event_type = 'Lock'"
    " AND datname = current_database()"
)
LEFT_OUT = {"id", "uuid", "sequence", "number"}


def write(folder: Path, number: int, said: str, up: list[str]) -> None:
    before = repr(f"{number - 1:04}") if number > 1 else None
    written = HEAD.format(number=f"{number:04}", before=before, said=said, up="\n    ".join(up))
    (folder / f"{number:04}.py").write_text(written)


def write_plugin(folder: Path) -> Path:
    """Write the plugin in its older version, and return where its migrations lie."""
    package = write_package(folder, "live", manifest=MANIFEST + 'requires = ["tickets"]\n')
    install_package(package)
    migrations = package / "migrations"
    migrations.mkdir()
    write(migrations, 1, "", [FIRST])
    return migrations


class Load:
    """Sends requests at a rate, every other one a list, from threads that do not wait for each other."""

    def __init__(self, made: Place, token: str) -> None:
        self._made = made
        self._headers = {"Authorization": f"Bearer {token}"}
        self._stopping = threading.Event()
        self._began = time.monotonic()
        self._threads = [threading.Thread(target=self._run, args=(place,), daemon=True) for place in range(THREADS)]
        self.answers: list[tuple[float, float, int]] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _run(self, place: int) -> None:
        number, due = place, self._began + place / RATE
        with httpx2.Client(base_url=f"{self._made.url}/api/v1", headers=self._headers, timeout=30) as client:
            while not self._stopping.wait(max(0.0, due - time.monotonic())):
                sent = time.monotonic()
                if number % 2:
                    reply = client.get("/tickets/", params={"page_size": 20})
                else:
                    reply = client.post("/tickets/", json={"subject": "Printer on fire", "description": "Again."})
                self.answers.append((sent - self._began, time.monotonic() - sent, reply.status_code))
                number, due = number + THREADS, due + THREADS / RATE

    def told(self, since: float, until: float) -> str:
        """Return what came of the requests that were sent within these seconds."""
        among = sorted(seconds for sent, seconds, _ in self.answers if since <= sent < until)
        half, most = among[len(among) // 2], among[int(len(among) * 0.99)]
        return (
            f"{len(among)} requests, median {half * 1000:.0f} ms, p99 {most * 1000:.0f} ms, longest {among[-1]:.2f} s"
        )

    @property
    def now(self) -> float:
        return time.monotonic() - self._began


class Reader(threading.Thread):
    """Somebody who reads the table of tickets in a transaction that stays open while a migration waits, for seconds."""

    def __init__(self, database: str) -> None:
        super().__init__(daemon=True)
        self._database = database
        self.reads = threading.Event()

    def run(self) -> None:
        engine = create_engine(self._database, connect_args={"application_name": "a long report"})
        with engine.connect() as connection:
            connection.execute(text("SELECT count(*) FROM tickets_ticket WHERE id < 0"))
            self.reads.set()
            self._wait_for_the_migration(engine)
            time.sleep(READS_FOR)
        engine.dispose()

    @staticmethod
    def _wait_for_the_migration(engine: Engine) -> None:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for _ in range(2000):
                if connection.execute(text(WAITING)).scalar():
                    return
                time.sleep(0.01)


def fill(made: Place) -> None:
    """Make the one ticket that there is many."""
    engine = create_engine(made.database)
    with engine.begin() as connection:
        columns = connection.execute(text(COLUMNS)).scalars()
        same = ", ".join(f'"{name}"' for name in columns if name not in LEFT_OUT)
        connection.execute(
            text(
                f"INSERT INTO tickets_ticket (uuid, sequence, number, {same})"
                " SELECT CAST(gen_random_uuid() AS text), 1000000 + each, 'BULK-' || each,"
                f" {same} FROM (SELECT * FROM tickets_ticket LIMIT 1) AS one, generate_series(1, {TICKETS}) AS each"
            )
        )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE tickets_ticket"))
    engine.dispose()


def migrate(made: Place, load: Load, *options: str) -> str:
    """Migrate while somebody reads, and return what came of it."""
    reader = Reader(made.database)
    reader.start()
    reader.reads.wait()
    began = load.now
    printed = made.run_told("migrate", *options)
    ended = load.now
    reader.join()
    tries = len(re.findall("tries again", printed))
    time.sleep(1)
    told = load.told(began - 0.5, ended + 0.5)
    return f"helpdesk migrate {' '.join(options)}: {ended - began:.1f} s, {tries} tries more for a lock; {told}"


@pytest.mark.timeout(600)
@pytest.mark.skipif(not os.environ.get("HELPDESK_CHAOS_DATABASE_URL"), reason="only a server locks tables")
def test_nobody_notices_that_the_schema_changes(tmp_path: Path) -> None:
    migrations = write_plugin(tmp_path / "plugin")
    with place(tmp_path, plugin=tmp_path / "plugin") as made:
        made.serve("--no-jobs")
        made.wait_until_it_answers()
        login = {"email": "ada@acme.com", "password": PASSWORD}
        token = httpx2.post(f"{made.url}/api/v1/users/login/", json=login).json()["access"]
        ticket = {"subject": "Printer on fire", "description": "Again."}
        httpx2.post(
            f"{made.url}/api/v1/tickets/", json=ticket, headers={"Authorization": f"Bearer {token}"}
        ).raise_for_status()
        fill(made)
        for number, (said, up) in enumerate(NEXT, 2):
            write(migrations, number, said, up)
        with Load(made, token) as load:
            time.sleep(5)
            lines = [f"before: {load.told(1, 5)}"]
            lines.append(migrate(made, load, "--phase", "expand"))
            lines.append(migrate(made, load))
            time.sleep(2)
        statuses = Counter(status for _, _, status in load.answers)
        longest = max(seconds for _, seconds, _ in load.answers)
        sys.stderr.write(f"\n{TICKETS} tickets, {RATE} requests a second\n" + "\n".join(lines))
        sys.stderr.write(f"\nanswers: {dict(statuses)}; the longest took {longest:.2f} s\n")
        assert made.rows("SELECT version_num FROM helpdesk_version_live") == [(f"{len(NEXT) + 1:04}",)]
        assert not [status for status in statuses if status >= 300]
        assert longest < LONGEST
