"""Waking other processes through PostgreSQL: LISTEN and NOTIFY, on connections of their own.

NOTIFY inside the publishing transaction takes a lock that all commits share; here it follows the commit.
"""

import threading
from collections.abc import Callable
from typing import Any

import psycopg
from sqlalchemy import make_url

from helpdesk_core.postgres import is_pooled
from helpdesk_core.web.realtime.wakers import BEHIND_POOLER, NAME, Deaf


class PostgresChannel:
    """A channel of the database."""

    def __init__(self, url: str, direct: str) -> None:
        """Prepare; nothing is opened yet.

        Args:
            url: of the database, perhaps through a pooler.
            direct: of the same database, for hearing.
        """
        self._url, self._direct = _for_driver(url), _for_driver(direct)
        self._telling: psycopg.Connection[Any] | None = None

    def announce(self) -> None:
        """Tell the others."""
        if self._telling is None or self._telling.closed:
            self._telling = _connect(self._url)
        self._telling.execute(f"NOTIFY {NAME}")

    def listen(self, stopped: threading.Event, heard: Callable[[], None]) -> None:
        """Call `heard` whenever somebody announces something, until `stopped` is set."""
        with _connect(self._direct) as connection:
            if is_pooled(connection):  # LISTEN would stay with one of its connections, and what is heard with it
                raise Deaf(BEHIND_POOLER)
            connection.execute(f"LISTEN {NAME}")
            heard()  # for what was committed while nobody listened
            while not stopped.is_set():
                for _ in connection.notifies(timeout=0.2, stop_after=1):
                    heard()

    def close(self) -> None:
        """Let connections go."""
        if self._telling is not None:
            self._telling.close()


def _for_driver(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _connect(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url, autocommit=True, prepare_threshold=None)
