"""What PostgreSQL needs: how to connect to it, and when to see whether a connection still stands."""

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

CONNECT_ARGUMENTS: Mapping[str, Any] = {
    "prepare_threshold": None,  # the driver's own prepared statements break behind a transaction-mode PgBouncer
    "connect_timeout": 3,
    # A server that vanished without a word is noticed after ten seconds instead of a quarter of an hour.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

IDLE_SECONDS = 5.0
"""How long a connection may lie unused before it is looked at. Looking at each request takes a tenth of a list."""


def look_after_idle(engine: Engine, idle_seconds: float = IDLE_SECONDS) -> None:
    """Replace connections that broke while nobody used them, before somebody does.

    One that breaks while it is in use fails its request, and takes all that are older with it.
    """

    @event.listens_for(engine, "checkin")
    def note(_connection: Any, record: Any) -> None:
        record.info["idle_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def look(connection: Any, record: Any, _fairy: Any) -> None:
        since = record.info.get("idle_since")
        if since is None or time.monotonic() - since < idle_seconds:
            return
        try:
            stands = engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error:
            stands = False
        if not stands:
            raise InvalidatePoolError
