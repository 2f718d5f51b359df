"""Counters in an unlogged table of PostgreSQL: fast to write, and empty after a crash of the server.

One statement for each request, over a connection of its own that commits by itself: a request that waits in its
transaction holds no counter up, and one that is rolled back is counted all the same.
"""

import threading
from collections.abc import Sequence
from typing import Any

import psycopg
from sqlalchemy import make_url

from helpdesk_core.limits.buckets import Charge, Standing
from helpdesk_core.limits.stores import PATIENCE_SECONDS, Counts, StoreUnavailable

TABLE = "helpdesk_limit_counter"
"""Made by a migration. Its name is outside those of the core's models, as those of the version tables are."""

# Sent in one go with what it bounds, as one transaction, so that it also works behind a pooler of transactions.
_PATIENCE = f"SET LOCAL statement_timeout = {int(PATIENCE_SECONDS * 1000)}; "
_SPEND = """
INSERT INTO helpdesk_limit_counter AS counter (key, used, reset_at, most)
SELECT key, begins, reset_at, most FROM (VALUES {rows}) AS charge (key, begins, reset_at, most) WHERE begins <= most
ON CONFLICT (key) DO UPDATE SET
    used = CASE WHEN counter.reset_at <= %s THEN excluded.used ELSE counter.used + %s END,
    reset_at = CASE WHEN counter.reset_at <= %s THEN excluded.reset_at ELSE counter.reset_at END,
    most = excluded.most
WHERE counter.used + %s <= excluded.most OR counter.reset_at <= %s
RETURNING key, used, reset_at
"""
_ROW = "(%s, %s::bigint, %s::bigint, %s::bigint)"
_LOOK = "SELECT key, used, reset_at FROM helpdesk_limit_counter WHERE reset_at > %s AND key = ANY(%s)"
_GIVE_BACK = """
UPDATE helpdesk_limit_counter AS counter SET used = greatest(counter.used - %s, 0)
FROM unnest(%s::text[], %s::bigint[]) AS given (key, reset_at)
WHERE counter.key = given.key AND counter.reset_at = given.reset_at
RETURNING counter.key
"""
_FORGET = "DELETE FROM helpdesk_limit_counter WHERE reset_at <= %s RETURNING key"


class PostgresStore:
    """Counters in a table that every process of the installation shares."""

    def __init__(self, url: str) -> None:
        """Remember SQLAlchemy's URL of the database; the connection is opened with the first request."""
        parsed = make_url(url)
        arguments = parsed.get_dialect()().create_connect_args(parsed)
        self._arguments: dict[str, Any] = {**arguments[1], "connect_timeout": 2}
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[Any] | None = None

    def spend(self, charges: Sequence[Charge], now: int, units: int = 1) -> tuple[bool, Counts]:
        """Take every charge `units` times, or none.

        Rows are locked in the order of their keys, so that two requests cannot wait for each other. A counter that is
        full returns no row; what the statement took from the others is given back by a second one.
        """
        ordered = sorted(charges)
        sql = _SPEND.format(rows=", ".join([_ROW] * len(ordered)))
        parts: list[Any] = []
        for key, begins, reset_at, most, *_ in ordered:
            parts += key, begins + units - 1, reset_at, most
        rows = self._run(sql, [*parts, now, units, now, units, now])
        if len(rows) == len(ordered):
            return True, _in_order(charges, rows)
        taken = {key: reset_at for key, _, reset_at in rows}
        if taken:
            self.give_back([Standing(each, 0, taken[each.key]) for each in charges if each.key in taken], units)
        return False, self.look(charges, now)

    def look(self, charges: Sequence[Charge], now: int) -> Counts:
        """Return how the counters stand."""
        return _in_order(charges, self._run(_LOOK, [now, [charge.key for charge in charges]]))

    def give_back(self, standings: Sequence[Standing], units: int = 1) -> None:
        """Undo `spend`."""
        ordered = sorted((standing.charge.key, standing.reset_at) for standing in standings)
        self._run(_GIVE_BACK, [units, [key for key, _ in ordered], [reset_at for _, reset_at in ordered]])

    def clean(self, now: int) -> None:
        """Forget windows that are over."""
        self._run(_FORGET, [now])

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._let_go()

    def _run(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        if not self._lock.acquire(timeout=PATIENCE_SECONDS):
            raise StoreUnavailable("another thread holds it")
        try:
            with (self._connection or self._open()).cursor() as cursor:
                cursor.execute(_PATIENCE + sql, parameters)
                cursor.nextset()
                return cursor.fetchall()
        except psycopg.Error as error:
            self._let_go()
            raise StoreUnavailable(str(error).strip()) from error
        finally:
            self._lock.release()

    def _open(self) -> "psycopg.Connection[Any]":
        connection = psycopg.connect(**self._arguments, autocommit=True, cursor_factory=psycopg.ClientCursor)
        connection.prepare_threshold = None
        self._connection = connection
        return connection

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _in_order(charges: Sequence[Charge], rows: Sequence[tuple[Any, ...]]) -> Counts:
    found = {key: (used, reset_at) for key, used, reset_at in rows}
    return [found.get(charge.key) or (charge.begins - 1, charge.reset_at) for charge in charges]
