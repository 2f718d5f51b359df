"""What PostgreSQL needs: how to connect to it, what it keeps, and when to see whether a connection still stands."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

CONNECT_ARGUMENTS: Mapping[str, Any] = {
    "connect_timeout": 3,
    # A server that vanished without a word is noticed after ten seconds instead of a quarter of an hour.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "prepare_threshold": None,  # until it is known that there is no pooler
}

IDLE_SECONDS = 5.0
"""How long a connection may lie unused before it is looked at; a question for each request would be one round trip."""

PREPARE_AFTER = 5
"""Times that a connection runs a statement before the server keeps it parsed and planned; the driver's own default."""

_OUTDATED = ("0A000", "cached plan must not change result type")


def prepare_postgres(engine: Engine, *, idle_seconds: float = IDLE_SECONDS) -> None:
    """Set every connection up, and replace those that broke while nobody used them before somebody does.

    Statements that come again are kept by the server: planning the six of a list anew each time took three quarters of
    its processor time. Behind a pooler that gives each transaction to any of its connections they would be missing
    there, so none are kept.

    A connection that breaks while it is in use fails its request, and takes all that are older with it.
    """

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET TIME ZONE 'UTC'")
        connection.adapters.register_loader("timestamptz", ApiTimes)
        connection.prepare_threshold = None if is_pooled(connection) else PREPARE_AFTER
        connection.commit()

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

    @event.listens_for(engine, "handle_error")
    def forget_plans(context: Any) -> None:
        """Give up connections whose statements were planned before a migration changed what they return."""
        error = context.original_exception
        if getattr(error, "sqlstate", None) == _OUTDATED[0] and _OUTDATED[1] in str(error):
            context.is_disconnect = True


class ApiTimes:
    """Reads instants as the text that the API shows, like SQLite's: a list has sixty, and each would be parsed in vain.

    What the driver needs of a loader.
    """

    format = 0
    """Of the text that the server sends; it is of the session's time zone, which is UTC."""

    def __init__(self, oid: int, context: Any = None) -> None:
        """Read values of this type."""

    def load(self, data: Any) -> str | datetime:
        """Return `2024-01-31T09:30:00Z`; an instant that does not look like that comes as it is."""
        told = bytes(data).decode()
        if told.endswith("+00") and told[10] == " ":
            return f"{told[:10]}T{told[11:19]}Z"
        return datetime.fromisoformat(told)


def is_pooled(driver: Any) -> bool:
    """Tell whether a pooler stands between a connection of the driver and the server.

    A pooler tells a client another process number than the server's, so that cancelling goes through it.
    """
    with driver.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return bool(cursor.fetchone()[0] != driver.info.backend_pid)
