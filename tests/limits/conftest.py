"""Stores of every kind that this machine has."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from helpdesk_core.limits.buckets import Charge
from helpdesk_core.limits.postgres import PostgresStore
from helpdesk_core.limits.redis import RedisStore
from helpdesk_core.limits.sqlite import MEMORY, SqliteStore
from helpdesk_core.limits.stores import Store
from helpdesk_core.migrations import lineages, upgrade
from helpdesk_core.plugins import PluginHost
from tests.databases import SERVER, empty_database

REDIS = os.environ.get("HELPDESK_TEST_REDIS_URL", "")
KINDS: dict[str, Callable[[str], Store]] = {
    "sqlite": lambda where: SqliteStore(Path(where)),
    "memory": lambda where: SqliteStore(MEMORY),
    "postgres": PostgresStore,
    "redis": RedisStore,
}
SHARED = [
    "sqlite",
    pytest.param("postgres", marks=pytest.mark.skipif(not SERVER, reason="needs HELPDESK_TEST_POSTGRES_URL")),
    pytest.param("redis", marks=pytest.mark.skipif(not REDIS, reason="needs HELPDESK_TEST_REDIS_URL")),
]
_NUMBERS = count()


@pytest.fixture
def where(kind: str, tmp_path: Path, worker_id: str, helpdesk_host: PluginHost) -> Iterator[str]:
    """What a store of the kind is made from, with no counters in it."""
    with ExitStack() as stack:
        if kind == "postgres":
            url = stack.enter_context(empty_database(tmp_path, worker_id, "limits"))
            upgrade(url, lineages(helpdesk_host)[:1])
            yield url
        elif kind == "redis":
            yield REDIS
        else:
            yield str(tmp_path / "limits.db")


@pytest.fixture
def store(kind: str, where: str) -> Iterator[Store]:
    """A store of the kind."""
    store = KINDS[kind](where)
    yield store
    store.close()


@pytest.fixture
def charging() -> Callable[..., Charge]:
    """Make charges; keys are new, so that counters of an earlier run do not matter."""
    run = os.urandom(8).hex()

    def charge(name: str = "", *, most: int = 100, now: int = 1_000, **values: Any) -> Charge:
        name = name or f"bucket{next(_NUMBERS)}"
        return Charge(**{
            "key": f"{run}:{name}", "begins": 1, "reset_at": now + 60, "most": most,
            "name": name, "limit": most, "seconds": 60, **values
        })  # fmt: skip

    return charge
