"""How many people one process lets in, how long they wait, and how much of it the hash of the password is."""

import time
from pathlib import Path
from statistics import median

import orjson
from pydantic import SecretStr
from sqlalchemy import create_engine, text

from helpdesk_core.accounts.passwords import Passwords
from helpdesk_core.settings import Settings
from tests.benchmarks import data, databases, report
from tests.benchmarks.results import Results, Say
from tests.benchmarks.rounds import Entry, interleave
from tests.benchmarks.rows import PASSWORD
from tests.benchmarks.servers import HELPDESK, running
from tests.benchmarks.size import CONNECTIONS, Size
from tests.benchmarks.wire import KEY

LOGIN = "/api/v1/users/login/"
HASHES = 12


def measure(kind: str, path: Path, size: Size, say: Say) -> Results:
    """Sign agents in, one at a time and sixteen at once."""
    results = Results()
    passwords = Passwords(Settings(secret_key=SecretStr(KEY)))
    stored = passwords.hash(PASSWORD)
    hashing = _seconds_of_a_hash(passwords, stored)
    bodies = [orjson.dumps({"username": name, "password": PASSWORD}).decode() for name in _names(path)]
    with databases.copied(kind, path, "logins", analyzed=True) as url:
        _set_password(url, stored)
        with running(HELPDESK, url) as server:
            entries = [
                Entry(f"{connections} at once", server, (), [LOGIN], bodies, connections, seconds=size.patience)
                for connections in (1, CONNECTIONS)
            ]
            alone, together = interleave(entries, 1, size.effort).values()
    rows = [
        (
            *(each.name, f"{each.rate:.1f}", f"{each.p50:.0f}", f"{each.p99:.0f}", f"{each.cpu:.1f}"),
            *(f"{min(hashing * 1000 / each.cpu, 1):.0%}", str(each.errors)),
        )
        for each in (alone, together)
    ]
    heading = ("logins", "a second", "p50, ms", "p99, ms", "CPU, ms", "of it Argon2", "errors")
    results.show(f"logins_{kind.lower()}", report.small_table(heading, rows), say)
    failed = alone.errors + together.errors
    what = f"sign-in on {kind}, failed requests {alone.error or together.error}".strip()
    results.goals.append(report.at_most(what, 0, failed))
    return results


def _seconds_of_a_hash(passwords: Passwords, stored: str) -> float:
    """Return the processor time, of all its threads, that verifying a password takes."""
    spent = []
    for _ in range(HASHES):
        began = time.process_time()
        passwords.verify(stored, PASSWORD)
        spent.append(time.process_time() - began)
    return median(spent)


def _names(path: Path) -> list[str]:
    return [f"agent{login.user}" for login in data.logins(path)]


def _set_password(url: str, stored: str) -> None:
    """Give agents a password that is hashed as the default settings do; the data has a cheap one."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE core_user SET password_hash = :stored WHERE role = 'agent'"), {"stored": stored}
        )
    engine.dispose()
